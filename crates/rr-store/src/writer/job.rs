//! A piece of work for the writer, together with those who wait for it.

use diesel::QueryResult;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::conn::Conn;
use crate::error::Verdict;
use crate::facts::Appended;

/// A piece of work. It may be run more than once before it counts: a batch that is rolled back is
/// tried again. It must hand every error of the database on, because PostgreSQL answers `COMMIT`
/// after a swallowed error with a rollback that looks like a success.
pub(crate) trait Work: Send {
    /// Does it, inside the batch's transaction.
    fn run(&mut self, conn: &mut Conn) -> QueryResult<()>;
    /// Tells those who wait; called once, after the commit or after the failure.
    fn answer(self: Box<Self>, outcome: Result<(), Verdict>);
    /// How many callers wait for it.
    fn len(&self) -> usize {
        1
    }
    /// The facts that it has appended, which are then posted before the commit; `None` of work that
    /// never appends any.
    fn appended(&mut self) -> Option<Appended> {
        None
    }
    /// Takes it apart, so that a failure hits only the part that caused it.
    fn split(self: Box<Self>) -> Vec<Box<dyn Work>>;
}

/// Work that is one closure for one caller.
pub(crate) struct Closure<F, T> {
    work: F,
    result: Option<T>,
    appended: Option<Appended>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Closure<F, T> {
    pub(crate) fn new(work: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Closure<F, T> {
        Closure { work, result: None, appended: None, reply }
    }
}

impl<F, T> Work for Closure<F, T>
where
    F: FnMut(&mut Conn) -> QueryResult<(T, Option<Appended>)> + Send + 'static,
    T: Send + 'static,
{
    fn run(&mut self, conn: &mut Conn) -> QueryResult<()> {
        let (result, appended) = (self.work)(conn)?;
        self.result = Some(result);
        self.appended = appended;
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Verdict>) {
        let answer = match (outcome, self.result) {
            (Ok(()), Some(result)) => Ok(result),
            (Ok(()), None) => {
                Err(Verdict::defect("a write was committed without being run").into())
            }
            (Err(verdict), _) => Err(verdict.into()),
        };
        // A caller that went away has no use for the answer; the work is done all the same.
        drop(self.reply.send(answer));
    }

    fn appended(&mut self) -> Option<Appended> {
        self.appended.take()
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Work>> {
        vec![self]
    }
}

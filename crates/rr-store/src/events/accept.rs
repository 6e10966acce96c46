//! Storing events: those that wait together become a handful of multi-row statements.

use std::collections::HashSet;

use diesel::QueryResult;
use diesel::prelude::*;
use tokio::sync::oneshot;

use super::{AcceptEvent, NewEvent};
use crate::conn::{Conn, on_each};
use crate::error::Verdict;
use crate::idempotency::{Claim, Claimed, claim, settle};
use crate::schema::{event_bodies, events};
use crate::sequence::Sequence;
use crate::types::{At, Id, JsonText};
use crate::writer::Work;
use crate::{Idempotency, Store, StoreError};

impl Store {
    /// Stores an event durably, or recognises it as a repeat by any of its `ids`.
    pub async fn accept_event(
        &self,
        event: NewEvent,
        ids: impl IntoIterator<Item = Idempotency>,
    ) -> Result<AcceptEvent, StoreError> {
        let (reply, answer) = oneshot::channel();
        let ids = ids.into_iter().collect();
        self.push_event(Box::new(EventJob { event, ids, reply }))?;
        answer.await.unwrap_or_else(|_| Err(Verdict::defect("an event was lost").into()))
    }
}

/// An event and the caller that waits for it.
pub(crate) struct EventJob {
    event: NewEvent,
    ids: Vec<Idempotency>,
    reply: oneshot::Sender<Result<AcceptEvent, StoreError>>,
}

impl EventJob {
    fn claim<'a>(&self, id: &'a Idempotency) -> Claim<'a> {
        Claim { id, result: self.event.id, at: self.event.received_at }
    }

    /// How many bytes it holds in the queue.
    pub(crate) fn weight(&self) -> usize {
        self.event.body.len() + self.event.data.get().len()
    }
}

/// Events that are stored by the same statements.
pub(crate) struct EventGroup {
    jobs: Vec<EventJob>,
    results: Vec<AcceptEvent>,
}

impl EventGroup {
    pub(crate) fn new(jobs: Vec<EventJob>) -> EventGroup {
        EventGroup { jobs, results: Vec::new() }
    }
}

impl Work for EventGroup {
    fn run(&mut self, conn: &mut Conn) -> QueryResult<()> {
        let claims: Vec<Claim<'_>> =
            self.jobs.iter().flat_map(|job| job.ids.iter().map(|id| job.claim(id))).collect();
        let mut claimed = claim(conn, &claims)?.into_iter();
        let mut fresh = Vec::new();
        let mut results = Vec::with_capacity(self.jobs.len());
        for job in &self.jobs {
            let own: Vec<Claimed> = claimed.by_ref().take(job.ids.len()).collect();
            let first = |claimed: &Claimed| *claimed == Claimed::First;
            let known = own.iter().copied().filter(|claimed| !first(claimed)).min();
            let Some(known) = known else {
                fresh.push(&job.event);
                results.push(AcceptEvent::Stored(job.event.id));
                continue;
            };
            if own.iter().any(first) {
                // A neighbour may lean on an id that this event claimed and now gives up: alone,
                // there is none.
                if self.jobs.len() > 1 {
                    return Err(diesel::result::Error::RollbackTransaction);
                }
                let new = job.ids.iter().zip(&own).filter(|(_, claimed)| first(claimed));
                for (id, _) in new {
                    settle(conn, id, known)?;
                }
            }
            results.push(match known {
                Claimed::Repeat(id) => AcceptEvent::Repeated(id),
                Claimed::First | Claimed::Conflict => AcceptEvent::Conflict,
            });
        }
        insert(conn, &fresh)?;
        self.results = results;
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Verdict>) {
        let mut results = self.results.into_iter();
        for job in self.jobs {
            let answer = match (&outcome, results.next()) {
                (Ok(()), Some(result)) => Ok(result),
                (Ok(()), None) => Err(Verdict::defect("an event was committed unseen").into()),
                (Err(verdict), _) => Err(verdict.clone().into()),
            };
            drop(job.reply.send(answer));
        }
    }

    fn len(&self) -> usize {
        self.jobs.len()
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Work>> {
        let alone = |job| Box::new(EventGroup::new(vec![job])) as Box<dyn Work>;
        self.jobs.into_iter().map(alone).collect()
    }
}

/// Stores those of `all` whose id is not there yet; says how many.
pub(crate) fn import(conn: &mut Conn, all: &[NewEvent]) -> QueryResult<usize> {
    let mut known = HashSet::new();
    for part in all.chunks(1_000) {
        let ids: Vec<Id> = part.iter().map(|event| Id(event.id)).collect();
        let found: Vec<Id> = on_each!(conn, |c| events::table
            .filter(events::id.eq_any(&ids))
            .select(events::id)
            .get_results(c))?;
        known.extend(found);
    }
    let fresh: Vec<&NewEvent> = all.iter().filter(|event| known.insert(Id(event.id))).collect();
    insert(conn, &fresh)?;
    Ok(fresh.len())
}

fn insert(conn: &mut Conn, fresh: &[&NewEvent]) -> QueryResult<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let first = Sequence::Events.take(conn, fresh.len())?;
    let numbered: Vec<(i64, &NewEvent)> = (first..).zip(fresh.iter().copied()).collect();
    for part in numbered.chunks(conn.bind_limit() / EVENT_COLUMNS) {
        let rows: Vec<EventRecord<'_>> =
            part.iter().map(|(seq, event)| EventRecord::of(*seq, event)).collect();
        let bodies: Vec<BodyRecord<'_>> = part
            .iter()
            .map(|(seq, event)| BodyRecord {
                event_seq: *seq,
                content_type: &event.content_type,
                body: &event.body,
            })
            .collect();
        on_each!(conn, |c| diesel::insert_into(events::table).values(&rows).execute(c))?;
        on_each!(conn, |c| diesel::insert_into(event_bodies::table).values(&bodies).execute(c))?;
    }
    Ok(())
}

const EVENT_COLUMNS: usize = 8;

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct EventRecord<'a> {
    seq: i64,
    id: Id,
    key_id: Option<Id>,
    event_type: &'a str,
    source: &'a str,
    occurred_at: Option<At>,
    received_at: At,
    data: JsonText,
}

impl<'a> EventRecord<'a> {
    fn of(seq: i64, event: &'a NewEvent) -> EventRecord<'a> {
        EventRecord {
            seq,
            id: Id(event.id),
            key_id: event.key_id.map(Id),
            event_type: &event.event_type,
            source: &event.source,
            occurred_at: event.occurred_at.map(At),
            received_at: At(event.received_at),
            data: JsonText(event.data.get().to_owned()),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = event_bodies, treat_none_as_default_value = false)]
struct BodyRecord<'a> {
    event_seq: i64,
    content_type: &'a str,
    body: &'a [u8],
}

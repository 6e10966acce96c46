//! Storing events: those that wait together go through the same statements.

use std::collections::HashSet;

use super::rows::{Fresh, insert};
use super::{AcceptEvent, NewEvent, OfferedEvent, Together, meanings};
use crate::conn::{Conn, on_each};
use crate::error::Verdict;
use crate::idempotency::{Claim, Claimed, claim, settle};
use crate::schema::events;
use crate::store::SMALL;
use crate::types::Id;
use crate::writer::{Reply, Round, Work, reply};
use crate::{Idempotency, Store, StoreError};
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;

impl Store {
    /// Stores events in one transaction, and says for each, in their order, what became of it.
    pub async fn accept_events(
        &self,
        offers: Vec<OfferedEvent>,
        together: Together,
    ) -> Result<Vec<AcceptEvent>, StoreError> {
        let (reply, answer) = reply();
        // Here and not by the writer, of which there is one.
        let offers = offers.into_iter().map(Offer::of).collect::<serde_json::Result<_>>();
        let offers = offers.map_err(|_| Verdict::defect("a meaning cannot be written out"))?;
        self.push_event(Box::new(EventJob { offers, together, reply }))?;
        answer.await.unwrap_or_else(|| Err(Verdict::defect("an event was lost").into()))
    }
}

/// Events of one request and the caller that waits for them.
pub(crate) struct EventJob {
    offers: Vec<Offer>,
    together: Together,
    reply: Reply<Result<Vec<AcceptEvent>, StoreError>>,
}

impl EventJob {
    /// How many bytes it holds in the queue.
    pub(crate) fn weight(&self) -> usize {
        let offers: usize = self.offers.iter().map(Offer::weight).sum();
        offers + self.whole().map_or(0, <[u8]>::len)
    }

    /// The message that its events are parts of.
    fn whole(&self) -> Option<&[u8]> {
        match &self.together {
            Together::AllOrNothing(whole) => whole.as_deref(),
            Together::EachByItself => None,
        }
    }

    fn is_all_or_nothing(&self) -> bool {
        matches!(self.together, Together::AllOrNothing(_))
    }

    /// Lets the first of its events that is stored keep the whole message: those before it may be repeats,
    /// and of a repeat nothing is kept.
    fn keep_whole<'a>(&'a self, own: &mut [Fresh<'a>]) {
        if let (Some(first), Some(whole)) = (own.first_mut(), self.whole()) {
            first.body = whole;
        }
    }
}

/// An event that is offered, with what it says written out.
struct Offer {
    event: NewEvent,
    told: Option<String>,
    ids: Vec<Idempotency>,
}

impl Offer {
    fn of(OfferedEvent { event, ids }: OfferedEvent) -> serde_json::Result<Offer> {
        Ok(Offer { told: meanings::written(&event.meaning)?, event, ids })
    }

    /// An event of two bytes takes as much room around them as any other.
    fn weight(&self) -> usize {
        let told = self.told.as_ref().map_or(0, String::len);
        SMALL + self.event.body.len() + self.event.data.get().len() + told
    }

    fn fresh(&self) -> Fresh<'_> {
        Fresh { event: &self.event, told: self.told.as_deref(), body: &self.event.body }
    }

    fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        let NewEvent { id: result, received_at: at, .. } = self.event;
        self.ids.iter().map(move |id| Claim { id, result, at })
    }
}

/// Events that are stored by the same statements.
pub(crate) struct EventGroup {
    jobs: Vec<EventJob>,
    results: Vec<Vec<AcceptEvent>>,
}

impl EventGroup {
    pub(crate) fn new(jobs: Vec<EventJob>) -> EventGroup {
        EventGroup { jobs, results: Vec::new() }
    }
}

impl Work for EventGroup {
    fn run(&mut self, conn: &mut Conn) -> QueryResult<()> {
        let offers = self.jobs.iter().flat_map(|job| &job.offers);
        let claims: Vec<Claim<'_>> = offers.flat_map(Offer::claims).collect();
        let mut claimed = claim(conn, &claims)?.into_iter();
        let mut fresh = Vec::new();
        let mut results = Vec::with_capacity(self.jobs.len());
        for job in &self.jobs {
            let own: Vec<Vec<Claimed>> = job
                .offers
                .iter()
                .map(|offer| claimed.by_ref().take(offer.ids.len()).collect())
                .collect();
            if gives_up(job, &own) {
                // A neighbour may lean on an id that this job claimed and now gives up: alone,
                // there is none.
                if self.jobs.len() > 1 {
                    return Err(Error::RollbackTransaction);
                }
                let claimed = job.offers.iter().flat_map(|offer| &offer.ids).zip(own.concat());
                release(conn, claimed)?;
                let (mut stored, answers) = one_by_one(conn, job)?;
                job.keep_whole(&mut stored);
                fresh = stored;
                results.push(answers);
                continue;
            }
            let (answers, before) = (job.offers.iter().zip(own), fresh.len());
            results.push(answers.map(|(offer, own)| answer(offer, &own, &mut fresh)).collect());
            job.keep_whole(fresh.get_mut(before..).unwrap_or_default());
        }
        insert(conn, &fresh)?;
        self.results = results;
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), Verdict>) {
        let mut results = self.results.into_iter();
        let mut round = Round::new();
        for job in self.jobs {
            let answer = match (&outcome, results.next()) {
                (Ok(()), Some(result)) => Ok(result),
                (Ok(()), None) => Err(Verdict::defect("an event was committed unseen").into()),
                (Err(verdict), _) => Err(verdict.clone().into()),
            };
            round.put(job.reply, answer);
        }
        round.wake();
    }

    fn len(&self) -> usize {
        self.jobs.len()
    }

    fn split(self: Box<Self>) -> Vec<Box<dyn Work>> {
        let alone = |job| Box::new(EventGroup::new(vec![job])) as Box<dyn Work>;
        self.jobs.into_iter().map(alone).collect()
    }
}

/// Whether something of the job will not be stored that the claims alone would let in: an event
/// that is known by another of its ids, or one that goes down with a neighbour.
fn gives_up(job: &EventJob, own: &[Vec<Claimed>]) -> bool {
    let spoilt = job.is_all_or_nothing()
        && own.len() > 1
        && own.iter().flatten().any(|claimed| *claimed == Claimed::Conflict);
    let mixed = |own: &Vec<Claimed>| {
        own.contains(&Claimed::First) && own.iter().any(|claimed| *claimed != Claimed::First)
    };
    spoilt || own.iter().any(mixed)
}

/// What the claims of an event say about it; of several, the least decides.
fn answer<'a>(offer: &'a Offer, own: &[Claimed], fresh: &mut Vec<Fresh<'a>>) -> AcceptEvent {
    match own.iter().min() {
        None | Some(Claimed::First) => {
            fresh.push(offer.fresh());
            AcceptEvent::Stored(offer.event.id)
        }
        Some(Claimed::Repeat(id)) => AcceptEvent::Repeated(*id),
        Some(Claimed::Conflict) => AcceptEvent::Conflict,
    }
}

/// Decides a job's events one after the other, so that none leans on an id that another gives up.
/// An id that came with a repeat stands for the first event as well, one of a conflict for none.
fn one_by_one<'a>(
    conn: &mut Conn,
    job: &'a EventJob,
) -> QueryResult<(Vec<Fresh<'a>>, Vec<AcceptEvent>)> {
    let (mut fresh, mut answers, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for offer in &job.offers {
        let own = claim(conn, &offer.claims().collect::<Vec<_>>())?;
        let known = own.iter().copied().min().unwrap_or(Claimed::First);
        if known != Claimed::First {
            let new = offer.ids.iter().zip(&own).filter(|(_, own)| **own == Claimed::First);
            for (id, _) in new {
                settle(conn, id, known)?;
            }
        }
        if known != Claimed::Conflict {
            kept.extend(offer.ids.iter().zip(own.iter().copied()));
        }
        answers.push(answer(offer, &own, &mut fresh));
    }
    if job.is_all_or_nothing() && answers.contains(&AcceptEvent::Conflict) {
        release(conn, kept.into_iter())?;
        fresh.clear();
    }
    Ok((fresh, answers))
}

/// Takes back what was claimed first.
fn release<'a>(
    conn: &mut Conn,
    claimed: impl Iterator<Item = (&'a Idempotency, Claimed)>,
) -> QueryResult<()> {
    for (id, claimed) in claimed {
        if claimed == Claimed::First {
            settle(conn, id, Claimed::Conflict)?;
        }
    }
    Ok(())
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
    for part in fresh.chunks(1_000) {
        let told = part.iter().map(|event| meanings::written(&event.meaning));
        let told = told.collect::<serde_json::Result<Vec<_>>>();
        let told = told.map_err(|error| Error::SerializationError(error.into()))?;
        let pairs = part.iter().zip(&told);
        let part =
            pairs.map(|(event, told)| Fresh { event, told: told.as_deref(), body: &event.body });
        insert(conn, &part.collect::<Vec<_>>())?;
    }
    Ok(fresh.len())
}

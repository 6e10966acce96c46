//! Storing events: those that wait together become a handful of multi-row statements.

use std::collections::HashSet;

use super::{AcceptEvent, NewEvent, OfferedEvent, Together, meanings};
use crate::conn::{Conn, on_each};
use crate::error::Verdict;
use crate::idempotency::{Claim, Claimed, claim, settle};
use crate::schema::{event_bodies, events};
use crate::sequence::Sequence;
use crate::types::{At, Id, JsonText};
use crate::writer::{Reply, Round, Work, reply};
use crate::{Idempotency, Store, StoreError};
use diesel::QueryResult;
use diesel::prelude::*;

impl Store {
    /// Stores an event durably, or recognises it as a repeat by any of its `ids`.
    pub async fn accept_event(
        &self,
        event: NewEvent,
        ids: impl IntoIterator<Item = Idempotency>,
    ) -> Result<AcceptEvent, StoreError> {
        let offer = OfferedEvent { event, ids: ids.into_iter().collect() };
        let answers = self.accept_events(vec![offer], Together::AllOrNothing).await?;
        answers
            .into_iter()
            .next()
            .ok_or_else(|| Verdict::defect("an event was left unanswered").into())
    }

    /// Stores events in one transaction, and says for each, in their order, what became of it.
    pub async fn accept_events(
        &self,
        offers: Vec<OfferedEvent>,
        together: Together,
    ) -> Result<Vec<AcceptEvent>, StoreError> {
        let (reply, answer) = reply();
        self.push_event(Box::new(EventJob { offers, together, reply }))?;
        answer.await.unwrap_or_else(|| Err(Verdict::defect("an event was lost").into()))
    }
}

/// Events of one request and the caller that waits for them.
pub(crate) struct EventJob {
    offers: Vec<OfferedEvent>,
    together: Together,
    reply: Reply<Result<Vec<AcceptEvent>, StoreError>>,
}

impl EventJob {
    /// How many bytes it holds in the queue.
    pub(crate) fn weight(&self) -> usize {
        let weight = |event: &NewEvent| event.body.len() + event.data.get().len();
        self.offers.iter().map(|offer| weight(&offer.event)).sum()
    }
}

impl OfferedEvent {
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
        let claims: Vec<Claim<'_>> = offers.flat_map(OfferedEvent::claims).collect();
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
                    return Err(diesel::result::Error::RollbackTransaction);
                }
                let claimed = job.offers.iter().flat_map(|offer| &offer.ids).zip(own.concat());
                release(conn, claimed)?;
                let (stored, answers) = one_by_one(conn, job)?;
                fresh = stored;
                results.push(answers);
                continue;
            }
            let answers = job.offers.iter().zip(own);
            results.push(answers.map(|(offer, own)| answer(offer, &own, &mut fresh)).collect());
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
    let spoilt = job.together == Together::AllOrNothing
        && own.len() > 1
        && own.iter().flatten().any(|claimed| *claimed == Claimed::Conflict);
    let mixed = |own: &Vec<Claimed>| {
        own.contains(&Claimed::First) && own.iter().any(|claimed| *claimed != Claimed::First)
    };
    spoilt || own.iter().any(mixed)
}

/// What the claims of an event say about it; of several, the least decides.
fn answer<'a>(
    offer: &'a OfferedEvent,
    own: &[Claimed],
    fresh: &mut Vec<&'a NewEvent>,
) -> AcceptEvent {
    match own.iter().min() {
        None | Some(Claimed::First) => {
            fresh.push(&offer.event);
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
) -> QueryResult<(Vec<&'a NewEvent>, Vec<AcceptEvent>)> {
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
    if job.together == Together::AllOrNothing && answers.contains(&AcceptEvent::Conflict) {
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
    insert(conn, &fresh)?;
    Ok(fresh.len())
}

fn insert(conn: &mut Conn, fresh: &[&NewEvent]) -> QueryResult<()> {
    if fresh.is_empty() {
        return Ok(());
    }
    let first = Sequence::Events.take(conn, fresh.len())?;
    let numbered = (first..).zip(fresh.iter().copied());
    let rows: Vec<EventRecord<'_>> =
        numbered.clone().map(|(seq, event)| EventRecord::of(seq, event)).collect();
    let bodies: Vec<BodyRecord<'_>> =
        numbered.map(|(seq, event)| BodyRecord::of(seq, event)).collect();
    match conn {
        // One statement of many rows saves round trips.
        Conn::Pg(c) => {
            for rows in rows.chunks(EVENTS_AT_ONCE) {
                diesel::insert_into(events::table).values(rows).execute(c)?;
            }
            for bodies in bodies.chunks(EVENTS_AT_ONCE) {
                diesel::insert_into(event_bodies::table).values(bodies).execute(c)?;
            }
        }
        // There is no round trip, and a statement of one row stays compiled: one of many would be
        // compiled anew each time, which costs as much as running it.
        Conn::Lite(c) => {
            for row in &rows {
                diesel::insert_into(events::table).values(row).execute(c)?;
            }
            for body in &bodies {
                diesel::insert_into(event_bodies::table).values(body).execute(c)?;
            }
        }
    }
    meanings::insert(conn, first, fresh)
}

/// Each event binds nine values, and PostgreSQL takes 65,535 a statement.
const EVENTS_AT_ONCE: usize = 7_000;

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
    webhook_source: Option<Id>,
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
            webhook_source: event.webhook_source.map(Id),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = event_bodies, treat_none_as_default_value = false)]
struct BodyRecord<'a> {
    event_seq: i64,
    received_at: At,
    content_type: &'a str,
    body: &'a [u8],
}

impl<'a> BodyRecord<'a> {
    fn of(seq: i64, event: &'a NewEvent) -> BodyRecord<'a> {
        BodyRecord {
            event_seq: seq,
            received_at: At(event.received_at),
            content_type: &event.content_type,
            body: &event.body,
        }
    }
}

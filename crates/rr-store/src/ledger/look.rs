//! Looking at the database: the board is loaded, or moved on by what other processes posted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::{Fact, Timestamp};
use rr_sync::ledger::{Account, Entry, Sum};
use rr_sync::{Board, Need};
use uuid::Uuid;

use super::memory::{Held, Look, Memory, Present};
use super::post::{Place, place};
use super::read;
use crate::conn::{Conn, on_each};
use crate::schema::{facts, ledger_counters, ledger_entries};
use crate::types::{At, Id, JsonText};

/// How many affiliates, and how many entries, are asked for first when the board needs the best or newest.
const BEST: i64 = 500;
const NEWEST: i64 = 128;
/// After so many answers the board must be content. Each time it is told of twice as many affiliates and
/// entries, because those that earn later and those that take each other back are not shown.
const ROUNDS: u32 = 32;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const TICK: Duration = Duration::from_micros(1);

/// A board that is further behind than this is loaded anew rather than moved on.
const FAR_BEHIND: i64 = 200_000;

/// What a look led to.
pub(crate) enum Seen {
    /// What holds now.
    Present(Arc<Present>),
    /// The ledger is behind the facts: what it says is not what holds.
    Behind,
}

/// Brings the board up to date and reads it.
pub(crate) fn look(conn: &mut Conn, memory: &Memory, now: Timestamp) -> QueryResult<Seen> {
    let look = memory.look();
    let place = place(conn)?;
    if place.ledger < place.facts {
        return Ok(Seen::Behind);
    }
    if let Some(held) = &mut *memory.lock()
        && held.is_of(place, now)
        && held.board.seq() >= place.ledger
        && held.board.need(now).or_else(|| held.board.need(now.plus(MINUTE))).is_none()
        && let Some(present) = memory.seen(held, look, now)
    {
        return Ok(Seen::Present(present));
    }
    loop {
        let read = conn.snapshot(|conn| read_on(conn, memory, look, now))?;
        // The board of a writer that was quicker than this snapshot needs a newer one.
        if let Some(seen) = read {
            return Ok(seen);
        }
    }
}

/// Reads what the board does not know, all in one snapshot.
fn read_on(
    conn: &mut Conn,
    memory: &Memory,
    look: Look,
    now: Timestamp,
) -> QueryResult<Option<Seen>> {
    let place = place(conn)?;
    if place.ledger < place.facts {
        return Ok(Some(Seen::Behind));
    }
    let mut guard = memory.lock();
    let known = guard.take().filter(|held| held.is_of(place, now));
    let mut held = match known {
        Some(held) if held.board.seq() > place.ledger => {
            *guard = Some(held);
            return Ok(None);
        }
        Some(mut held) if place.ledger - held.board.seq() < FAR_BEHIND => {
            if held.board.seq() < place.ledger {
                let entries = read::entries_after(conn, held.board.seq())?;
                held.board.apply(&entries, place.ledger);
            }
            held
        }
        _ => {
            memory.forget();
            Held::new(load(conn, place, Held::floor(now))?, place.rebuilds)
        }
    };
    for round in 0.. {
        // What a minute brings is asked for ahead, by whoever looks and not by whoever reads then.
        let need = held.board.need(now).or_else(|| held.board.need(now.plus(MINUTE)));
        let Some(need) = need else { break };
        if round == ROUNDS {
            return Err(Error::QueryBuilderError("the board cannot be told what it asks".into()));
        }
        satisfy(conn, &mut held.board, need, round)?;
    }
    let present = memory.seen(&mut held, look, now);
    *guard = Some(held);
    let out_of_reach = || Error::QueryBuilderError("the board does not reach back".into());
    present.map(|present| Some(Seen::Present(present))).ok_or_else(out_of_reach)
}

impl Held {
    /// Whether it is about this ledger and reaches back to `now`.
    fn is_of(&self, place: Place, now: Timestamp) -> bool {
        self.rebuilds == place.rebuilds && self.board.floor() <= now
    }
}

fn load(conn: &mut Conn, place: Place, floor: Timestamp) -> QueryResult<Board> {
    let standing = read::standing(conn, floor)?;
    let mut hours = Vec::new();
    // What the floor's own hour still brings is not of the board yet.
    let last = floor.floor_to_hour();
    for account in [Account::Users, Account::Signups, Account::Revenue] {
        hours.extend(read::hours(conn, account, Board::hours_from(floor), last)?);
        hours.extend(read::minutes(conn, account, last, floor)?);
    }
    Ok(Board::load(floor, place.ledger, standing.iter(), hours))
}

/// Tells the board what it needs to know, and more in every round.
fn satisfy(conn: &mut Conn, board: &mut Board, need: Need, round: u32) -> QueryResult<()> {
    match need {
        Need::Pending { after, until } => {
            let entries = read::entries_between(conn, after, until)?;
            board.give_pending(&entries, until);
        }
        Need::Affiliates => {
            let limit = BEST << round;
            let best = best_affiliates(conn, limit)?;
            let complete = is_all(&best, limit);
            let later = later_affiliates(conn, board.floor())?;
            board.give_affiliates(best, complete, later);
        }
        Need::Newest(account) => {
            let limit = NEWEST << round;
            let newest = newest(conn, account, board.floor(), limit)?;
            board.give_newest(account, &newest, is_all(&newest, limit));
        }
        Need::Minutes(account, hour) => {
            let minutes = read::minutes(conn, account, hour, hour.plus(HOUR).minus(TICK))?;
            let minutes = minutes.into_iter().map(|(_, minute, sum)| (minute, sum));
            board.give_minutes(account, hour, minutes);
        }
        Need::Facts(ids) => board.give_facts(&by_id(conn, &ids)?),
    }
    Ok(())
}

fn is_all<T>(found: &[T], limit: i64) -> bool {
    i64::try_from(found.len()).unwrap_or(i64::MAX) < limit
}

/// The affiliates with entries dated after an instant: the counter of each, and what is later.
fn later_affiliates(conn: &mut Conn, after: Timestamp) -> QueryResult<Vec<(String, Sum, Sum)>> {
    let later = read::groups_later(conn, Account::Affiliates, after)?;
    let mut counters: BTreeMap<String, Sum> = BTreeMap::new();
    for part in later.chunks(1_000) {
        let names: Vec<&str> = part.iter().map(|(name, _)| name.as_str()).collect();
        let rows: Vec<AffiliateRow> = on_each!(conn, |c| ledger_counters::table
            .filter(ledger_counters::account.eq(AFFILIATES))
            .filter(ledger_counters::grp.eq_any(&names))
            .select(AFFILIATE)
            .load(c))?;
        counters.extend(rows.into_iter().map(affiliate));
    }
    let with_counter = |(name, later): (String, Sum)| {
        let counter = counters.get(&name).copied().unwrap_or_default();
        (name, counter, later)
    };
    Ok(later.into_iter().map(with_counter).collect())
}

/// The best affiliates by their counters.
fn best_affiliates(conn: &mut Conn, limit: i64) -> QueryResult<Vec<(String, Sum)>> {
    let rows: Vec<AffiliateRow> = on_each!(conn, |c| ledger_counters::table
        .filter(ledger_counters::account.eq(AFFILIATES))
        .order((
            ledger_counters::amount.desc(),
            ledger_counters::count.desc(),
            ledger_counters::grp,
        ))
        .select(AFFILIATE)
        .limit(limit)
        .load(c))?;
    Ok(rows.into_iter().map(affiliate).collect())
}

const AFFILIATES: &str = Account::Affiliates.as_str();

/// A counter of an affiliate as it is selected by [`AFFILIATE`].
type AffiliateRow = (String, i64, i64);

const AFFILIATE: (ledger_counters::grp, ledger_counters::count, ledger_counters::amount) =
    (ledger_counters::grp, ledger_counters::count, ledger_counters::amount);

fn affiliate((name, count, amount): AffiliateRow) -> (String, Sum) {
    (name, read::sum(count, amount))
}

/// The newest entries of an account until `floor`.
fn newest(
    conn: &mut Conn,
    account: Account,
    floor: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Entry>> {
    let rows: Vec<read::EntryRow> = on_each!(conn, |c| ledger_entries::table
        .filter(ledger_entries::account.eq(account.as_str()))
        .filter(ledger_entries::at.le(At(floor)))
        .order((ledger_entries::at.desc(), ledger_entries::fact.desc()))
        .select(read::ENTRY)
        .limit(limit)
        .load(c))?;
    rows.into_iter().map(read::entry).collect()
}

fn by_id(conn: &mut Conn, ids: &[Uuid]) -> QueryResult<Vec<Fact>> {
    let ids: Vec<Id> = ids.iter().copied().map(Id).collect();
    let mut found = Vec::new();
    for part in ids.chunks(1_000) {
        let rows: Vec<(Id, At, JsonText)> = on_each!(conn, |c| facts::table
            .filter(facts::id.eq_any(part))
            .select((facts::id, facts::occurred_at, facts::body))
            .load(c))?;
        for (id, at, body) in rows {
            let kind = serde_json::from_str(&body.0)
                .map_err(|error| Error::DeserializationError(error.into()))?;
            found.push(Fact { id: id.0, occurred_at: at.0, kind });
        }
    }
    Ok(found)
}

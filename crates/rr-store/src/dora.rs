//! The figures of delivery, from what events told.

use std::time::Duration;

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
use rr_domain::Timestamp;
use rr_sync::dora::{Asked, Commits, Dora, Relevance, Told, Window, dora_of};

use crate::conn::{Conn, on_each};
use crate::schema::meanings;
use crate::types::{At, Id, JsonText};
use crate::{Store, StoreError};

/// What is told of this long before a window bears on it: steps of deployments, commits, incidents.
const LOOK_BACK: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How many are read at a time.
const PAGE: i64 = 500;

/// How much is in memory at once for one answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    /// Bytes of deployments and incidents, about.
    pub(crate) bytes: usize,
    /// Commits, each of about 150 bytes.
    pub(crate) commits: usize,
}

const MOST: Most = Most { bytes: 128 << 20, commits: 500_000 };

impl Store {
    /// The figures of a window for the places that are asked for; none where more bears on them than one
    /// answer may hold.
    pub async fn dora(&self, window: Window, asked: Asked) -> Result<Option<Dora>, StoreError> {
        self.dora_within(window, asked, MOST).await
    }

    pub(crate) async fn dora_within(
        &self,
        window: Window,
        asked: Asked,
        most: Most,
    ) -> Result<Option<Dora>, StoreError> {
        self.read_long(move |conn| match figures(conn, window, &asked, most) {
            Ok(dora) => Ok(Some(dora)),
            Err(Stop::TooMuch) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        })
        .await
    }
}

/// Why no figures were computed.
enum Stop {
    TooMuch,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

/// Incidents say which deployments of other places bear on the asked ones; deployments are read twice then.
/// Of changes, the most numerous, only their commits are held.
fn figures(conn: &mut Conn, window: Window, asked: &Asked, most: Most) -> Result<Dora, Stop> {
    let mut held = Held { told: Vec::new(), bytes: 0, most };
    each(conn, "incident", window, |one, length| held.add(one, length))?;
    let mut relevance = Relevance::new(asked.clone(), &held.told);
    if !relevance.keeps_all() {
        each(conn, "deployment", window, |one, _| {
            relevance.look(&one);
            Ok(())
        })?;
    }
    let mut commits = Commits::default();
    each(conn, "deployment", window, |one, length| {
        commits.tell(&one);
        if relevance.keeps(&one) { held.add(one, length) } else { Ok(()) }
    })?;
    each(conn, "change", window, |one, _| {
        if one.at < window.to {
            commits.tell(&one);
        }
        if commits.len() > most.commits { Err(Stop::TooMuch) } else { Ok(()) }
    })?;
    Ok(dora_of(&held.told, &commits, window, asked))
}

/// What is in memory.
struct Held {
    told: Vec<Told>,
    bytes: usize,
    most: Most,
}

impl Held {
    fn add(&mut self, one: Told, length: usize) -> Result<(), Stop> {
        self.bytes += length + size_of::<Told>();
        self.told.push(one);
        if self.bytes > self.most.bytes { Err(Stop::TooMuch) } else { Ok(()) }
    }
}

type Record = (i64, Id, At, JsonText);

/// Reads all meanings of a kind that bear on a window, in the order of their times, and how long each is.
fn each(
    conn: &mut Conn,
    kind: &str,
    window: Window,
    mut take: impl FnMut(Told, usize) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut after = (window.from.minus(LOOK_BACK), i64::MIN);
    loop {
        let page = page(conn, kind, after, window.to)?;
        let Some((seq, _, at, _)) = page.last() else { return Ok(()) };
        after = (at.0, *seq);
        for record in page {
            let length = record.3.0.len();
            take(read(record)?, length)?;
        }
    }
}

/// The next meanings of a kind after a place, of those that speak of something before `end`.
fn page(
    conn: &mut Conn,
    kind: &str,
    (at, seq): (Timestamp, i64),
    end: Timestamp,
) -> QueryResult<Vec<Record>> {
    // The first bound lets the index start at the right place.
    on_each!(conn, |c| meanings::table
        .select((meanings::event_seq, meanings::event_id, meanings::at, meanings::body))
        .filter(meanings::kind.eq(kind))
        .filter(meanings::at.ge(At(at)))
        .filter(meanings::at.gt(At(at)).or(meanings::event_seq.gt(seq)))
        .filter(meanings::began_at.lt(At(end)))
        .order((meanings::at, meanings::event_seq))
        .limit(PAGE)
        .load(c))
}

fn read((seq, event, at, body): Record) -> QueryResult<Told> {
    let meaning =
        serde_json::from_str(&body.0).map_err(|error| Error::DeserializationError(error.into()))?;
    Ok(Told { seq, event: event.0, at: at.0, meaning })
}

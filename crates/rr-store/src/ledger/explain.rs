//! The entries behind a figure, page by page.

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_sync::ledger::{Account, Entry};

use super::read;
use crate::conn::{Conn, on_each};
use crate::schema::ledger_entries;
use crate::sequence::Sequence;
use crate::types::{At, Id};
use crate::{Store, StoreError};

/// Where an entry stands among all: by its date, then by its posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPlace {
    /// Its date.
    pub at: Timestamp,
    /// The number of the posting that wrote it: the last fact in it.
    pub seq: i64,
    /// Its number within the posting.
    pub n: i64,
}

/// An entry and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedEntry {
    /// Where it stands.
    pub place: EntryPlace,
    /// The entry.
    pub entry: Entry,
}

/// Which entries.
#[derive(Debug, Clone)]
pub struct EntryFilter {
    /// Of these accounts.
    pub accounts: Vec<Account>,
    /// Dated from here on.
    pub from: Timestamp,
    /// Dated before.
    pub before: Timestamp,
    /// Posted until here. Later pages that keep to the version of the first one add up with it.
    pub seq: i64,
    /// Of the ledger that was made anew so often: the next one numbers its entries otherwise, so that a
    /// place in this one says nothing there.
    pub rebuilds: i64,
}

impl Store {
    /// The next entries after a place, in the order of their dates; fewer than `limit` at the end. An
    /// error if the ledger was made anew meanwhile.
    pub async fn entries(
        &self,
        filter: EntryFilter,
        after: Option<EntryPlace>,
        limit: u32,
    ) -> Result<Vec<PlacedEntry>, StoreError> {
        let read =
            self.read_long(move |conn| conn.snapshot(|conn| entries(conn, &filter, after, limit)));
        read.await?.ok_or_else(super::made_anew)
    }
}

fn entries(
    conn: &mut Conn,
    filter: &EntryFilter,
    after: Option<EntryPlace>,
    limit: u32,
) -> QueryResult<Option<Vec<PlacedEntry>>> {
    if Sequence::LedgerRebuilds.last(conn)? != filter.rebuilds {
        return Ok(None);
    }
    let mut found = Vec::new();
    for account in &filter.accounts {
        found.extend(of_account(conn, *account, filter, after, limit)?);
    }
    found.sort_by_key(|one| one.place);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Some(found))
}

type Row = (i64, i64, Id, String, String, At, i64, i64, Option<At>);

fn of_account(
    conn: &mut Conn,
    account: Account,
    filter: &EntryFilter,
    after: Option<EntryPlace>,
    limit: u32,
) -> QueryResult<Vec<PlacedEntry>> {
    let rows: Vec<Row> = on_each!(conn, |c| {
        let mut query = ledger_entries::table
            .filter(ledger_entries::account.eq(account.as_str()))
            .filter(ledger_entries::at.lt(At(filter.before)))
            .filter(ledger_entries::seq.le(filter.seq))
            .into_boxed();
        query = match after {
            None => query.filter(ledger_entries::at.ge(At(filter.from))),
            // The first half lets the index start at the right place.
            Some(EntryPlace { at, seq, n }) => query.filter(ledger_entries::at.ge(At(at))).filter(
                ledger_entries::at.gt(At(at)).or(ledger_entries::seq
                    .gt(seq)
                    .or(ledger_entries::seq.eq(seq).and(ledger_entries::n.gt(n)))),
            ),
        };
        query
            .order((ledger_entries::at, ledger_entries::seq, ledger_entries::n))
            .limit(i64::from(limit))
            .load(c)
    })?;
    rows.into_iter()
        .map(|(seq, n, fact, account, grp, at, count, amount, since)| {
            let place = EntryPlace { at: at.0, seq, n };
            let entry = read::entry((fact, account, grp, at, count, amount, since))?;
            Ok(PlacedEntry { place, entry })
        })
        .collect()
}

//! What late facts moved in the past.

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use rr_sync::ledger::Account;

use super::read;
use crate::conn::{Conn, on_each};
use crate::page::{cut, fetch_limit};
use crate::schema::restatements;
use crate::sequence::Sequence;
use crate::types::At;
use crate::{Cursor, Page, PageRequest, Store, StoreError};

/// A write that moved one group of an account in the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restatement {
    /// The number of the posting: the last fact in it.
    pub seq: i64,
    /// The account.
    pub account: Account,
    /// The group.
    pub group: String,
    /// The first date of what moved: from then on it is another.
    pub since: Timestamp,
    /// The last.
    pub until: Timestamp,
    /// By how many, all dates together.
    pub count: i64,
    /// By how much, all dates together.
    pub amount: i64,
    /// What was added; more than what is left where something was taken away at another date.
    pub gained: Gained,
    /// Because of so many facts.
    pub facts: i64,
    /// When the last of them was recorded.
    pub recorded_at: Timestamp,
}

/// What a write added to a group, whatever it took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gained {
    /// How many.
    pub count: i64,
    /// How much.
    pub amount: i64,
}

/// How many groups of one posting a cursor can tell apart.
const GROUPS: u128 = 1 << 32;

impl Store {
    /// Restatements, newest first, with the version of the ledger that they are of.
    pub async fn restatements(
        &self,
        page: PageRequest,
    ) -> Result<(i64, Page<Restatement>), StoreError> {
        // The tie-breaker of a cursor: the posting, and how many of its groups were shown.
        let last = page.cursor.map(|cursor| (cursor.tie / GROUPS, cursor.tie % GROUPS));
        let last = last.map(|(seq, shown)| {
            (i64::try_from(seq).unwrap_or(i64::MAX), i64::try_from(shown).unwrap_or(i64::MAX))
        });
        self.read(move |conn| {
            conn.snapshot(|conn| Ok((Sequence::Ledger.last(conn)?, read_page(conn, &page, last)?)))
        })
        .await
    }
}

/// A page that begins behind so many groups of a posting.
fn read_page(
    conn: &mut Conn,
    page: &PageRequest,
    last: Option<(i64, i64)>,
) -> QueryResult<Page<Restatement>> {
    let (seq, shown) = last.unwrap_or((i64::MAX, 0));
    let rows: Vec<Row> = on_each!(conn, |c| restatements::table
        .filter(restatements::seq.le(seq))
        .order((restatements::seq.desc(), restatements::account, restatements::grp))
        .offset(shown)
        .limit(fetch_limit(page))
        .load(c))?;
    let rows = rows.into_iter().map(restatement).collect::<QueryResult<Vec<_>>>()?;
    let mut page = cut(rows, page, |row| Cursor::after_seq(row.recorded_at, row.seq));
    if let (Some(next), Some(last)) = (&mut page.next, page.items.last()) {
        let of_last = page.items.iter().filter(|row| row.seq == last.seq).count();
        let before = if last.seq == seq { shown } else { 0 };
        let shown = u128::from(before.unsigned_abs()) + of_last as u128;
        next.tie = u128::from(last.seq.unsigned_abs()) * GROUPS + shown;
    }
    Ok(page)
}

type Row = (i64, String, String, At, i64, i64, i64, At, Option<At>, Option<i64>, Option<i64>);

fn restatement(
    (seq, account, group, since, count, amount, facts, recorded_at, until, more, worth): Row,
) -> QueryResult<Restatement> {
    let account = read::account(&account)?;
    // A server of before this was told apart says only what is left.
    let until = until.map_or(since.0, |until| until.0);
    let gained =
        Gained { count: more.unwrap_or(count.max(0)), amount: worth.unwrap_or(amount.max(0)) };
    let (since, recorded_at) = (since.0, recorded_at.0);
    Ok(Restatement { seq, account, group, since, until, count, amount, gained, facts, recorded_at })
}

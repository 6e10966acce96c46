//! Bodies of events as they were received. On PostgreSQL they are kept by the month of their arrival
//! (UTC): months to come are made ahead, and one that nobody keeps any more goes as a whole.

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::dsl::{exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use rr_domain::Timestamp;
use serde_json::json;

use super::keep::Limits;
use crate::conn::{Conn, PgConn, on_each};
use crate::schema::{events, webhook_sources};
use crate::sources::find_all;
use crate::types::{At, Id};
use crate::{Audit, Store, StoreError, WebhookSource};

/// What ties a body to its event. With the time of arrival PostgreSQL looks in one month only.
macro_rules! its_event {
    () => {
        $crate::schema::event_bodies::event_seq
            .eq($crate::schema::events::seq)
            .and($crate::schema::event_bodies::received_at.eq($crate::schema::events::received_at))
    };
}
pub(super) use its_event;

/// What a month's table is called before its year and month.
const PREFIX: &str = "event_bodies_";
/// How many months are made before they come.
const AHEAD: u16 = 2;

/// A calendar month of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Month {
    year: u16,
    month: u16,
}

impl Month {
    /// The month that an instant lies in.
    fn of(at: Timestamp) -> Option<Month> {
        let text = at.to_string();
        Some(Month { year: text.get(..4)?.parse().ok()?, month: text.get(5..7)?.parse().ok()? })
    }

    /// The month that a table holds.
    fn of_table(name: &str) -> Option<Month> {
        let (year, month) = name.strip_prefix(PREFIX)?.split_once('_')?;
        Some(Month { year: year.parse().ok()?, month: month.parse().ok()? })
    }

    fn after(self, months: u16) -> Month {
        let all = self.year * 12 + self.month - 1 + months;
        Month { year: all / 12, month: all % 12 + 1 }
    }

    fn table(self) -> String {
        format!("{PREFIX}{:04}_{:02}", self.year, self.month)
    }

    fn start(self) -> String {
        format!("{:04}-{:02}-01T00:00:00Z", self.year, self.month)
    }
}

impl Store {
    /// Makes the tables of this month and of the next ones, where bodies are kept by months. What came
    /// before its month's table was there moves into it.
    pub async fn prepare_months(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| {
            let Conn::Pg(c) = conn else { return Ok(()) };
            let Some(this) = Month::of(now) else { return Ok(()) };
            let there = tables(c)?;
            for month in (0..=AHEAD).map(|ahead| this.after(ahead)) {
                if !there.contains(&month.table()) {
                    make(c, month)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Removes the bodies of months of which no source keeps anything, as of the audit's instant; says
    /// how many months. Their events go afterwards, step by step like all others.
    pub async fn drop_months(&self, audit: Audit) -> Result<usize, StoreError> {
        let now = audit.at;
        // By a reader first: a month may have many events that nobody keeps, and on most days none is over.
        let found = self.read(move |conn| months_over(conn, now, |_| true)).await?;
        if found.is_empty() {
            return Ok(0);
        }
        self.write(move |conn| {
            // Sources may have been changed, and another process may have been quicker.
            let over = months_over(conn, now, |table| found.contains(table))?;
            for table in &over {
                // Who reads or writes bodies is waited for, but never for long.
                conn.batch("SET LOCAL lock_timeout = '2s'")?;
                conn.batch(&format!("DROP TABLE {table}"))?;
            }
            if !over.is_empty() {
                audit.record(conn, "events.months_dropped", None, &json!({ "tables": over }))?;
            }
            Ok(over.len())
        })
        .await
    }
}

/// Those of the tables asked for of which no source keeps anything.
fn months_over(
    conn: &mut Conn,
    now: Timestamp,
    asked: impl Fn(&String) -> bool,
) -> QueryResult<Vec<String>> {
    let Conn::Pg(c) = &mut *conn else { return Ok(Vec::new()) };
    let tables = tables(c)?;
    let sources = find_all(conn)?;
    let mut over = Vec::new();
    for table in tables.into_iter().filter(asked) {
        if let Some(month) = Month::of_table(&table)
            && is_over(conn, month, &sources, now)?
        {
            over.push(table);
        }
    }
    Ok(over)
}

/// The tables of months, the earliest first.
fn tables(c: &mut PgConn) -> QueryResult<Vec<String>> {
    let names = "SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
        WHERE inhparent = 'event_bodies'::regclass AND relname ~ '_[0-9]{4}_[0-9]{2}$' ORDER BY 1";
    sql::<Text>(names).get_results(c)
}

/// Filled before it becomes a part of the whole, so that nothing of it is in two places or in none.
fn make(c: &mut PgConn, month: Month) -> QueryResult<()> {
    let (table, start, end) = (month.table(), month.start(), month.after(1).start());
    c.batch_execute(&format!(
        "SET LOCAL lock_timeout = '2s';
         CREATE TABLE {table} (LIKE event_bodies INCLUDING ALL);
         WITH moved AS (
             DELETE FROM event_bodies_rest
             WHERE received_at >= '{start}' AND received_at < '{end}' RETURNING *
         ) INSERT INTO {table} SELECT * FROM moved;
         ALTER TABLE event_bodies ATTACH PARTITION {table} FOR VALUES FROM ('{start}') TO ('{end}')"
    ))
}

/// Whether every source whose events are in a month has given up all of it.
fn is_over(
    conn: &mut Conn,
    month: Month,
    sources: &[WebhookSource],
    now: Timestamp,
) -> QueryResult<bool> {
    let instant = |month: Month| Timestamp::parse(&month.start()).ok();
    let (Some(start), Some(end)) = (instant(month), instant(month.after(1))) else {
        return Ok(false);
    };
    let gives_up = |source: &&WebhookSource| {
        Limits::said_by(source).cutoff(now).is_some_and(|cutoff| cutoff >= end)
    };
    if !sources.iter().any(|source| gives_up(&source)) {
        return Ok(false);
    }
    for source in sources.iter().filter(|source| !gives_up(source)) {
        let within = events::table
            .filter(events::received_at.ge(At(start)))
            .filter(events::received_at.lt(At(end)));
        let keeps: bool = on_each!(conn, |c| match source.id {
            Some(id) => {
                select(exists(within.filter(events::webhook_source.eq(Id(id))))).get_result(c)
            }
            // A source that was removed keeps its events for as many days as the default one.
            None => {
                let known = webhook_sources::table.select(webhook_sources::id.nullable());
                let of_removed = events::webhook_source.ne_all(known);
                let own = events::webhook_source.is_null().or(of_removed);
                select(exists(within.filter(own))).get_result(c)
            }
        })?;
        if keeps {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_one_another_over_the_year() {
        let december = Month::of(Timestamp::parse("2026-12-31T23:59:59Z").unwrap()).unwrap();
        assert_eq!(december.table(), "event_bodies_2026_12");
        assert_eq!(december.start(), "2026-12-01T00:00:00Z");
        assert_eq!(december.after(1), Month { year: 2027, month: 1 });
        assert_eq!(december.after(14).table(), "event_bodies_2028_02");
        assert_eq!(Month::of_table("event_bodies_2026_12"), Some(december));
        assert_eq!(Month::of_table("event_bodies_rest"), None);
    }
}

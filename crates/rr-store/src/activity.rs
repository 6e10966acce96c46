//! The audit log, as people read it.

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::conn::{Conn, on_each};
use crate::page::{cut, fetch_limit};
use crate::schema::activity_log;
use crate::types::{At, Id, JsonText, raw_json};
use crate::{Cursor, Page, PageRequest, Store, StoreError};

/// One thing that somebody did.
#[derive(Debug, Clone)]
pub struct ActivityRow {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who: `administrator:<id>`, `key:<id>`, `command-line`, `system`, or imported text.
    pub actor: String,
    /// What, such as `key.created`.
    pub action: String,
    /// To what, such as `key:<id>`.
    pub subject: Option<String>,
    /// More about it; a JSON object.
    pub detail: Box<RawValue>,
    /// In answer to which request.
    pub request_id: Option<String>,
    /// From where.
    pub address: Option<String>,
}

/// A row of an older audit log, to be imported.
#[derive(Debug, Clone)]
pub struct NewActivity {
    /// Its id there (or derived from it): a second import of the same row changes nothing.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: Option<String>,
    /// More about it; a JSON object.
    pub detail: Box<RawValue>,
}

impl Store {
    /// The audit log, newest first.
    pub async fn activity(&self, page: PageRequest) -> Result<Page<ActivityRow>, StoreError> {
        self.read(move |conn| {
            let records: Vec<ActivityRecord> = on_each!(conn, |c| {
                let mut query =
                    activity_log::table.select(ActivityRecord::as_select()).into_boxed();
                if let Some(last) = page.cursor {
                    query = query.filter(activity_log::at.lt(At(last.at)).or(
                        activity_log::at.eq(At(last.at)).and(activity_log::seq.lt(last.seq())),
                    ));
                }
                query
                    .order((activity_log::at.desc(), activity_log::seq.desc()))
                    .limit(fetch_limit(&page))
                    .load(c)
            })?;
            let rows = records.into_iter().map(ActivityRecord::into_row);
            let rows = rows.collect::<QueryResult<Vec<_>>>()?;
            Ok(cut(rows, &page, |row| Cursor::after_seq(row.at, row.id)))
        })
        .await
    }
}

/// Brings rows of an older log in, inside the caller's transaction; says how many are new.
pub(crate) fn import(conn: &mut Conn, all: &[NewActivity]) -> QueryResult<usize> {
    let mut new = 0;
    for part in all.chunks(1_000) {
        let rows: Vec<ImportRecord<'_>> = part
            .iter()
            .map(|row| ImportRecord {
                import_id: Id(row.id),
                at: At(row.at),
                actor: &row.actor,
                action: &row.action,
                subject: row.subject.as_deref(),
                detail: JsonText(row.detail.get().to_owned()),
            })
            .collect();
        new += on_each!(conn, |c| diesel::insert_into(activity_log::table)
            .values(&rows)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(new)
}

#[derive(Insertable)]
#[diesel(table_name = activity_log, treat_none_as_default_value = false)]
struct ImportRecord<'a> {
    import_id: Id,
    at: At,
    actor: &'a str,
    action: &'a str,
    subject: Option<&'a str>,
    detail: JsonText,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = activity_log)]
struct ActivityRecord {
    seq: i64,
    at: At,
    actor: String,
    action: String,
    subject: Option<String>,
    detail: JsonText,
    request_id: Option<String>,
    address: Option<String>,
}

impl ActivityRecord {
    fn into_row(self) -> QueryResult<ActivityRow> {
        Ok(ActivityRow {
            id: self.seq,
            at: self.at.0,
            actor: self.actor,
            action: self.action,
            subject: self.subject,
            detail: raw_json(self.detail)?,
            request_id: self.request_id,
            address: self.address,
        })
    }
}

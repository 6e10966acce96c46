//! The seven old tables, one file each: which columns they have and what a row becomes.

mod activity_log;
mod api_keys;
mod commissions;
mod subscriptions;
mod tripwire_purchases;
mod users;
mod webhook_log;

use rr_domain::{Fact, FactKind, Timestamp, imported_id};
use uuid::Uuid;

use super::fault::Fault;
use super::reader::{Column, Row};
use super::seen::Seen;
use crate::bulk::Item;

/// An old table.
pub(super) struct Table {
    /// Its file.
    pub(super) file: &'static str,
    pub(super) columns: &'static [Column],
    /// What a row becomes, or what is wrong with it.
    pub(super) convert: fn(&Row<'_>, &mut Seen) -> Result<Vec<Item>, Fault>,
}

/// In the order in which they are written: whom the later ones speak of is there already.
pub(super) const TABLES: [Table; 7] = [
    users::TABLE,
    subscriptions::TABLE,
    tripwire_purchases::TABLE,
    commissions::TABLE,
    api_keys::TABLE,
    webhook_log::TABLE,
    activity_log::TABLE,
];

/// The id of a row in its old table; the same for every spelling of the same UUID.
fn row_id(row: &Row<'_>, seen: &mut Seen) -> Result<String, Fault> {
    let id = row.required("id", |text| {
        if text.len() > 200 {
            return Err("is longer than 200 bytes".to_owned());
        }
        Ok(Uuid::try_parse(text).map_or_else(|_| text.to_owned(), |id| id.to_string()))
    })?;
    seen.once("id", &id)?;
    Ok(id)
}

/// A fact that follows from an old row; its id is derived, so the same row gives the same fact.
fn fact(table: &str, row_id: &str, what: &str, occurred_at: Timestamp, kind: FactKind) -> Item {
    let id = imported_id("facts", &format!("{table}/{row_id}/{what}"));
    Item::Fact(Fact { id, occurred_at, kind })
}

//! `webhook_log.csv`: an event as the old server kept it.

use rr_domain::imported_id;
use rr_store::NewEvent;
use rr_webhooks::understand;

use super::{Fault, Item, Row, Seen, Table, row_id};
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "webhook_log.csv",
    columns: &[
        needed("id"),
        optional("source"),
        needed("event_type"),
        needed("data"),
        needed("created_at"),
    ],
    convert,
};

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let data = row.required("data", field::json_object)?;
    let event_type = row.optional("event_type", name)?.unwrap_or_else(|| "unknown".to_owned());
    let source = row.optional("source", name)?.unwrap_or_else(|| "devops".to_owned());
    let event = NewEvent {
        id: imported_id("webhook_log", &old_id),
        key_id: None,
        webhook_source: None,
        received_at: row.required("created_at", field::timestamp)?,
        occurred_at: None,
        meaning: understand(&event_type, &source, &data),
        event_type,
        source,
        body: data.get().as_bytes().to_vec(),
        data,
        content_type: "application/json".to_owned(),
    };
    Ok(vec![Item::Event(event)])
}

fn name(text: &str) -> Result<String, String> {
    if text.chars().count() <= 200 && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("must be at most 200 characters without control characters".to_owned())
    }
}

//! `activity_log.csv`: a row of the old audit log.

use rr_domain::imported_id;
use rr_store::NewActivity;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::{Fault, Item, Row, Seen, Table, row_id};
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "activity_log.csv",
    columns: &[
        needed("id"),
        needed("type"),
        optional("description"),
        optional("metadata"),
        needed("created_at"),
    ],
    convert,
};

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let metadata = row.optional("metadata", field::json_object)?;
    let detail = to_raw_value(&json!({
        "description": row.text("description")?.unwrap_or_default(),
        "metadata": metadata,
    }))
    .map_err(|_| Fault::new("metadata", "is not a JSON object"))?;
    let activity = NewActivity {
        id: imported_id("activity_log", &old_id),
        at: row.required("created_at", field::timestamp)?,
        actor: "imported".to_owned(),
        action: row.required("type", |text| Ok(text.to_owned()))?,
        subject: None,
        detail,
    };
    Ok(vec![Item::Activity(activity)])
}

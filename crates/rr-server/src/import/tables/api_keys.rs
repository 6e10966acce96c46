//! `api_keys.csv`: a key by the hash of its secret, so it goes on working and stays unknown to us.

use rr_domain::imported_id;
use rr_keys::{KeyHash, KeyRecord, PermissionSet};
use rr_store::{NewKey, SecretHash};

use super::{Fault, Item, Row, Seen, Table, row_id};
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "api_keys.csv",
    columns: &[
        needed("id"),
        needed("api_key"),
        optional("user_id"),
        optional("name"),
        needed("permissions"),
        needed("created_at"),
        needed("expires_at"),
        optional("last_used"),
        needed("is_active"),
        optional("created_by"),
    ],
    convert,
};

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let hash = row.required("api_key", hash)?;
    let created_at = row.required("created_at", field::timestamp)?;
    let name = row.optional("name", name)?.unwrap_or_else(|| "DevOps Integration Key".to_owned());
    let record = KeyRecord {
        owner: row.text("user_id")?.map(str::to_owned),
        // Null is the empty set, which grants nothing: the old server refused such a key too.
        permissions: row.optional("permissions", permissions)?.unwrap_or_default(),
        expires_at: row.optional("expires_at", field::timestamp)?.map(|at| at.to_system_time()),
        enabled: row.optional("is_active", field::truth)?.unwrap_or(true),
        ..KeyRecord::new(imported_id("api_keys", &old_id), name, created_at.to_system_time())
    };
    let last_used_at = row.optional("last_used", field::timestamp)?;
    let created_by = row.text("created_by")?.unwrap_or("import").to_owned();
    seen.once("api_key", row.text("api_key")?.unwrap_or_default())?;
    // Only the hash is known, and all old keys start like this.
    let hint = "rr_".to_owned();
    Ok(vec![Item::Key(NewKey { record, hash, hint, created_by, last_used_at })])
}

/// The field is never repeated in the reason: if it is not a hash, it may be a key.
fn hash(text: &str) -> Result<SecretHash, String> {
    KeyHash::from_hex(&text.to_ascii_lowercase())
        .map(SecretHash::plain)
        .map_err(|_| "is not a SHA-256 in 64 hexadecimal digits".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    if text.chars().count() <= 100 && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 100 characters without control characters".to_owned())
    }
}

fn permissions(text: &str) -> Result<PermissionSet, String> {
    field::list(text)?
        .into_iter()
        .map(|name| crate::permission::parse(&name).map(|_| name))
        .collect()
}

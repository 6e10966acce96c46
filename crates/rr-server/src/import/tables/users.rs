//! `users.csv`: a user, and the fact that it was created.

use rr_domain::{FactKind, Label, imported_id};
use rr_store::NewUser;

use super::{Fault, Item, Row, Seen, Table, fact, row_id};
use crate::email::Email;
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "users.csv",
    columns: &[
        needed("id"),
        needed("email"),
        needed("role"),
        optional("plan"),
        needed("status"),
        needed("created_at"),
        optional("updated_at"),
    ],
    convert,
};

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let email = row.required("email", |text| Email::parse(text).map_err(str::to_owned))?;
    let created_at = row.required("created_at", field::timestamp)?;
    let user = NewUser {
        id: imported_id("users", &old_id),
        email: email.as_str().to_owned(),
        // The old table let both be null and its server read null as these.
        role: row.optional("role", field::label)?.unwrap_or(Label::MEMBER),
        plan: row.optional("plan", field::label)?,
        status: row.optional("status", field::label)?.unwrap_or(Label::ACTIVE),
        password_hash: None,
        created_at,
        updated_at: row.optional("updated_at", field::timestamp)?.unwrap_or(created_at),
    };
    seen.once("email", email.as_str())?;
    let created = FactKind::UserCreated {
        user: user.id,
        role: user.role.clone(),
        status: user.status.clone(),
    };
    Ok(vec![Item::User(user), fact("users", &old_id, "created", created_at, created)])
}

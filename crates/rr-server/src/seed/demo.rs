//! The demo data: two users, one subscription, one commission.

use rr_domain::Label;
use rr_store::{Audit, ImportBatch, NewUser, Store};
use rr_sync::demo;

use crate::bulk::Written;
use crate::config::admin::AdminConfig;
use crate::failure::Failure;

/// Who the demo's administrator is, unless `RR_ADMIN_EMAIL` says otherwise.
pub(crate) const ADMIN_EMAIL: &str = "admin@example.com";
const MEMBER_EMAIL: &str = "member@example.com";

/// Writes the demo data; what is there already stays as it is.
pub(crate) async fn demo(
    store: &Store,
    admin: &AdminConfig,
    audit: Audit,
) -> Result<Written, Failure> {
    let user = |id, email: &str, role, plan, created_at| NewUser {
        id,
        email: email.to_owned(),
        role,
        plan,
        status: Label::ACTIVE,
        password_hash: None,
        created_at,
        updated_at: created_at,
    };
    let admin_email = admin.email.as_ref().map_or(ADMIN_EMAIL, |email| email.as_str());
    let (admin_at, member_at) = (demo::admin_created_at(), demo::member_created_at());
    let users = vec![
        user(demo::admin_id(), admin_email, Label::ADMIN, None, admin_at),
        user(demo::member_id(), MEMBER_EMAIL, Label::MEMBER, Some(Label::MEMBERSHIP), member_at),
    ];
    let batch = ImportBatch { users, facts: demo::facts(), ..ImportBatch::default() };
    let counts = store.import_batch(batch, audit).await?;
    Ok(Written { users: counts.users, facts: counts.facts, ..Written::default() })
}

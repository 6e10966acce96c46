//! The whole judgement of a key, as a function of what is known.

use std::time::SystemTime;

use crate::{Denial, KeyRecord, Request};

/// Judges a key. Pure and total: no clock, no I/O, the same answer for the same arguments.
///
/// What the holder cannot mend comes first (revoked, disabled, time), then where it is used from, then what
/// it may do. Rates are not judged here, for they depend on the requests before; the
/// [`Verifier`](crate::Verifier) adds them.
pub fn decide(record: &KeyRecord, request: &Request<'_>, now: SystemTime) -> Result<(), Denial> {
    if record.revoked_at.is_some() {
        return Err(Denial::Revoked);
    }
    if !record.enabled {
        return Err(Denial::Disabled);
    }
    if record.expires_at.is_some_and(|end| now >= end) {
        return Err(Denial::Expired);
    }
    if record.secret_ends_at.is_some_and(|end| now >= end) {
        return Err(Denial::Superseded);
    }
    if record.not_before.is_some_and(|start| now < start) {
        return Err(Denial::NotYetValid);
    }
    if !record.allowed_ips.allows(request.address) {
        return Err(Denial::AddressNotAllowed);
    }
    match request.permission {
        Some(permission) if !record.permissions.allows(permission) => Err(missing(permission)),
        _ => Ok(()),
    }
}

/// Kept apart and cold: it allocates, and the way to a grant must not.
#[cold]
fn missing(permission: &str) -> Denial {
    Denial::MissingPermission {
        required: permission.to_owned(),
        missing: vec![permission.to_owned()],
    }
}

//! Figures that changed.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use rr_domain::Timestamp;

use crate::figures::{Part, Rendered};
use crate::problem::Outcome;

/// A change of figures.
pub(super) struct Change {
    /// The figures before it, and the difference, written out once for all who knew them.
    before: Option<(Arc<Rendered>, Bytes)>,
    after: Arc<Rendered>,
}

impl Change {
    /// The change to these figures from whatever somebody may know.
    pub(super) fn to(after: &Arc<Rendered>) -> Change {
        Change { before: None, after: Arc::clone(after) }
    }

    /// The change from one to the other, if there is one that anybody could see.
    pub(super) fn between(
        before: &Arc<Rendered>,
        after: &Arc<Rendered>,
        now: Timestamp,
    ) -> Outcome<Option<Change>> {
        let parts = changed_parts(Some(before), after, now)?;
        let change =
            |parts| Change { before: Some((Arc::clone(before), parts)), after: Arc::clone(after) };
        Ok(parts.map(change))
    }

    /// What a reader that was shown `shown` has to be told, and what it knows then.
    pub(super) fn news_for(
        &self,
        shown: &Arc<Rendered>,
        now: Timestamp,
    ) -> Outcome<Option<(Arc<Rendered>, Option<Bytes>)>> {
        // A reader that came just now may know better already.
        if shown.tag() == self.after.tag() || self.after.version() < shown.version() {
            return Ok(None);
        }
        // By what they say: of two who ask for the same figures at one moment each may have written them out.
        let parts = match &self.before {
            Some((before, parts)) if shown.tag() == before.tag() => Some(parts.clone()),
            _ => changed_parts(Some(shown), &self.after, now)?,
        };
        Ok(Some((Arc::clone(&self.after), parts)))
    }
}

/// An object of the figures that differ, by the name of their endpoint; `None` if none does.
pub(super) fn changed_parts(
    before: Option<&Rendered>,
    after: &Rendered,
    now: Timestamp,
) -> Outcome<Option<Bytes>> {
    let mut json = BytesMut::new();
    for (name, part) in Part::ALL {
        if before.is_some_and(|before| before.is_like(after, part)) {
            continue;
        }
        json.put_u8(if json.is_empty() { b'{' } else { b',' });
        json.put_slice(format!("\"{name}\":").as_bytes());
        json.put_slice(&after.body(part)?.at(now));
    }
    if json.is_empty() {
        return Ok(None);
    }
    json.put_u8(b'}');
    Ok(Some(json.freeze()))
}

//! One cached key.

use crate::KeyRecord;

pub(crate) struct Entry {
    pub(super) record: KeyRecord,
}

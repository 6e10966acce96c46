//! Ids: UUIDv7 for new rows, UUIDv5 for rows that come from elsewhere with an id of their own.

use uuid::{Builder, Uuid};

use crate::{Random, Timestamp};

/// A new id (UUIDv7, RFC 9562 §5.7): its first 48 bits are the time, so an index grows at its end.
pub fn new_id(now: Timestamp, random: &Random) -> Uuid {
    let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random.bytes()).into_uuid()
}

/// The id of an imported row: a UUID stays as it is, any other text (the old server wrote `1`)
/// becomes a UUIDv5 of table and text, so a second import of the same row finds the first.
pub fn imported_id(table: &str, id: &str) -> Uuid {
    /// Chosen once; changing it would make a second import a first one.
    const NAMESPACE: Uuid = Uuid::from_u128(0x2f0d_51a2_6f5c_4d53_9a65_7d1f_3c0b_8e47);
    Uuid::try_parse(id)
        .unwrap_or_else(|_| Uuid::new_v5(&NAMESPACE, format!("{table}\n{id}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_id_is_a_version_7_that_sorts_by_time() {
        let random = Random::new(|buffer| buffer.fill(0xff));
        let earlier = new_id(Timestamp::from_seconds(1_700_000_000).unwrap(), &random);
        let later = new_id(Timestamp::from_seconds(1_700_000_001).unwrap(), &random);
        assert_eq!(earlier.get_version_num(), 7);
        assert!(earlier < later);
    }

    #[test]
    fn an_imported_id_is_stable_and_keeps_uuids() {
        let own = "018f2b5e-0000-7000-8000-000000000001";
        assert_eq!(imported_id("users", own).to_string(), own);
        assert_eq!(imported_id("users", "1"), imported_id("users", "1"));
        assert_ne!(imported_id("users", "1"), imported_id("commissions", "1"));
    }
}

//! Reading single members of a body that stays as it is.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::Refusal;

/// The members of a checked body that `T` names.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a RawValue) -> Result<T, Refusal> {
    if !body.get().starts_with('{') {
        return Err(Refusal::NotAnObject);
    }
    serde_json::from_str(body.get()).map_err(|_| Refusal::NotAnObject)
}

/// Keeps a member that is null apart from one that is not there.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The text of a member, if it is one.
pub(crate) fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

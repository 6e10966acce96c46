//! Short names that group figures: roles, statuses, plans, tiers.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A role, status, plan or tier: 1 to 64 characters without control characters or surrounding
/// space. The set is open, because an installation invents tiers without asking us.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(Cow<'static, str>);

/// A text that cannot name a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 characters, without control characters or surrounding space")]
pub struct LabelError;

impl Label {
    /// The role that may sign in to the panel.
    pub const ADMIN: Label = Label(Cow::Borrowed("admin"));
    /// The role of a user who bought nothing but a membership.
    pub const MEMBER: Label = Label(Cow::Borrowed("member"));
    /// The status of a user in good standing.
    pub const ACTIVE: Label = Label(Cow::Borrowed("active"));
    /// The tier of the plain membership.
    pub const MEMBERSHIP: Label = Label(Cow::Borrowed("membership"));
    /// The tier under which a one-off tripwire sale is booked.
    pub const TRIPWIRE: Label = Label(Cow::Borrowed("tripwire"));

    /// Checks and keeps `text`.
    pub fn parse(text: &str) -> Result<Label, LabelError> {
        let fits = (1..=64).contains(&text.chars().count());
        if fits && text.trim() == text && !text.chars().any(char::is_control) {
            Ok(Label(Cow::Owned(text.to_owned())))
        } else {
            Err(LabelError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Label::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_and_refuses_noise() {
        for good in ["admin", "pro_reseller", "Gold", "été", &"x".repeat(64)] {
            assert_eq!(Label::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " admin", "admin ", "a\nb", "a\0", &"x".repeat(65)] {
            assert_eq!(Label::parse(bad), Err(LabelError), "{bad:?}");
        }
    }
}

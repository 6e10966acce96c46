//! Passwords: argon2id, one computation per core at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use rr_domain::Random;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::codes::Code;
use crate::limits::Limits;
use crate::problem::{Outcome, Problem};

/// Memory of one computation, in KiB (19 MiB).
const MEMORY: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Characters of a new password: the least of OWASP ASVS 5.0, 6.2.1, which advises 15.
const SHORTEST: usize = 8;

/// A password that cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nobody should be let in by it.
    #[error("a password must have at least 8 characters")]
    TooShort,
    /// Hashing it would cost more than a password is worth.
    #[error("a password may have at most 1024 bytes")]
    TooLong,
    /// The hash function refused, which its fixed parameters exclude.
    #[error("the password could not be hashed")]
    Hash,
}

/// Whether a new password is one that may be set.
pub fn check_password(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < SHORTEST {
        return Err(PasswordError::TooShort);
    }
    if password.len() > Limits::STANDARD.password_bytes {
        return Err(PasswordError::TooLong);
    }
    Ok(())
}

/// Hashes a new password for the store (PHC text). Takes some 20 ms and 19 MiB.
pub fn hash_password(password: &str, random: &Random) -> Result<String, PasswordError> {
    check_password(password)?;
    hash(password, random.bytes())
}

fn hash(password: &str, salt: [u8; 16]) -> Result<String, PasswordError> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|_| PasswordError::Hash)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| PasswordError::Hash)
}

/// Checks passwords without blocking a worker and without letting many callers take all memory.
#[derive(Debug)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    /// Salt for the work that is done for users who are not there.
    decoy_salt: [u8; 16],
}

impl Passwords {
    pub(crate) fn new(random: &Random) -> Passwords {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Passwords { permits: Arc::new(Semaphore::new(cores)), decoy_salt: random.bytes() }
    }

    /// Whether `password` belongs to `stored`. Without a stored hash the same work is done for
    /// nothing, so that the time of the answer does not tell who has an account. `salt` is for a
    /// hash that is to replace a weaker one.
    pub(crate) async fn check(
        self: &Passwords,
        password: Zeroizing<String>,
        stored: Option<String>,
        salt: [u8; 16],
    ) -> Outcome<Checked> {
        let closed = || Problem::new(Code::Internal);
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let decoy_salt = self.decoy_salt;
        let checked = tokio::task::spawn_blocking(move || {
            // The permit lives here and not in the request: a caller who hangs up must not make
            // room for the next one while the computation still runs.
            let _permit = permit;
            match stored {
                Some(stored) => judge(&password, &stored, salt),
                None => {
                    let _ = std::hint::black_box(hash(&password, decoy_salt));
                    Checked::Wrong
                }
            }
        });
        checked.await.map_err(|_| closed())
    }
}

/// What became of a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is not the one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, and it was stored with less work than we ask for: this is to replace it.
    RightButWeak(String),
}

/// Checks against a stored hash, whose parameters may cost at most a few times our own: a forged
/// row must not be able to take the memory of the machine.
fn judge(password: &str, stored: &str, salt: [u8; 16]) -> Checked {
    let Ok(parsed) = PasswordHash::new(stored) else { return Checked::Wrong };
    let Ok(params) = Params::try_from(&parsed) else { return Checked::Wrong };
    let affordable = params.m_cost() <= 8 * MEMORY && params.t_cost() <= 16 && params.p_cost() <= 8;
    if !affordable || Argon2::default().verify_password(password.as_bytes(), &parsed).is_err() {
        return Checked::Wrong;
    }
    let is_weak = params.m_cost() < MEMORY
        || params.t_cost() < PASSES
        || parsed.algorithm != Algorithm::Argon2id.ident();
    // One that cannot be made now can be made at the next sign-in.
    let stronger = if is_weak { hash(password, salt).ok() } else { None };
    stronger.map_or(Checked::Right, Checked::RightButWeak)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> Random {
        Random::new(|buffer| buffer.fill(3))
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let passwords = Passwords::new(&random());
        let stored = hash_password("correct horse battery", &random()).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let check = async |password: &str, stored: Option<&str>| {
            let password = Zeroizing::new(password.to_owned());
            passwords.check(password, stored.map(str::to_owned), [5; 16]).await.unwrap()
        };
        assert_eq!(check("correct horse battery", Some(&stored)).await, Checked::Right);
        assert_eq!(check("correct horse batterz", Some(&stored)).await, Checked::Wrong);
        assert_eq!(check("correct horse battery", None).await, Checked::Wrong);
        assert_eq!(check("x", Some("not a hash")).await, Checked::Wrong);
    }

    #[test]
    fn a_hash_that_costs_too_much_is_not_computed() {
        let dear = "$argon2id$v=19$m=4194304,t=2,p=1$AwMDAwMDAwMDAwMDAwMDAw$\
                    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(judge("x", dear, [5; 16]), Checked::Wrong);
    }

    #[test]
    fn a_hash_of_less_work_is_replaced_by_one_of_ours() {
        let weak = |algorithm, memory, passes| {
            let params = Params::new(memory, passes, 1, None).unwrap();
            let argon2 = Argon2::new(algorithm, Version::V0x13, params);
            argon2.hash_password_with_salt(b"correct", &[3; 16]).unwrap().to_string()
        };
        for (algorithm, memory, passes) in [
            (Algorithm::Argon2id, MEMORY / 2, PASSES),
            (Algorithm::Argon2id, MEMORY, 1),
            (Algorithm::Argon2i, MEMORY, PASSES),
        ] {
            let stored = weak(algorithm, memory, passes);
            assert_eq!(judge("wrong", &stored, [5; 16]), Checked::Wrong);
            let Checked::RightButWeak(stronger) = judge("correct", &stored, [5; 16]) else {
                panic!("{stored} is kept");
            };
            assert_eq!(judge("correct", &stronger, [5; 16]), Checked::Right);
        }
        let stronger = weak(Algorithm::Argon2id, 2 * MEMORY, PASSES);
        assert_eq!(judge("correct", &stronger, [5; 16]), Checked::Right, "it is left alone");
    }

    #[test]
    fn a_new_password_has_bounds() {
        assert_eq!(hash_password("short", &random()), Err(PasswordError::TooShort));
        assert_eq!(hash_password(&"x".repeat(1025), &random()), Err(PasswordError::TooLong));
    }
}

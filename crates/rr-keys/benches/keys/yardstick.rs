//! What a check is held against: the parts that nobody can do without.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest as _, Sha256};

use crate::keys::Keys;

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The quickest plain map: a digest needs no further hashing.
pub(crate) struct PlainMap(HashMap<[u8; 32], u64, BuildHasherDefault<Prefix>>);

impl PlainMap {
    pub(crate) fn of(keys: &Keys) -> Self {
        Self((0..keys.len()).zip(0..).map(|(n, value)| (sha256(keys.text(n)), value)).collect())
    }

    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<&u64> {
        self.0.get(hash)
    }
}

/// The first eight bytes of a digest are as good a hash as any.
#[derive(Default)]
pub(crate) struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(prefix) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*prefix);
        }
    }
}

//! What a key system must do where others are known to fail, each behaviour under its letter: its tests say
//! the letter in their documentation.
//!
//! | | behaviour | tests |
//! |---|---|---|
//! | (a) | every key parses back, with any prefix | `format::tests` |
//! | (b) | who keeps to the average is never refused | `limit::meter`, `quotas` |
//! | (c) | limits and quotas are exact under concurrency | `limit::meter`, `limits`, `quotas` |
//! | (d) | writes do not grow with verifications | `usage` |
//! | (e) | rotation lengthens and revives nothing, shares limits | `rotation`, `quotas` |
//! | (f) | a change made elsewhere is noticed in time | `caching` |
//! | (g) | a paused reader resurrects nothing | `revocation` |
//! | (h) | no permissions, no access | `decide`, `permissions` |
//! | (i) | networks match exactly | `allow_list` |
//! | (j) | cost does not grow with the number of keys | `flat` |
//! | (k) | a flood of unknown keys harms nobody | `flood` |
//! | (l) | peppers change, keys stay | `peppers` |
//! | (m) | the secret is printed nowhere | `secrecy` |
//! | (n) | nothing is told to who shows no credential | `adapters::table` |
//!
//! The server has its own tests of those that concern several nodes, a proxy, a database or its log.

mod allocation;
mod caching;
mod flat;
mod flood;
mod life;
mod limits;
mod peppers;
mod quotas;
mod revocation;
mod rotation;
mod secrecy;
mod tools;
mod usage;
mod vectors;

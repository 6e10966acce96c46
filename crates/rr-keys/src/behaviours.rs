//! What a key system must do where others are known to fail, each behaviour under its name.

mod allocation;
mod caching;
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

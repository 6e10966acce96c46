#![doc = include_str!("../README.md")]

mod accept;
mod cloudevents;
mod github;
mod headers;
mod json;
mod media;
mod members;
mod refusal;
mod secret;
mod signature;

pub use accept::{Accepted, Dedupe, Event, Incoming, Policy, accept};
pub use github::{AlertRefusal, GithubKeys, GithubKeysError, SecretAlert};
pub use json::{JsonFault, JsonFaultKind, JsonLimits, check_json};
pub use refusal::Refusal;
pub use secret::{SecretError, WebhookSecret};

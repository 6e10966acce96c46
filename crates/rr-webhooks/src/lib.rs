#![doc = include_str!("../README.md")]

mod accept;
mod event;
mod formats;
mod github;
mod handshake;
mod headers;
mod json;
mod lines;
mod media;
mod refusal;
mod report;
mod secret;
mod signature;
mod view;

pub use accept::{Incoming, Policy, accept};
pub use event::{Dedupe, Event};
pub use formats::{Format, understand};
pub use github::{AlertRefusal, GithubKeys, GithubKeysError, SecretAlert};
pub use handshake::{Handshake, handshake};
pub use json::{JsonFault, JsonFaultKind, JsonLimits, check_json};
pub use lines::{Line, MOST_LINES, accept_lines};
pub use refusal::Refusal;
pub use report::accept_report;
pub use rr_domain::{
    Alert, AlertState, Build, Change, Commit, Deployment, Incident, IncidentState, Meaning,
    Progress, Trigger,
};
pub use secret::{SecretError, WebhookSecret};
pub use signature::{SignatureHint, diagnose, is_signed, is_signed_with};

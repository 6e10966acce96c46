//! Where webhooks come from: made, listed, changed, given and relieved of secrets.

pub(crate) mod add_secret;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod retire_secret;

mod fields;
mod view;

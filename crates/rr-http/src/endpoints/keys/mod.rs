//! API keys: made, listed, changed, rotated, revoked, and reported when their secrets became public.

pub(crate) mod change;
pub(crate) mod generate;
pub(crate) mod github_alerts;
pub(crate) mod list;
pub(crate) mod report_leak;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;

mod fields;
mod limits;
mod quotas;
mod usage;
mod view;

pub(crate) use fields::present;
pub use view::{Key, KeyStatus};

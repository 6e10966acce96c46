//! Data to look at: the demo, and invented histories of any size.

mod account;
mod arrival;
mod billing;
mod calendar;
mod change;
mod commission;
mod deal;
mod demo;
mod dice;
mod history;
mod life;
mod people;
mod price;
mod sale;
mod signups;

pub(crate) use demo::{ADMIN_EMAIL, demo};
pub(crate) use history::{History, Plan};

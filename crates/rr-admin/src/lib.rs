#![doc = include_str!("../README.md")]

mod answer;
mod assets;
mod headers;
mod page;
mod panel;

pub use panel::{PANEL_PATH, Panel};

//! Rebuilds the crate when the built panel changes, where the panel is embedded.
//!
//! Debug builds read `ui/dist` when they run, so they must not be rebuilt for it (and cargo would
//! rebuild them each time while the folder is absent).

fn main() {
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let watched = if release { "ui/dist" } else { "build.rs" };
    println!("cargo::rerun-if-changed={watched}");
}

//! Rebuilds the crate when the built panel changes, where the panel is embedded.
//!
//! Debug builds read `ui/dist` when they run, so they must not be rebuilt for it (and cargo would rebuild them each
//! time while the folder is absent).

fn main() {
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let watched = if release { "ui/dist" } else { "build.rs" };
    // Instructions to cargo are lines on standard output: there is no other way to give them.
    #[expect(clippy::print_stdout, reason = "cargo reads build instructions from standard output")]
    {
        println!("cargo::rerun-if-changed={watched}");
    }
}

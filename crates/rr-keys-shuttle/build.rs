//! Turns the switch in `rr-keys/src/sync.rs`, for this package and no other.

fn main() {
    println!("cargo::rustc-cfg=rr_shuttle");
    // The features of rr-keys, none of which is on here.
    println!("cargo::rustc-check-cfg=cfg(feature, values(any()))");
    println!("cargo::rerun-if-changed=build.rs");
}

//! One target under libFuzzer: that which `RR_FUZZ_TARGET` names.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static RUN: LazyLock<fn(&[u8]) -> bool> = LazyLock::new(|| {
    let name = std::env::var("RR_FUZZ_TARGET").expect("RR_FUZZ_TARGET names a target");
    let target = rr_fuzz::TARGETS.iter().find(|target| target.name == name);
    target.expect("RR_FUZZ_TARGET is not in the table").run
});

fuzz_target!(|bytes: &[u8]| {
    (*RUN)(bytes);
});

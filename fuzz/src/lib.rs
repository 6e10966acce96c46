//! Fuzz targets for everything that reads what strangers send.
//!
//! A target is a plain function: bytes in, and a panic where a law is broken. The laws are written down a
//! second time, slowly and without regard to what the code under test does: what is accepted is exactly what
//! the slow rule accepts, what is built reads back, and no answer is longer than it should be. `tests/` drives
//! every target with its seeds in `corpus/` and some thousand seeded damages of them; `cargo xtask fuzz` drives
//! one with libFuzzer, which looks for new paths.

mod keys;
mod request;
mod webhooks;

/// Something to be driven with bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of the folder with its seeds.
    pub name: &'static str,
    /// Panics where a law is broken; says whether the bytes were taken for what the target reads.
    pub run: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "key_text", run: keys::text::run },
    Target { name: "key_header", run: keys::header::run },
    Target { name: "json", run: webhooks::json::run },
    Target { name: "lines", run: webhooks::lines::run },
    Target { name: "secret", run: webhooks::secret::run },
    Target { name: "alerts", run: webhooks::alerts::run },
    Target { name: "alert_keys", run: webhooks::alerts::keys },
    Target { name: "format_free", run: webhooks::formats::free },
    Target { name: "format_cloudevents", run: webhooks::formats::cloudevents },
    Target { name: "format_cdevents", run: webhooks::formats::cdevents },
    Target { name: "format_github", run: webhooks::formats::github },
    Target { name: "format_gitlab", run: webhooks::formats::gitlab },
    Target { name: "format_alertmanager", run: webhooks::formats::alertmanager },
    Target { name: "format_pagerduty", run: webhooks::formats::pagerduty },
    Target { name: "format_argocd", run: webhooks::formats::argocd },
    Target { name: "format_standard", run: webhooks::formats::standard },
    Target { name: "signature_standard", run: webhooks::signatures::standard },
    Target { name: "signature_svix", run: webhooks::signatures::svix },
    Target { name: "signature_stripe", run: webhooks::signatures::stripe },
    Target { name: "signature_github", run: webhooks::signatures::github },
    Target { name: "signature_pagerduty", run: webhooks::signatures::pagerduty },
    Target { name: "signature_plain", run: webhooks::signatures::plain },
];

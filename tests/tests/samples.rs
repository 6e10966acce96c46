//! One good request for every endpoint with a body, and every query parameter there is: what the
//! sweeps of bad input start from. The coverage test fails when a route is missing here.

use serde_json::{Value, json};

/// An endpoint that reads a JSON body.
pub(crate) struct Sample {
    pub(crate) method: &'static str,
    /// The path as the route table has it.
    pub(crate) path: &'static str,
    /// A body that it takes.
    pub(crate) body: fn() -> Value,
    /// Who may send it: a permission, or an administrator, or anyone.
    pub(crate) who: Who,
    /// Whether members that nobody knows are refused.
    pub(crate) strict: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anyone,
    Administrator,
    Key(&'static str),
}

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        method: "POST",
        path: "/api/auth/login",
        body: || json!({"email": "nobody@example.com", "password": "a password of some length"}),
        who: Who::Anyone,
        strict: true,
    },
    Sample {
        method: "POST",
        path: "/api/devops/generate-key",
        body: || json!({"name": "sample"}),
        who: Who::Administrator,
        strict: true,
    },
    Sample {
        method: "PATCH",
        path: "/api/devops/keys/{id}",
        body: || json!({"name": "sample"}),
        who: Who::Administrator,
        strict: true,
    },
    Sample {
        method: "POST",
        path: "/api/devops/keys/{id}/rotate",
        body: || json!({"grace_s": 60}),
        who: Who::Administrator,
        strict: true,
    },
    Sample {
        method: "POST",
        path: "/api/devops/keys/report-leak",
        body: || json!({"secret": "nobody's key", "url": "https://example.com/"}),
        who: Who::Anyone,
        strict: true,
    },
    Sample {
        method: "POST",
        path: "/api/devops/webhook",
        body: || json!({"event_type": "sample"}),
        who: Who::Key("write_webhooks"),
        strict: false,
    },
    Sample {
        method: "POST",
        path: "/api/devops/metrics",
        body: || json!({"event": "revenue_generated", "data": {"amount": 1}}),
        who: Who::Key("write_webhooks"),
        strict: false,
    },
    Sample {
        method: "POST",
        path: "/api/devops/commissions/payout",
        body: || json!({"as_of": "2024-01-01T00:00:00Z", "seq": 0, "affiliates": []}),
        who: Who::Administrator,
        strict: true,
    },
    Sample {
        method: "PATCH",
        path: "/api/devops/config",
        body: || json!({"agents": {"analytics": false}}),
        who: Who::Administrator,
        strict: true,
    },
    Sample {
        method: "POST",
        path: "/api/devops/webhook/{source}",
        body: || json!({"event_type": "sample"}),
        who: Who::Key("write_webhooks"),
        strict: false,
    },
    Sample {
        method: "POST",
        path: "/api/devops/sources",
        body: || json!({"name": "sample"}),
        who: Who::Administrator,
        strict: true,
    },
    Sample {
        method: "PATCH",
        path: "/api/devops/sources/{source}",
        body: || json!({"retention_days": 30}),
        who: Who::Administrator,
        strict: true,
    },
    // The last one: from here on what the default source sends must be signed.
    Sample {
        method: "POST",
        path: "/api/devops/sources/{source}/secrets",
        body: || json!({"secret": "a secret of some length"}),
        who: Who::Administrator,
        strict: true,
    },
];

/// The path of a route with its variables filled in.
pub(crate) fn fill(path: &str, id: &str) -> String {
    path.replace("{id}", id)
        .replace("{name}", "mrr")
        .replace("{source}", "default")
        .replace("{secret}", "018f2b5e-0000-7000-8000-000000000002")
        .replace("{file:.*}", "index.html")
}

/// Routes with a method that could carry a body and that read none.
pub(crate) const WITHOUT_BODY: &[(&str, &str)] = &[
    ("POST", "/api/auth/logout"),
    ("DELETE", "/api/devops/keys/{id}"),
    ("DELETE", "/api/devops/sources/{source}"),
    ("DELETE", "/api/devops/sources/{source}/secrets/{secret}"),
    ("POST", "/create-membership-session"),
    ("POST", "/create-reseller-session"),
    ("POST", "/create-pro-reseller-session"),
    ("POST", "/create-tripwire-session"),
    ("POST", "/create-payment-intent"),
    ("POST", "/webhook"),
    ("POST", "/api/stripe/webhook"),
    ("POST", "/api/ai-assistant"),
];

/// Routes whose body is not one JSON value; `batch.rs` sends them bad ones.
pub(crate) const LINES: &[(&str, &str)] = &[("POST", "/api/devops/webhook/batch")];

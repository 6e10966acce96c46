//! The tools that send webhooks, each with a request as it makes it.

use crate::client::{Call, Client};

/// A tool.
pub struct Sender {
    /// Its name.
    pub name: &'static str,
    /// What it says about itself, and the headers that tell what it sends.
    headers: &'static [(&'static str, &'static str)],
    /// The header that its signature comes in, and one that is not ours.
    pub bad_signature: (&'static str, &'static str),
    body: &'static str,
    /// The part of its request that names the kind of event.
    kind: &'static str,
}

const NO_MAC: &str = "sha256=0000000000000000000000000000000000000000000000000000000000000000";

/// All of them. Each request holds the word `first`, which makes its id.
pub const SENDERS: [Sender; 10] = [
    Sender {
        name: "the DevOps module's script",
        headers: &[("user-agent", "python-requests/2.32"), ("idempotency-key", "first")],
        bad_signature: ("x-webhook-signature", NO_MAC),
        body: r#"{"event":"deployment","data":{"service":"shop","status":"success"}}"#,
        kind: "deployment",
    },
    Sender {
        name: "Standard Webhooks",
        headers: &[("webhook-id", "first"), ("webhook-timestamp", "1768478400")],
        bad_signature: ("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        body: r#"{"type":"invoice.paid","timestamp":"2026-01-15T12:00:00Z","data":{"id":1}}"#,
        kind: "invoice.paid",
    },
    Sender {
        name: "Stripe",
        headers: &[("user-agent", "Stripe/1.0"), ("idempotency-key", "first")],
        bad_signature: (
            "stripe-signature",
            "t=1768478400,v1=0000000000000000000000000000000000000000000000000000000000000000",
        ),
        body: r#"{"id":"evt_first","object":"event","type":"invoice.paid","data":{}}"#,
        kind: "invoice.paid",
    },
    Sender {
        name: "CloudEvents",
        headers: &[("content-type", "application/cloudevents+json")],
        bad_signature: ("x-webhook-signature", NO_MAC),
        body: r#"{"specversion":"1.0","id":"first","source":"/s","type":"com.example.built"}"#,
        kind: "com.example.built",
    },
    Sender {
        name: "CDEvents",
        headers: &[],
        bad_signature: ("x-webhook-signature", NO_MAC),
        body: r#"{"context":{"specversion":"0.5.1","id":"first","source":"/ci","type":"dev.cdevents.service.deployed.0.3.0"},"subject":{"id":"shop","content":{}}}"#,
        kind: "service.deployed",
    },
    Sender {
        name: "GitHub",
        headers: &[
            ("user-agent", "GitHub-Hookshot/044aadd"),
            ("x-github-event", "release"),
            ("x-github-delivery", "first"),
        ],
        bad_signature: ("x-hub-signature-256", NO_MAC),
        body: r#"{"action":"published","release":{"tag_name":"v1"},"repository":{"name":"shop"}}"#,
        kind: "release",
    },
    Sender {
        name: "GitLab",
        headers: &[
            ("user-agent", "GitLab/18.0.0"),
            ("x-gitlab-event", "Deployment Hook"),
            ("idempotency-key", "first"),
        ],
        bad_signature: ("x-webhook-signature", NO_MAC),
        body: r#"{"object_kind":"deployment","status":"success","deployment_id":15}"#,
        kind: "deployment",
    },
    Sender {
        name: "Alertmanager",
        headers: &[("user-agent", "Alertmanager/0.28.1")],
        bad_signature: ("x-webhook-signature", NO_MAC),
        body: r#"{"version":"4","groupKey":"g","alerts":[{"status":"firing","labels":{},"startsAt":"2026-01-15T11:00:00Z","fingerprint":"first"}]}"#,
        kind: "firing",
    },
    Sender {
        name: "PagerDuty",
        headers: &[("user-agent", "PagerDuty-Webhook/V3.0")],
        bad_signature: (
            "x-pagerduty-signature",
            "v1=0000000000000000000000000000000000000000000000000000000000000000",
        ),
        body: r#"{"event":{"id":"first","event_type":"incident.triggered","resource_type":"incident","data":{"id":"P1"}}}"#,
        kind: "incident.triggered",
    },
    Sender {
        name: "Argo CD",
        headers: &[("user-agent", "Go-http-client/1.1")],
        bad_signature: ("x-webhook-signature", NO_MAC),
        body: r#"{"app":{"metadata":{"name":"first"},"status":{"operationState":{"phase":"Succeeded"}}}}"#,
        kind: "Succeeded",
    },
];

impl Sender {
    /// Its request to a path.
    pub fn send(&self, client: &Client, path: &str) -> Call {
        self.request(client, path, str::to_owned)
    }

    /// The same about something that nobody has heard of.
    pub fn send_unknown(&self, client: &Client, path: &str) -> Call {
        let change =
            |text: &str| text.replace(self.kind, "something.new").replace("first", "second");
        self.request(client, path, change)
    }

    /// The same with a body that is longer than any that is taken.
    pub fn send_too_much(&self, client: &Client, path: &str) -> Call {
        self.request(client, path, |text| {
            text.replacen('{', &format!("{{{}", " ".repeat(300_000)), 1)
        })
    }

    fn request(&self, client: &Client, path: &str, change: impl Fn(&str) -> String) -> Call {
        let mut content_type = "application/json";
        let mut call = client.call("POST", path);
        for (name, value) in self.headers {
            match *name {
                "content-type" => content_type = value,
                name => call = call.header(name, &change(value)),
            }
        }
        call.body(content_type, change(self.body))
    }
}

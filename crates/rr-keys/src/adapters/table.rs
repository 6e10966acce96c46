//! What both adapters must answer, as one table.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    AllowList, HashScheme, KeyFormat, KeyHash, KeyRecord, KeyStore, MemoryStore, RateLimit,
    Verifier, VerifierOptions,
};

pub(super) const REALM: &str = "the \"orders\" house";
const CHALLENGE: &str = r#"Bearer realm="the \"orders\" house""#;
/// Stands for a permission that is made from the path.
pub(super) const OF_PATH: &str = "of the path";
pub(super) const BROKEN: &str = "10.9.8.7:5432 refused the connection";

pub(super) fn permission_of(path: &str) -> String {
    format!("read:orders{path}")
}

/// Keys in memory, behind a store that can be broken.
pub(super) struct World {
    verifier: Arc<Verifier<Breakable>>,
    keys: BTreeMap<&'static str, String>,
}

struct Breakable {
    keys: MemoryStore,
    broken: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
#[error("{BROKEN}")]
struct Broken;

impl KeyStore for Breakable {
    type Error = Broken;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, Broken>> + Send {
        let broken = self.broken.load(Ordering::Relaxed);
        let found = self.keys.find(hash);
        async move { if broken { Err(Broken) } else { Ok(found.await.unwrap_or_default()) } }
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn records() -> [(&'static str, KeyRecord); 9] {
    let reader = |name| KeyRecord {
        permissions: ["read", "read:orders/*"].into_iter().collect(),
        ..KeyRecord::new(Uuid::nil(), name, at(0))
    };
    let limit = RateLimit { limit: NonZeroU32::MIN, window: Duration::from_secs(60) };
    [
        ("reader", reader("reader")),
        ("bare", KeyRecord::new(Uuid::nil(), "bare", at(0))),
        ("early", KeyRecord { not_before: Some(at(2_000)), ..reader("early") }),
        ("late", KeyRecord { expires_at: Some(at(1_000)), ..reader("late") }),
        ("revoked", KeyRecord { revoked_at: Some(at(1)), ..reader("revoked") }),
        ("disabled", KeyRecord { enabled: false, ..reader("disabled") }),
        ("superseded", KeyRecord { secret_ends_at: Some(at(1_000)), ..reader("superseded") }),
        (
            "homebody",
            KeyRecord {
                allowed_ips: AllowList::parse(["10.0.0.0/8"]).unwrap(),
                ..reader("homebody")
            },
        ),
        ("slow", KeyRecord { rate_limits: limit.into(), ..reader("slow") }),
    ]
}

impl World {
    pub(super) fn new() -> Self {
        let store = Breakable { keys: MemoryStore::new(), broken: AtomicBool::new(false) };
        let mut keys = BTreeMap::new();
        let mut seed = 0_u8;
        for (name, record) in records() {
            let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
                buffer.fill_with(|| {
                    seed = seed.wrapping_mul(5).wrapping_add(1);
                    seed
                });
            });
            let id = Uuid::from_u128(u128::from(seed) + 1);
            store.keys.insert(issued.hash(&HashScheme::default()), KeyRecord { id, ..record });
            keys.insert(name, issued.secret.expose().to_owned());
        }
        let options = VerifierOptions { capacity: 64, ..VerifierOptions::default() };
        let verifier = Arc::new(Verifier::new(store, options));
        Self { verifier, keys }
    }

    pub(super) fn verifier(&self) -> Arc<Verifier<impl KeyStore + use<>>> {
        Arc::clone(&self.verifier)
    }

    pub(super) fn clock(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static + use<> {
        || at(1_000)
    }

    pub(super) fn key(&self, name: &str) -> &str {
        &self.keys[name]
    }

    pub(super) fn break_store(&self) {
        self.verifier.store().broken.store(true, Ordering::Relaxed);
    }

    /// The header lines of a call, with each `{name}` replaced by that key.
    pub(super) fn headers(&self, call: &Call) -> Vec<(&'static str, String)> {
        let filled = |value: &str| {
            self.keys.iter().fold(value.to_owned(), |text, (name, key)| {
                text.replace(&format!("{{{name}}}"), key)
            })
        };
        call.headers.iter().map(|(name, value)| (*name, filled(value))).collect()
    }
}

/// Requests that follow one another in one world, and what each must be answered.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) broken: bool,
    pub(super) calls: Vec<(Call, Expected)>,
}

#[derive(Clone)]
pub(super) struct Call {
    pub(super) path: &'static str,
    /// What the route needs; `None` where any key will do.
    pub(super) permission: Option<&'static str>,
    pub(super) peer: Option<IpAddr>,
    headers: Vec<(&'static str, &'static str)>,
}

impl Call {
    fn needs(self, permission: impl Into<Option<&'static str>>) -> Self {
        Self { permission: permission.into(), ..self }
    }

    fn to(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    fn from(self, peer: &str) -> Self {
        Self { peer: Some(peer.parse().unwrap()), ..self }
    }
}

/// A call of a route that needs `read`.
fn shows(headers: &[(&'static str, &'static str)]) -> Call {
    Call { path: "/17", permission: Some("read"), peer: None, headers: headers.to_vec() }
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Answer {
    /// The code of a problem, if it is one.
    pub(super) fn code(&self) -> Option<String> {
        let problem: Value = serde_json::from_str(&self.body).ok()?;
        Some(problem["code"].as_str()?.to_owned())
    }
}

pub(super) struct Expected {
    status: u16,
    fields: BTreeMap<String, String>,
    body: Result<&'static str, Value>,
}

/// The request reached the handler, which knows this key.
fn granted(name: &'static str) -> Expected {
    Expected { status: 200, fields: BTreeMap::new(), body: Ok(name) }
}

fn refused(status: u16, title: &str, code: &str) -> Expected {
    let body = json!({"type": "about:blank", "title": title, "status": status, "code": code});
    let fields = [("content-type".to_owned(), "application/problem+json".to_owned())];
    Expected { status, fields: fields.into(), body: Err(body) }
}

/// 401 with a key that is not good.
fn invalid(code: &str) -> Expected {
    refused(401, "Unauthorized", code).challenge(", error=\"invalid_token\"")
}

impl Expected {
    fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.to_owned(), value.to_owned());
        self
    }

    fn challenge(self, rest: &str) -> Self {
        self.field("www-authenticate", &format!("{CHALLENGE}{rest}"))
    }

    fn member(mut self, name: &str, value: Value) -> Self {
        if let Err(body) = &mut self.body {
            body[name] = value;
        }
        self
    }

    /// Holds an answer against this: status, every field that a refusal can set, the whole body.
    pub(super) fn check(&self, answer: &Answer, what: &str) {
        assert_eq!(answer.status, self.status, "{what}: {}", answer.body);
        for name in ["www-authenticate", "retry-after", "ratelimit", "ratelimit-policy"] {
            assert_eq!(answer.fields.get(name), self.fields.get(name), "{what}: {name}");
        }
        match &self.body {
            Ok(body) => assert_eq!(answer.body, *body, "{what}"),
            Err(expected) => {
                assert_eq!(answer.fields.get("content-type"), self.fields.get("content-type"));
                let mut body: Value = serde_json::from_str(&answer.body).unwrap();
                let detail = body.as_object_mut().unwrap().remove("detail").unwrap();
                assert!(detail.as_str().is_some_and(|text| text.len() > 10), "{what}: {detail}");
                assert_eq!(body, *expected, "{what}");
            }
        }
    }
}

pub(super) fn cases() -> Vec<Case> {
    let one = |name, call, expected| Case { name, broken: false, calls: vec![(call, expected)] };
    let key = |value| shows(&[("x-api-key", value)]);
    let lacks = |permission: &str| {
        refused(403, "Forbidden", "insufficient_scope")
            .member("required", json!(permission))
            .member("missing", json!([permission]))
    };
    let conflict = || {
        refused(400, "Bad Request", "conflicting_credentials")
            .challenge(", error=\"invalid_request\"")
    };
    let nothing = || refused(401, "Unauthorized", "unauthenticated").challenge("");
    let bearer = |value| shows(&[("authorization", value)]);
    vec![
        one("a good key", key("{reader}"), granted("reader")),
        one("as a bearer token", bearer("bEARER {reader}"), granted("reader")),
        one(
            "twice the same",
            shows(&[("x-api-key", "{reader}"), ("authorization", "Bearer {reader}")]),
            granted("reader"),
        ),
        one("no key", shows(&[]), nothing()),
        one("another scheme", bearer("Basic {reader}"), nothing()),
        one("in the query string", shows(&[]).to("/?api_key={reader}"), nothing()),
        one(
            "two keys",
            shows(&[("x-api-key", "{reader}"), ("authorization", "Bearer {bare}")]),
            conflict(),
        ),
        one("two lines", shows(&[("x-api-key", "{reader}"), ("x-api-key", "{bare}")]), conflict()),
        one("malformed", key("nonsense"), invalid("invalid_key")),
        one("empty", key(""), invalid("invalid_key")),
        one(
            "unknown",
            key(concat!("rr_", "0123456789ABCDEFGHIJabcdefghij", "4Us3aw")),
            invalid("invalid_key"),
        ),
        one("not yet", key("{early}"), invalid("key_not_yet_valid")),
        one("expired", key("{late}"), invalid("key_expired")),
        one("revoked", key("{revoked}"), invalid("key_revoked")),
        one("disabled", key("{disabled}"), invalid("key_disabled")),
        one("rotated", key("{superseded}"), invalid("key_superseded")),
        one(
            "no scopes = no access",
            key("{bare}"),
            lacks("read").challenge(", error=\"insufficient_scope\", scope=\"read\""),
        ),
        one("any key will do", key("{bare}").needs(None), granted("bare")),
        one("any key, and none", shows(&[]).needs(None), nothing()),
        one("by the path", key("{reader}").needs(OF_PATH), granted("reader")),
        one(
            "by another path",
            key("{bare}").needs(OF_PATH).to("/18"),
            lacks("read:orders/18")
                .challenge(", error=\"insufficient_scope\", scope=\"read:orders/18\""),
        ),
        one("at home", key("{homebody}").from("10.1.2.3"), granted("homebody")),
        one("at home, as IPv6", key("{homebody}").from("::ffff:10.1.2.3"), granted("homebody")),
        one(
            "abroad",
            key("{homebody}").from("192.0.2.1"),
            refused(403, "Forbidden", "address_not_allowed"),
        ),
        one("nowhere", key("{homebody}"), refused(403, "Forbidden", "address_not_allowed")),
        one(
            "abroad, claiming to be at home",
            shows(&[("x-api-key", "{homebody}"), ("x-forwarded-for", "10.1.2.3")])
                .from("192.0.2.1"),
            refused(403, "Forbidden", "address_not_allowed"),
        ),
        Case {
            name: "one use a minute",
            broken: false,
            calls: vec![
                (
                    key("{slow}"),
                    granted("slow")
                        .field("ratelimit", "\"default\";r=0;t=60")
                        .field("ratelimit-policy", "\"default\";q=1;w=60"),
                ),
                (
                    key("{slow}"),
                    refused(429, "Too Many Requests", "rate_limited")
                        .field("retry-after", "60")
                        .field("ratelimit", "\"default\";r=0;t=60")
                        .field("ratelimit-policy", "\"default\";q=1;w=60"),
                ),
            ],
        },
        Case {
            name: "the store is down",
            broken: true,
            calls: vec![
                (
                    key("{reader}"),
                    refused(503, "Service Unavailable", "unavailable").field("retry-after", "5"),
                ),
                // What needs no store is answered all the same.
                (key("nonsense"), invalid("invalid_key")),
                (shows(&[]), nothing()),
            ],
        },
    ]
}

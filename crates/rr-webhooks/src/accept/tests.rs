//! Requests as clients really send them, and as an attacker would.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::headers::check_name;
use crate::{JsonLimits, check_json};

const KEY: Uuid = Uuid::from_u128(7);
const OPEN: Policy<'static> = Policy { secrets: &[], max_bytes: 262_144, format: Format::Auto };

fn send_all(fields: &[(&str, &str)], body: &[u8]) -> Result<Vec<Event>, Refusal> {
    let headers: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let received_at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    accept(&Incoming { headers: &headers, body, received_at, key_id: KEY }, &OPEN)
}

/// The same for a request that brings one event.
fn send(fields: &[(&str, &str)], body: &[u8]) -> Result<Event, Refusal> {
    let mut events = send_all(fields, body)?;
    assert_eq!(events.len(), 1);
    Ok(events.remove(0))
}

fn event(body: &Value) -> Event {
    send(&[("content-type", "application/json")], body.to_string().as_bytes()).unwrap()
}

/// The code, the status and the pointer of a refusal.
fn refused(fields: &[(&str, &str)], body: &[u8]) -> (&'static str, u16, Option<String>) {
    let refusal = send(fields, body).unwrap_err();
    assert!(!refusal.detail().is_empty());
    (refusal.code(), refusal.status(), refusal.pointer().map(str::to_owned))
}

fn at(pointer: &str) -> Option<String> {
    Some(pointer.to_owned())
}

#[test]
fn the_bodies_that_clients_send_are_understood() {
    let deployment = json!({
        "event_type": "deployment", "status": "success", "version": "1.2.3",
        "environment": "production", "deployTime": 45, "timestamp": "2024-05-01T12:00:00.5+02:00",
    });
    let read = event(&deployment);
    assert_eq!((read.event_type.as_str(), read.source.as_str()), ("deployment", "api"));
    assert_eq!(read.occurred_at, Some(Timestamp::parse("2024-05-01T10:00:00.5Z").unwrap()));
    assert_eq!(read.data.get(), deployment.to_string());
    assert_eq!(read.content_type, "application/json");

    let script = br#"{"event":"revenue_generated","data":{"source":"ab_optimizer","amount":1250.00,"details":{}}}"#;
    let accepted = send(&[], script).unwrap();
    assert_eq!(accepted.event_type, "revenue_generated");
    assert_eq!(accepted.source, "api", "only a member of the body itself is its source");
    assert_eq!(accepted.occurred_at, None);
    assert_eq!(accepted.data.get().as_bytes(), script, "1250.00 stays as it was written");
    assert_eq!(accepted.dedupe, []);

    let status = json!({"event": "agent_status_changed", "data": {"agent": "kpi-tracker", "status": "running"}});
    assert_eq!(event(&status).event_type, "agent_status_changed");
}

#[test]
fn what_names_an_event_is_found_or_unknown() {
    assert_eq!(event(&json!({})).event_type, "unknown");
    assert_eq!(event(&json!({"event_type": "a", "event": "b"})).event_type, "a");
    assert_eq!(event(&json!({"event_type": null, "event": "b"})).event_type, "b");
    assert_eq!(event(&json!({"event_type": null, "event": null})).event_type, "unknown");
    assert_eq!(event(&json!({"event_type": "a", "event": {"id": 1}})).event_type, "a");
    assert_eq!(event(&json!({"source": "ci"})).source, "ci");
    for other in [json!(null), json!(1), json!({"name": "ci"}), json!(["ci"])] {
        assert_eq!(event(&json!({"source": other})).source, "api");
    }
    for other in
        [json!(null), json!(1_700_000_000), json!("yesterday"), json!("2024-05-01T12:00:00")]
    {
        assert_eq!(event(&json!({"timestamp": other})).occurred_at, None);
    }
}

#[test]
fn a_name_that_is_no_name_is_refused_with_its_place() {
    let long = "x".repeat(256);
    for name in [json!(1), json!({}), json!([]), json!(true), json!(""), json!(long), json!("a\nb")]
    {
        for member in ["event_type", "event"] {
            let body = json!({ member: name }).to_string();
            let expected = ("invalid_body", 422, at(&format!("/{member}")));
            assert_eq!(refused(&[], body.as_bytes()), expected, "{body}");
        }
    }
    for source in ["", "a\u{7f}", &long] {
        let body = json!({ "source": source }).to_string();
        assert_eq!(refused(&[], body.as_bytes()), ("invalid_body", 422, at("/source")));
    }
    assert_eq!(event(&json!({"event_type": "é".repeat(255)})).event_type, "é".repeat(255));
}

#[test]
fn only_an_object_is_an_event() {
    for body in ["[]", "1", "null", "\"{}\"", " [{}] "] {
        assert_eq!(refused(&[], body.as_bytes()), ("invalid_body", 422, at("")), "{body}");
    }
    assert_eq!(refused(&[], b""), ("invalid_json", 400, at("")));
    assert_eq!(refused(&[], b"a=1"), ("invalid_json", 400, at("")));
    assert_eq!(refused(&[], b"{\"a\":{\"b\":1,\"b\":1}}"), ("invalid_json", 400, at("/a/b")));
    assert_eq!(send(&[], b" {\"a\":1} \n").unwrap().data.get(), "{\"a\":1}");
}

#[test]
fn size_type_and_encoding_are_checked() {
    let body = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    assert!(send(&[], body(OPEN.max_bytes).as_bytes()).is_ok());
    let longer = body(OPEN.max_bytes + 1);
    assert_eq!(refused(&[], longer.as_bytes()), ("body_too_large", 413, None));
    let text = [("content-type", "text/plain")];
    assert_eq!(refused(&text, b"{}"), ("unsupported_media_type", 415, None));
    let packed = [("content-encoding", "gzip")];
    assert_eq!(refused(&packed, b"{}"), ("unsupported_content_encoding", 415, None));
}

#[test]
fn a_repeat_is_recognised_by_what_the_sender_gave() {
    let dedupe = |fields: &[(&str, &str)]| {
        let dedupe = send(fields, b"{}").unwrap().dedupe;
        let whole: [u8; 32] = Sha256::digest(b"{}").into();
        // An event's own id stands for the event, and those of the request for all of it.
        let mut of_request = dedupe.iter().filter(|id| !id.scope.starts_with("cloudevents/"));
        assert!(of_request.all(|id| id.fingerprint == whole));
        dedupe.into_iter().map(|dedupe| (dedupe.scope, dedupe.key)).collect::<Vec<_>>()
    };
    let own = |scope: &str, key: &str| (format!("{scope}/{KEY}"), key.to_owned());
    assert_eq!(dedupe(&[]), []);
    assert_eq!(dedupe(&[("Idempotency-Key", "a")]), [own("idempotency", "a")]);
    assert_eq!(dedupe(&[("webhook-id", "m.1")]), [own("webhook-id", "m.1")]);
    assert_eq!(dedupe(&[("Svix-Id", "m")]), [own("svix-id", "m")]);
    let both = [("webhook-id", "m"), ("idempotency-key", "a")];
    assert_eq!(dedupe(&both), [own("idempotency", "a"), own("webhook-id", "m")]);
    let mut delivered = BINARY.to_vec();
    delivered.push(("webhook-id", "m"));
    let event = (format!("cloudevents/{KEY}//ci/€"), "1".to_owned());
    assert_eq!(dedupe(&delivered), [own("webhook-id", "m"), event]);
    for bad in ["", "a b", "é", &"x".repeat(256)] {
        assert_eq!(refused(&[("idempotency-key", bad)], b"{}"), ("invalid_header", 400, None));
    }
    let twice = [("idempotency-key", "a"), ("Idempotency-Key", "a")];
    assert_eq!(refused(&twice, b"{}"), ("invalid_header", 400, None));
}

const BINARY: [(&str, &str); 6] = [
    ("content-type", "application/json"),
    ("Ce-Specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/ci/%E2%82%AC"),
    ("ce-type", "dev.cdevents.service.deployed.0.3.0"),
    ("ce-time", "2024-05-01T12:00:00Z"),
];

#[test]
fn a_cloudevent_reads_the_same_in_both_forms() {
    let mut fields = BINARY.to_vec();
    fields.push(("ce-subject", "\"a b\""));
    let binary = send(&fields, br#"{"x": 1.50}"#).unwrap();
    let structured = [("content-type", "application/cloudevents+json; charset=utf-8")];
    let body = r#"{"datacontenttype":"application/json","data":{"x": 1.50},"id":"1","source":"/ci/€","specversion":"1.0","subject":"a b","time":"2024-05-01T12:00:00Z","type":"dev.cdevents.service.deployed.0.3.0"}"#;
    let structured = send(&structured, body.as_bytes()).unwrap();
    for accepted in [&binary, &structured] {
        assert_eq!(accepted.event_type, "dev.cdevents.service.deployed.0.3.0");
        assert_eq!(accepted.source, "/ci/€");
        assert_eq!(accepted.occurred_at, Some(Timestamp::parse("2024-05-01T12:00:00Z").unwrap()));
        let ids: Vec<_> = accepted.dedupe.iter().map(|id| (&*id.scope, &*id.key)).collect();
        assert_eq!(ids, [(&*format!("cloudevents/{KEY}//ci/€"), "1")]);
        assert!(accepted.data.get().contains(r#""data":{"x": 1.50}"#));
    }
    let value = |event: &Event| serde_json::from_str::<Value>(event.data.get()).unwrap();
    assert_eq!(value(&binary), value(&structured));
    assert_eq!(binary.dedupe, structured.dedupe, "one is a repeat of the other");
    assert_eq!(structured.content_type, "application/cloudevents+json");
}

#[test]
fn a_binary_cloudevent_may_hold_any_json_or_nothing() {
    for (body, data) in [("[1]", Some(json!([1]))), ("null", Some(json!(null))), ("", None)] {
        let read = send(&BINARY, body.as_bytes()).unwrap();
        let envelope: Value = serde_json::from_str(read.data.get()).unwrap();
        assert_eq!(envelope.get("data"), data.as_ref(), "{body:?}");
        assert_eq!(envelope.get("datacontenttype").is_some(), data.is_some());
    }
    assert_eq!(refused(&BINARY, b"{"), ("invalid_json", 400, at("")));
}

#[test]
fn a_binary_cloudevent_may_hold_anything_by_its_type() {
    for (declared, body, member, data) in [
        ("text/plain", "a \"b\"\n€".as_bytes(), "data", "a \"b\"\n€"),
        ("Text/CSV; charset=UTF-8; header=present", b"a,b", "data", "a,b"),
        ("text/plain; charset=latin1", b"caf\xc3\xa9", "data_base64", "Y2Fmw6k="),
        ("text/plain", b"caf\xe9", "data_base64", "Y2Fm6Q=="),
        ("text/plain", b"a\0b", "data_base64", "YQBi"),
        ("application/octet-stream", b"{}", "data_base64", "e30="),
        ("application/xml", b"<a/>", "data_base64", "PGEvPg=="),
        ("multipart/form-data; boundary=x", b"--x--", "data_base64", "LS14LS0="),
    ] {
        let fields = BINARY.map(|(name, value)| match name {
            "content-type" => (name, declared),
            _ => (name, value),
        });
        let headers: Vec<_> =
            fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let sent = |headers: &[(&str, &[u8])], body: &[u8]| {
            let incoming = Incoming { headers, body, received_at: Timestamp::EPOCH, key_id: KEY };
            accept(&incoming, &OPEN).map(|mut events| events.remove(0))
        };
        let read = sent(&headers, body).unwrap();
        let envelope: Value = serde_json::from_str(read.data.get()).unwrap();
        assert_eq!(envelope[member], data, "{declared}");
        assert_eq!(envelope["datacontenttype"], declared);
        let other = if member == "data" { "data_base64" } else { "data" };
        assert!(envelope.get(other).is_none());
        assert_eq!(Some(&*read.content_type), declared.to_lowercase().split(';').next());
        let structured = [("content-type", &b"application/cloudevents+json"[..])];
        let again = sent(&structured, read.data.get().as_bytes()).unwrap();
        assert_eq!(again.dedupe, read.dedupe, "{declared}: the same in the structured form");
        let without = &headers[..1];
        assert_eq!(sent(without, body).unwrap_err().code(), "unsupported_media_type");
    }
    let broken = BINARY.map(|(name, value)| match name {
        "content-type" => (name, "application/json; charset=latin1"),
        _ => (name, value),
    });
    assert_eq!(refused(&broken, b"{}"), ("unsupported_media_type", 415, None));
    for nonsense in ["", "text", "text/", "a b/c"] {
        let fields = BINARY.map(|(name, value)| match name {
            "content-type" => (name, nonsense),
            _ => (name, value),
        });
        assert_eq!(refused(&fields, b"{}"), ("unsupported_media_type", 415, None), "{nonsense}");
    }
}

#[test]
fn a_broken_binary_cloudevent_is_refused() {
    let header = ("invalid_header", 400, None);
    for missing in ["ce-id", "ce-source", "ce-type"] {
        let fields: Vec<_> = BINARY.into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(refused(&fields, b"{}"), header, "{missing}");
    }
    for (name, value) in [
        ("Ce-Specversion", "0.3"),
        ("Ce-Specversion", ""),
        ("ce-id", ""),
        ("ce-id", "%"),
        ("ce-source", "%ff"),
        ("ce-source", "a%00b"),
        ("ce-type", "a%0Ab"),
        ("ce-type", "€"),
        ("ce-time", "yesterday"),
    ] {
        let fields = BINARY.map(|field| if field.0 == name { (name, value) } else { field });
        assert_eq!(refused(&fields, b"{}"), header, "{name}: {value}");
    }
    for added in [
        ("CE-ID", "1"),
        ("ce-data", "1"),
        ("ce-datacontenttype", "x"),
        ("ce-", "1"),
        ("ce-a_b", "1"),
        ("ce-x", "%00"),
    ] {
        let mut fields = BINARY.to_vec();
        fields.push(added);
        assert_eq!(refused(&fields, b"{}"), header, "{added:?}");
    }
}

#[test]
fn a_broken_structured_cloudevent_is_refused() {
    let fields = [("content-type", "application/cloudevents+json")];
    let whole = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
    assert!(send(&fields, whole.to_string().as_bytes()).is_ok());
    let refused_with = |member: &str, value: Option<Value>| {
        let mut event = whole.clone();
        let members = event.as_object_mut().unwrap();
        members.remove(member);
        members.extend(value.map(|value| (member.to_owned(), value)));
        let expected = ("invalid_body", 422, at(&format!("/{member}")));
        assert_eq!(refused(&fields, event.to_string().as_bytes()), expected, "{event}");
    };
    for member in ["specversion", "id", "source", "type"] {
        refused_with(member, None);
        for value in [json!(null), json!(1), json!(""), json!("x".repeat(256)), json!("a\nb")] {
            refused_with(member, Some(value));
        }
    }
    refused_with("specversion", Some(json!("0.3")));
    refused_with("time", Some(json!("yesterday")));
    refused_with("time", Some(json!(1)));
    refused_with("data_base64", Some(json!(1)));
    let both = br#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":null,"data_base64":"AA=="}"#;
    assert_eq!(refused(&fields, both), ("invalid_body", 422, at("/data_base64")));
    assert_eq!(refused(&fields, b"[]"), ("invalid_body", 422, at("")));
}

#[test]
fn a_configured_secret_must_have_signed() {
    let secrets = [WebhookSecret::parse("It's a Secret to Everybody").unwrap()];
    let policy = Policy { secrets: &secrets, ..OPEN };
    let received_at = Timestamp::EPOCH;
    // HMAC-SHA256 of `{}` under this secret, computed with another implementation.
    let right = "sha256=50b0123e6e44430d2c43ecca0ee520d961ffd326425c07859f70a57161c3ebcd";
    let code = |headers: &[(&str, &[u8])], body: &[u8]| {
        let incoming = Incoming { headers, body, received_at, key_id: KEY };
        accept(&incoming, &policy).map(drop).map_err(|refusal| (refusal.code(), refusal.status()))
    };
    let header = [("x-webhook-signature", right.as_bytes())];
    assert_eq!(code(&header, b"{}"), Ok(()));
    assert_eq!(code(&header, b"{} "), Err(("signature_invalid", 401)));
    assert_eq!(code(&[], b"{}"), Err(("signature_missing", 401)));
    // Nothing about the body is told before the signature is right.
    assert_eq!(code(&[], b"{"), Err(("signature_missing", 401)));
}

proptest! {
    #[test]
    fn any_request_is_an_event_or_refused(
        headers in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "content-type", "content-encoding", "ce-specversion", "ce-id", "ce-source",
                    "ce-type", "ce-time", "ce-x", "idempotency-key", "webhook-id",
                    "webhook-timestamp", "webhook-signature", "x-webhook-signature",
                ]),
                prop_oneof![
                    any::<Vec<u8>>(),
                    prop::sample::select(vec![
                        &b"1.0"[..], b"application/json", b"application/cloudevents+json",
                        b"identity", b"v1,AAAA", b"sha256=00", b"0", b"a", b"\"a\"", b"%41",
                        b"1970-01-01T00:00:00Z",
                    ])
                    .prop_map(<[u8]>::to_vec),
                ],
            ),
            0..8,
        ),
        body in prop_oneof![
            any::<Vec<u8>>(),
            Just(b"{}".to_vec()),
            Just(br#"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#.to_vec()),
        ],
        signed in any::<bool>(),
    ) {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let secrets = [WebhookSecret::parse("AAAA").unwrap()];
        let policy = Policy { secrets: if signed { &secrets } else { &[] }, max_bytes: 200, ..OPEN };
        let incoming =
            Incoming { headers: &headers, body: &body, received_at: Timestamp::EPOCH, key_id: KEY };
        match accept(&incoming, &policy) {
            Ok(events) => {
                prop_assert!(!signed, "nobody signed this");
                prop_assert!(!events.is_empty());
                for event in events {
                    prop_assert!(check_json(event.data.get().as_bytes(), JsonLimits::default()).is_ok());
                    prop_assert!(check_name(&event.event_type).is_ok());
                    prop_assert!(check_name(&event.source).is_ok());
                }
            }
            Err(refusal) => {
                prop_assert!((400..=422).contains(&refusal.status()));
                prop_assert!(!refusal.detail().is_empty());
            }
        }
    }
}

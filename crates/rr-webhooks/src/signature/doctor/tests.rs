//! Every mistake is made once, and found.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::*;

const TEXT: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const NOW: i64 = 1_700_000_000;
const BODY: &[u8] = br#"{"a":1,"b":[1,2]}"#;

fn secret() -> WebhookSecret {
    WebhookSecret::parse(TEXT).unwrap()
}

fn hints(fields: &[(&str, String)], body: &[u8], secrets: &[WebhookSecret]) -> Vec<&'static str> {
    let fields: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let incoming = Incoming {
        headers: &fields,
        body,
        received_at: Timestamp::from_seconds(NOW).unwrap(),
        key_id: Uuid::nil(),
    };
    let hints = diagnose(&incoming, secrets);
    for hint in &hints {
        assert!(!hint.detail.is_empty() && !hint.detail.contains("MfKQ9"), "{hint:?}");
    }
    hints.into_iter().map(|hint| hint.code).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text_mac(parts: &[&[u8]]) -> [u8; 32] {
    hmac(TEXT.as_bytes(), parts).unwrap()
}

fn decoded_mac(parts: &[&[u8]]) -> [u8; 32] {
    hmac(secret().decoded_key().unwrap(), parts).unwrap()
}

/// The request of a Standard Webhooks sender with this signature.
fn standard(time: i64, signature: String) -> Vec<(&'static str, String)> {
    vec![
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", time.to_string()),
        ("webhook-signature", signature),
    ]
}

fn signed(time: i64, body: &[u8]) -> Vec<u8> {
    [format!("msg_1.{time}.").as_bytes(), body].concat()
}

fn plain(signature: String) -> Vec<(&'static str, String)> {
    vec![("x-webhook-signature", signature)]
}

#[test]
fn a_body_that_was_rewritten_is_recognised() {
    for (signed, sent, code) in [
        (&b"{\"a\":1}"[..], &b"{\"a\": 1}"[..], "body_reformatted"),
        (b"{\"a\": 1, \"b\": [1, 2]}", BODY, "body_reformatted"),
        (b"{\n  \"a\": 1\n}", b"{\"a\":1}", "body_reformatted"),
        (b"{\n    \"a\": 1\n}", b"{\"a\":1}", "body_reformatted"),
        (b"{\"a\":1}\n", b"{\"a\":1}", "final_newline"),
        (b"{\"a\":1}\r\n", b"{\"a\":1}", "final_newline"),
        (b"{\"a\":1}", b"{\"a\":1}\n", "final_newline"),
        (b"not json", b"not json\r\n", "final_newline"),
        // As Python and PHP write what JavaScript sends as it is, and the other way round.
        (br#"{"a": "\u00e9", "b": 1}"#, r#"{"a":"é","b":1}"#.as_bytes(), "body_reformatted"),
        (br#"{"a":"\u00e9"}"#, r#"{"a":"é"}"#.as_bytes(), "body_reformatted"),
        (
            br#"{"a":"https:\/\/\ud83d\ude00"}"#,
            r#"{"a":"https://😀"}"#.as_bytes(),
            "body_reformatted",
        ),
        (r#"{"a":"é/"}"#.as_bytes(), br#"{"a": "\u00e9\/"}"#, "body_reformatted"),
    ] {
        let fields = plain(format!("sha256={}", hex(&text_mac(&[signed]))));
        let shown = String::from_utf8_lossy(signed);
        assert_eq!(hints(&fields, sent, &[secret()]), [code], "{shown}");
        assert_eq!(hints(&fields, signed, &[secret()]), [""; 0], "{shown}: this one is right");
    }
}

/// A body of some size uses up what may be hashed, so what is likely must come before it has.
#[test]
fn a_large_body_that_was_rewritten_is_recognised() {
    let words = "café ".repeat(35_000);
    let sent = format!(r#"{{"text":"{words}","n":[1,2]}}"#);
    assert!(sent.len() > 200 << 10);
    let another = || WebhookSecret::parse("whsec_AAAA").unwrap();
    let python = format!(r#"{{"text": "{}", "n": [1, 2]}}"#, words.replace('é', "\\u00e9"));
    let php = format!(r#"{{"text":"{}","n":[1,2]}}"#, words.replace('é', "\\u00e9"));
    let spaced = format!(r#"{{"text": "{words}", "n": [1, 2]}}"#);
    for before in [python, php, spaced] {
        let body = before.as_bytes();
        let right = STANDARD.encode(decoded_mac(&[&signed(NOW, body)]));
        let fields = standard(NOW, format!("v1,{right}"));
        for secrets in [vec![secret()], vec![another(), secret()]] {
            assert_eq!(hints(&fields, sent.as_bytes(), &secrets), ["body_reformatted"]);
        }
        let fields = plain(format!("sha256={}", hex(&text_mac(&[body]))));
        assert_eq!(hints(&fields, sent.as_bytes(), &[secret()]), ["body_reformatted"]);
    }
    let other = vec![
        ("webhook-timestamp", NOW.to_string()),
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(text_mac(&[sent.as_bytes()])))),
    ];
    let hinted = hints(&other, sent.as_bytes(), &[secret()]);
    assert_eq!(hinted, ["other_scheme", "secret_not_decoded"], "{hinted:?}");
}

#[test]
fn a_secret_that_was_read_the_other_way_is_recognised() {
    let fields = plain(format!("sha256={}", hex(&decoded_mac(&[BODY]))));
    assert_eq!(hints(&fields, BODY, &[secret()]), ["secret_decoded"]);
    let raw = STANDARD.encode(text_mac(&[&signed(NOW, BODY)]));
    let fields = standard(NOW, format!("v1,{raw}"));
    assert_eq!(hints(&fields, BODY, &[secret()]), ["secret_not_decoded"]);
}

#[test]
fn a_previous_secret_is_recognised() {
    let now = Timestamp::from_seconds(NOW).unwrap();
    let current = || WebhookSecret::parse("quite another secret").unwrap();
    let fields = plain(format!("sha256={}", hex(&text_mac(&[BODY]))));
    assert_eq!(hints(&fields, BODY, &[current(), secret().until(now)]), ["previous_secret"]);
    let later = Timestamp::from_seconds(NOW + 1).unwrap();
    assert_eq!(hints(&fields, BODY, &[current(), secret().until(later)]), [""; 0], "still good");
}

#[test]
fn a_clock_that_is_off_is_told_with_the_seconds() {
    for (time, words) in [(NOW - 301, "301 s behind"), (NOW + 4_000, "4000 s ahead of")] {
        let right = STANDARD.encode(decoded_mac(&[&signed(time, BODY)]));
        let fields = standard(time, format!("v1,{right}"));
        assert_eq!(hints(&fields, BODY, &[secret()]), ["clock_off"]);
        let fields: Vec<(&str, &[u8])> = fields.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let incoming = Incoming {
            headers: &fields,
            body: BODY,
            received_at: Timestamp::from_seconds(NOW).unwrap(),
            key_id: Uuid::nil(),
        };
        let detail = &diagnose(&incoming, &[secret()])[0].detail;
        assert!(detail.contains(words), "{detail}");
    }
    let two = standard(
        NOW - 301,
        format!("v1,{}", STANDARD.encode(text_mac(&[&signed(NOW - 301, BODY)]))),
    );
    assert_eq!(hints(&two, BODY, &[secret()]), ["secret_not_decoded", "clock_off"]);
}

#[test]
fn the_wrong_encoding_spelling_scheme_and_header_are_recognised() {
    let secrets = [secret()];
    let body = text_mac(&[BODY]);
    let whole = decoded_mac(&[&signed(NOW, BODY)]);
    let base64 = STANDARD.encode(body);
    let timed = text_mac(&[format!("{NOW}.").as_bytes(), BODY]);
    for (fields, codes) in [
        (plain(format!("sha256={base64}")), ["base64_instead_of_hex"]),
        (standard(NOW, format!("v1,{}", hex(&whole))), ["hex_instead_of_base64"]),
        (plain(hex(&body)), ["spelling"]),
        (plain(format!("sha256={}", hex(&body).to_uppercase())), ["spelling"]),
        (standard(NOW, STANDARD_NO_PAD.encode(whole)), ["spelling"]),
        (standard(NOW, format!("v1,{}", STANDARD_NO_PAD.encode(whole))), ["spelling"]),
        (standard(NOW, format!("v1,{}", URL_SAFE.encode(whole))), ["spelling"]),
        (vec![("x-signature", format!("sha256={}", hex(&body)))], ["other_header"]),
        (vec![("stripe-signature", format!("t={NOW},v1={}", hex(&body)))], ["other_scheme"]),
        (
            vec![
                ("webhook-timestamp", NOW.to_string()),
                ("x-webhook-signature", format!("sha256={}", hex(&timed))),
            ],
            ["other_scheme"],
        ),
    ] {
        assert_eq!(hints(&fields, BODY, &secrets), codes, "{fields:?}");
    }
}

#[test]
fn an_ed25519_signature_is_looked_into_as_well() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = STANDARD.encode(pair.public_key().as_ref());
    let public = || WebhookSecret::parse(&format!("whpk_{public}")).unwrap();
    let sent = |time: i64, body: &[u8]| {
        let signature = pair.sign(&signed(time, body));
        standard(time, format!("v1,AAAA v1a,{}", STANDARD.encode(signature.as_ref())))
    };
    let spaced = b"{\"a\": 1, \"b\": [1, 2]}";
    let ended = public().until(Timestamp::from_seconds(NOW).unwrap());
    assert_eq!(hints(&sent(NOW, BODY), BODY, &[public()]), [""; 0], "this one is right");
    assert_eq!(hints(&sent(NOW, spaced), BODY, &[secret(), public()]), ["body_reformatted"]);
    assert_eq!(hints(&sent(NOW, &[BODY, b"\n"].concat()), BODY, &[public()]), ["final_newline"]);
    assert_eq!(hints(&sent(NOW, BODY), BODY, &[secret(), ended]), ["previous_secret"]);
    assert_eq!(hints(&sent(NOW - 400, BODY), BODY, &[public()]), ["clock_off"]);
    let both = sent(NOW - 400, spaced);
    assert_eq!(hints(&both, BODY, &[public()]), ["body_reformatted", "clock_off"]);
    assert_eq!(hints(&sent(NOW, b"another"), BODY, &[public()]), [""; 0], "nothing like it");
}

#[test]
fn without_a_secret_nothing_is_learnt() {
    let secrets = [secret(), secret().until(Timestamp::EPOCH)];
    let stranger = hmac(b"guess", &[BODY]).unwrap();
    let key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let public = [WebhookSecret::parse(key).unwrap()];
    let by_public = hmac(key.as_bytes(), &[BODY]).unwrap();
    for (fields, secrets) in [
        (Vec::new(), &secrets[..]),
        (plain(String::new()), &secrets),
        (plain(format!("sha256={}", hex(&stranger))), &secrets),
        (standard(NOW, format!("v1,{}", STANDARD.encode(stranger))), &secrets),
        (standard(NOW - 1_000, format!("v1,{}", STANDARD.encode(stranger))), &secrets),
        (plain("x".repeat(10_000)), &secrets),
        (plain(format!("{} ", hex(&stranger)).repeat(200)), &secrets),
        (plain(format!("sha256={}", hex(&by_public))), &public[..]),
    ] {
        assert_eq!(hints(&fields, BODY, secrets), [""; 0], "{fields:?}");
    }
    let large = vec![b'x'; 16 << 20];
    let fields = plain(format!("sha256={}", hex(&stranger)));
    assert_eq!(hints(&fields, &large, &secrets), [""; 0], "given up, not searched for ever");
}

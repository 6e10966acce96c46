//! The published vectors, and what an attacker tries.

use super::*;

const SW_1: (&str, &str, &str, &str, &str) = (
    concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "1614265330",
    r#"{"test": 2432232314}"#,
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
);
const SW_2: (&str, &str, &str, &str, &str) = (
    concat!("whsec_", "plJ3nmyCDGBKInavdOK15jsl"),
    "msg_loFOjxBNrRLzqYUf",
    "1731705121",
    r#"{"event_type":"ping","data":{"success":true}}"#,
    "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
);
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_HEX: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
const NOW: i64 = 1_614_265_330;

fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::parse(text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).unwrap()
}

/// Verifies the first published message with one thing about it changed.
fn standard(
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: i64,
) -> Result<(), &'static str> {
    let fields = [
        ("Webhook-Id", id.as_bytes()),
        ("Webhook-Timestamp", timestamp.as_bytes()),
        ("Webhook-Signature", signature.as_bytes()),
    ];
    verify(Headers(&fields), body, at(now), &[secret(SW_1.0)]).map_err(|refusal| refusal.code())
}

fn signed(signature: &str) -> Result<(), &'static str> {
    standard(SW_1.1, SW_1.2, signature, SW_1.3.as_bytes(), NOW)
}

fn plain(signature: &str, body: &[u8]) -> Result<(), &'static str> {
    let fields = [("X-Webhook-Signature", signature.as_bytes())];
    verify(Headers(&fields), body, at(NOW), &[secret(GITHUB_SECRET)])
        .map_err(|refusal| refusal.code())
}

#[test]
fn the_published_standard_webhooks_messages_verify() {
    for (text, id, timestamp, body, signature) in [SW_1, SW_2] {
        let fields = [
            ("webhook-id", id.as_bytes()),
            ("webhook-timestamp", timestamp.as_bytes()),
            ("webhook-signature", signature.as_bytes()),
        ];
        let now = at(timestamp.parse().unwrap());
        let bare = text.trim_start_matches("whsec_");
        for secret in [secret(text), secret(bare)] {
            assert_eq!(verify(Headers(&fields), body.as_bytes(), now, &[secret]), Ok(()));
        }
    }
}

#[test]
fn the_published_hex_signature_verifies() {
    assert_eq!(plain(&format!("sha256={GITHUB_HEX}"), b"Hello, World!"), Ok(()));
}

#[test]
fn the_plain_form_uses_the_whole_secret_as_its_key() {
    // A secret that looks like Standard Webhooks is not decoded for this form.
    let secret = [secret(SW_1.0)];
    let signature = format!("sha256={}", hex(&hmac(SW_1.0.as_bytes(), &[b"{}"]).unwrap()));
    let fields = [("x-webhook-signature", signature.as_bytes())];
    assert_eq!(verify(Headers(&fields), b"{}", at(NOW), &secret), Ok(()));
}

#[test]
fn other_spellings_of_the_hex_signature_are_refused() {
    for signature in [
        String::new(),
        "sha256=".to_owned(),
        GITHUB_HEX.to_owned(),
        format!("sha1={GITHUB_HEX}"),
        format!("SHA256={GITHUB_HEX}"),
        format!("sha256={}", GITHUB_HEX.to_uppercase()),
        format!("sha256={GITHUB_HEX}00"),
        format!("sha256={}", &GITHUB_HEX[..62]),
        format!("sha256= {GITHUB_HEX}"),
        format!("sha256={}", GITHUB_HEX.replace('7', "8")),
        "sha256=\u{e9}".repeat(1_000),
    ] {
        assert_eq!(plain(&signature, b"Hello, World!"), Err("signature_invalid"), "{signature}");
    }
    let right = format!("sha256={GITHUB_HEX}");
    for body in [&b"Hello, World!\n"[..], b"Hello, World", b"", b"\xff\xfe"] {
        assert_eq!(plain(&right, body), Err("signature_invalid"));
    }
}

#[test]
fn one_valid_signature_in_any_position_is_enough() {
    let valid = SW_1.4;
    let other = SW_2.4;
    for list in [
        format!("{other} {valid}"),
        format!("{valid} {other}"),
        format!("{other} {valid} {other}"),
        format!("v2,xyz v1a,abcd {valid}"),
        format!("v1, v1 , {valid}"),
        format!("v1,not-base64 {valid}"),
        format!("  {valid}  "),
        format!("{} {valid}", "v1,AAAA ".repeat(1_000)),
    ] {
        assert_eq!(signed(&list), Ok(()), "{list}");
    }
}

#[test]
fn no_other_spelling_of_a_signature_passes() {
    let encoded = SW_1.4.trim_start_matches("v1,");
    for list in [
        String::new(),
        "v1,".to_owned(),
        encoded.to_owned(),
        format!("v1={encoded}"),
        format!("v1a,{encoded}"),
        format!("v2,{encoded}"),
        format!("V1,{encoded}"),
        format!("v1,{}", encoded.trim_end_matches('=')),
        format!("v1,{encoded}="),
        format!("v1,{}", encoded.replace('+', "-").replace('/', "_")),
        format!("v1,{}", &encoded[4..]),
        SW_2.4.to_owned(),
    ] {
        assert_eq!(signed(&list), Err("signature_invalid"), "{list}");
    }
}

#[test]
fn a_changed_body_id_or_time_does_not_verify() {
    let (_, id, timestamp, body, signature) = SW_1;
    for changed in [&b"{\"test\":2432232314}"[..], b"{\"test\": 2432232314}\n", b"", b"\xff"] {
        let outcome = standard(id, timestamp, signature, changed, NOW);
        assert_eq!(outcome, Err("signature_invalid"));
    }
    let outcome = standard("msg_other", timestamp, signature, body.as_bytes(), NOW);
    assert_eq!(outcome, Err("signature_invalid"));
    let outcome = standard(id, "1614265331", signature, body.as_bytes(), NOW);
    assert_eq!(outcome, Err("signature_invalid"));
    let outcome = standard(id, "01614265330", signature, body.as_bytes(), NOW);
    assert_eq!(outcome, Err("signature_invalid"), "the time is signed as it is written");
}

#[test]
fn the_signed_time_may_be_five_minutes_away_and_no_second_more() {
    let (_, id, timestamp, body, signature) = SW_1;
    for (now, outcome) in [
        (NOW, Ok(())),
        (NOW + 300, Ok(())),
        (NOW - 300, Ok(())),
        (NOW + 301, Err("signature_expired")),
        (NOW - 301, Err("signature_expired")),
        (NOW + 86_400, Err("signature_expired")),
    ] {
        assert_eq!(standard(id, timestamp, signature, body.as_bytes(), now), outcome, "{now}");
    }
}

#[test]
fn only_the_holder_of_the_secret_learns_that_a_time_is_old() {
    let (_, id, timestamp, body, _) = SW_1;
    let outcome = standard(id, timestamp, "v1,AAAA", body.as_bytes(), NOW + 301);
    assert_eq!(outcome, Err("signature_invalid"));
}

#[test]
fn a_time_that_is_no_number_and_an_id_with_a_dot_are_refused() {
    let (_, id, timestamp, body, signature) = SW_1;
    for timestamp in
        ["", "-1614265330", "+1614265330", "1e9", "inf", "NaN", "1614265330.0", "9999999999999"]
    {
        let outcome = standard(id, timestamp, signature, body.as_bytes(), NOW);
        assert_eq!(outcome, Err("invalid_header"), "{timestamp}");
    }
    // id "a", time "1.2" and id "a.1", time "2" would be signed as the same bytes.
    for id in ["msg.1", "", "msg 1", &"x".repeat(256)] {
        let outcome = standard(id, timestamp, signature, body.as_bytes(), NOW);
        assert_eq!(outcome, Err("invalid_header"), "{id}");
    }
}

#[test]
fn what_is_missing_or_repeated_is_said() {
    let (_, id, timestamp, body, signature) = SW_1;
    let all = [
        ("webhook-id", id.as_bytes()),
        ("webhook-timestamp", timestamp.as_bytes()),
        ("webhook-signature", signature.as_bytes()),
    ];
    let check = |fields: &[(&str, &[u8])]| {
        verify(Headers(fields), body.as_bytes(), at(NOW), &[secret(SW_1.0)])
            .map_err(|refusal| refusal.code())
    };
    assert_eq!(check(&[]), Err("signature_missing"));
    assert_eq!(check(&all[..2]), Err("signature_missing"));
    assert_eq!(check(&all[1..]), Err("invalid_header"));
    assert_eq!(check(&[all[0], all[2]]), Err("invalid_header"));
    for repeated in all {
        let mut fields = all.to_vec();
        fields.push(repeated);
        assert_eq!(check(&fields), Err("invalid_header"), "{}", repeated.0);
    }
    let twice = [("x-webhook-signature", &b"sha256=00"[..]); 2];
    assert_eq!(check(&twice), Err("invalid_header"));
}

#[test]
fn where_both_forms_are_there_the_stronger_one_decides() {
    let secret = [secret(SW_1.0)];
    let body = SW_1.3.as_bytes();
    let plain = format!("sha256={}", hex(&hmac(SW_1.0.as_bytes(), &[body]).unwrap()));
    let fields = [
        ("x-webhook-signature", plain.as_bytes()),
        ("webhook-id", SW_1.1.as_bytes()),
        ("webhook-timestamp", SW_1.2.as_bytes()),
        ("webhook-signature", SW_1.4.as_bytes()),
    ];
    assert_eq!(verify(Headers(&fields), body, at(NOW), &secret), Ok(()));
    let late = verify(Headers(&fields), body, at(NOW + 301), &secret);
    assert_eq!(late, Err(Refusal::SignatureExpired));
}

#[test]
fn a_secret_that_is_not_base64_signs_the_plain_form_only() {
    let fields = [
        ("webhook-id", SW_1.1.as_bytes()),
        ("webhook-timestamp", SW_1.2.as_bytes()),
        ("webhook-signature", SW_1.4.as_bytes()),
    ];
    let outcome = verify(Headers(&fields), SW_1.3.as_bytes(), at(NOW), &[secret(GITHUB_SECRET)]);
    assert_eq!(outcome, Err(Refusal::SignatureInvalid));
}

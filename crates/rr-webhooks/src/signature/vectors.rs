//! The published vectors of Stripe, PagerDuty, Svix and Convoy, and what an attacker makes of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const STRIPE_BODY: &[u8] = include_bytes!("vectors/stripe.json");
const STRIPE_AT: i64 = 1_533_204_620;
const STRIPE_V1: &str = "v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7";
const PAGERDUTY_BODY: &[u8] = include_bytes!("vectors/pagerduty.json");
const PAGERDUTY_SECRET: &str = "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK";
const PAGERDUTY_V1: &str = "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd";

const SVIX_PRIVATE: &str = concat!(
    "whsk_",
    "6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
);
const SVIX_PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const SVIX_V1A: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
const SVIX_BODY: &[u8] = br#"{"test": 2432232314}"#;
const SVIX_AT: i64 = 1_614_265_330;

fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::parse(text).unwrap()
}

fn check(
    fields: &[(&str, &str)],
    body: &[u8],
    now: i64,
    secrets: &[WebhookSecret],
) -> Result<(), &'static str> {
    let fields: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let now = Timestamp::from_seconds(now).unwrap();
    verify(Headers(&fields), body, now, secrets).map_err(|refusal| refusal.code())
}

fn stripe(header: &str, body: &[u8], now: i64) -> Result<(), &'static str> {
    check(&[("Stripe-Signature", header)], body, now, &[secret("webhook_secret")])
}

#[test]
fn stripe_s_published_signature_verifies_and_binds_body_and_time() {
    let good = format!("t={STRIPE_AT},{STRIPE_V1}");
    for (now, outcome) in [
        (STRIPE_AT, Ok(())),
        (STRIPE_AT + 300, Ok(())),
        (STRIPE_AT - 300, Ok(())),
        (STRIPE_AT + 301, Err("signature_expired")),
        (STRIPE_AT - 301, Err("signature_expired")),
    ] {
        assert_eq!(stripe(&good, STRIPE_BODY, now), outcome, "{now}");
    }
    assert_eq!(STRIPE_BODY.len(), 484);
    let shorter = &STRIPE_BODY[..483];
    assert_eq!(stripe(&good, shorter, STRIPE_AT), Err("signature_invalid"), "the newline counts");
    let later = format!("t={},{STRIPE_V1}", STRIPE_AT + 1);
    assert_eq!(stripe(&later, STRIPE_BODY, STRIPE_AT), Err("signature_invalid"));
}

#[test]
fn stripe_s_list_is_read_by_its_names_in_any_order() {
    let wrong = format!("v1={}", "0".repeat(64));
    for header in [
        format!("{STRIPE_V1},t={STRIPE_AT}"),
        format!("t={STRIPE_AT},{wrong},{STRIPE_V1}"),
        format!("t={STRIPE_AT}, {STRIPE_V1}, {wrong}"),
        format!("v0=x,t={STRIPE_AT},v2=,{STRIPE_V1},,"),
        format!("t={STRIPE_AT},{},{STRIPE_V1}", vec![wrong.as_str(); 200].join(",")),
    ] {
        assert_eq!(stripe(&header, STRIPE_BODY, STRIPE_AT), Ok(()), "{header}");
    }
    let v1 = STRIPE_V1;
    for (header, code) in [
        (v1.to_owned(), "invalid_header"),
        (format!("t={STRIPE_AT},t={STRIPE_AT},{v1}"), "invalid_header"),
        (format!("t={STRIPE_AT},t=1,{v1}"), "invalid_header"),
        (format!("t=-{STRIPE_AT},{v1}"), "invalid_header"),
        (format!("t=Infinity,{v1}"), "invalid_header"),
        (format!("t=,{v1}"), "invalid_header"),
        (format!("t={STRIPE_AT}.0,{v1}"), "invalid_header"),
        (format!("t=9999999999999,{v1}"), "invalid_header"),
        (format!("t={STRIPE_AT}"), "signature_invalid"),
        (format!("t={STRIPE_AT},{wrong}"), "signature_invalid"),
        (format!("t={STRIPE_AT},v1=1234567890"), "signature_invalid"),
        (format!("t={STRIPE_AT},{}", v1.to_uppercase().replace("V1", "v1")), "signature_invalid"),
        (format!("t={STRIPE_AT},{}", v1.replace("v1", "v0")), "signature_invalid"),
        (format!("t={STRIPE_AT},{v1}0"), "signature_invalid"),
        (format!("t={STRIPE_AT},{}", &v1[..65]), "signature_invalid"),
    ] {
        assert_eq!(stripe(&header, STRIPE_BODY, STRIPE_AT), Err(code), "{header}");
    }
    let twice = [("stripe-signature", v1), ("Stripe-Signature", v1)];
    let outcome = check(&twice, STRIPE_BODY, STRIPE_AT, &[secret("webhook_secret")]);
    assert_eq!(outcome, Err("invalid_header"));
}

#[test]
fn stripe_s_secret_is_its_whole_text() {
    let text = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let mac = hmac(text.as_bytes(), &[b"5.", b"{}"]).unwrap();
    let header: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = [("stripe-signature", &*format!("t=5,v1={header}"))];
    assert_eq!(check(&fields, b"{}", 5, &[secret(text)]), Ok(()));
}

#[test]
fn pagerduty_s_published_signature_verifies_in_any_position() {
    let secrets = [secret(PAGERDUTY_SECRET)];
    let wrong = "v1=7020c8a7ec668a9b7012bc3dd82e483394b038f4230acc6785efbf2a7d8bcaf5";
    let v1 = PAGERDUTY_V1;
    for (header, outcome) in [
        (v1.to_owned(), Ok(())),
        (format!("{wrong},{v1}"), Ok(())),
        (format!("{v1}, {wrong}"), Ok(())),
        (format!("v2=x,{v1}"), Ok(())),
        (wrong.to_owned(), Err("signature_invalid")),
        (String::new(), Err("signature_invalid")),
        (v1.replace("v1=", ""), Err("signature_invalid")),
        (v1.replace("v1=", "sha256="), Err("signature_invalid")),
    ] {
        let fields = [("X-PagerDuty-Signature", header.as_str())];
        assert_eq!(check(&fields, PAGERDUTY_BODY, 0, &secrets), outcome, "{header}");
    }
    let fields = [("X-PagerDuty-Signature", v1)];
    assert_eq!(check(&fields, b"", 0, &secrets), Err("signature_invalid"));
}

#[test]
fn github_s_header_is_the_plain_form() {
    let hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let secrets = [secret("It's a Secret to Everybody")];
    let good = format!("sha256={hex}");
    let fields = [("X-Hub-Signature-256", good.as_str()), ("X-Hub-Signature", "sha1=00")];
    assert_eq!(check(&fields, b"Hello, World!", 0, &secrets), Ok(()));
    assert_eq!(check(&fields[1..], b"Hello, World!", 0, &secrets), Err("signature_missing"));
}

fn ed25519(list: &str, now: i64, secrets: &[WebhookSecret]) -> Result<(), &'static str> {
    let time = SVIX_AT.to_string();
    let fields = [
        ("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("svix-timestamp", time.as_str()),
        ("svix-signature", list),
    ];
    check(&fields, SVIX_BODY, now, secrets)
}

#[test]
fn an_ed25519_signature_verifies_with_the_public_half() {
    for key in [SVIX_PUBLIC, SVIX_PRIVATE] {
        let secrets = [secret("another"), secret(key)];
        assert_eq!(ed25519(SVIX_V1A, SVIX_AT, &secrets), Ok(()));
        assert_eq!(ed25519(&format!("v1,AAAA v1a,AAAA {SVIX_V1A}"), SVIX_AT, &secrets), Ok(()));
        assert_eq!(ed25519(SVIX_V1A, SVIX_AT + 301, &secrets), Err("signature_expired"));
    }
    let secrets = [secret(SVIX_PUBLIC)];
    let zero = format!("v1a,{}==", "A".repeat(86));
    for list in [
        SVIX_V1A.replace("v1a,", "v1,"),
        SVIX_V1A.replace("hnO3", "hnO4"),
        SVIX_V1A.trim_end_matches('=').to_owned(),
        zero.clone(),
        format!("{} {SVIX_V1A}", [zero.as_str(); MOST_ED25519].join(" ")),
    ] {
        assert_eq!(ed25519(&list, SVIX_AT, &secrets), Err("signature_invalid"), "{list}");
    }
}

#[test]
fn a_public_key_does_not_make_an_hmac() {
    // Everyone knows the public key, so everyone could compute this.
    let hex: String = hmac(SVIX_PUBLIC.as_bytes(), &[SVIX_BODY])
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let secrets = [secret(SVIX_PUBLIC)];
    for header in ["x-webhook-signature", "x-hub-signature-256"] {
        let signature = format!("sha256={hex}");
        let outcome = check(&[(header, signature.as_str())], SVIX_BODY, 0, &secrets);
        assert_eq!(outcome, Err("signature_invalid"), "{header}");
    }
}

#[test]
fn the_names_of_svix_are_those_of_standard_webhooks() {
    let secrets = [secret(concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))];
    let good = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(ed25519(good, SVIX_AT, &secrets), Ok(()));
    let time = SVIX_AT.to_string();
    let mixed = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", time.as_str()),
        ("svix-signature", good),
    ];
    assert_eq!(check(&mixed, SVIX_BODY, SVIX_AT, &secrets), Err("invalid_header"));
}

#[test]
fn several_secrets_are_good_at_once_each_until_its_end() {
    let end = Timestamp::from_seconds(STRIPE_AT).unwrap();
    let old = || secret("webhook_secret").until(end);
    let good = format!("t={},{STRIPE_V1}", STRIPE_AT);
    let fields = [("stripe-signature", good.as_str())];
    for (secrets, now, outcome) in [
        (vec![secret("new"), old()], STRIPE_AT - 1, Ok(())),
        (vec![old(), secret("new")], STRIPE_AT - 1, Ok(())),
        (vec![secret("new"), old()], STRIPE_AT, Err("signature_invalid")),
        (vec![secret("new")], STRIPE_AT, Err("signature_invalid")),
    ] {
        assert_eq!(check(&fields, STRIPE_BODY, now, &secrets), outcome, "{now}");
    }
}

const CONVOY_SECRET: &str = "convoy-webhook-secret";
const CONVOY_BODY: &[u8] = br#"{"event":"charge.success","amount":1000,"currency":"NGN"}"#;
const CONVOY_AT: i64 = 1_700_000_000;
const SIMPLE: &str = "244449b7f48cbc2709060c9dcdc2b3aa47a78f540430579015c579fb12defbb4";
const ADVANCED: &str = "77b8b9269f25a199846a55a2bd25b3fba151c70fdae60bb1dcd87fbbc943c55c";
const ADVANCED_BASE64: &str = "d7i5Jp8loZmEalWivSWz+6FRxw/a5gux3Nh/u8lDxVw=";

/// What Convoy's signature in its simple mode, the HMAC of the body alone, is as `X-Webhook-Signature`. Its base64
/// and its SHA-512 are spellings and hashes that we do not take.
const CONVOY_SIMPLE: [(&str, Result<(), &str>); 5] = [
    (SIMPLE, Ok(())),
    ("JERJt/SMvCcJBgydzcKzqkenj1QEMFeQFcV5+xLe+7Q=", Err("signature_invalid")),
    (
        "6cc772dc81942ae1b5ffa91c3a6a07b0d37edc8dc6bd83e3518a219f1f19ff71ae1b76d6b320940d414c236a1aad7f7930b63e0f1928951955d31219545e1b66",
        Err("signature_invalid"),
    ),
    (
        "bMdy3IGUKuG1/6kcOmoHsNN+3I3GvYPjUYohnx8Z/3GuG3bWsyCUDUFMI2oarX95MLY+DxkolRlV0xIZVF4bZg==",
        Err("signature_invalid"),
    ),
    ("244449b7f48cbc2709060c9dcdc2b3aa47a78f540430579015c579fb12defbb0", Err("signature_invalid")),
];

/// Its advanced mode is a list as in Stripe's header, with the age of the request in seconds. Where it says that a
/// case is valid and we do not, it is again for base64 or SHA-512.
const CONVOY_ADVANCED: [(&str, i64, Result<(), &str>); 12] = [
    ("t=1700000000,v1=HEX", 0, Ok(())),
    ("t=1700000000,v1=BASE64", 0, Err("signature_invalid")),
    (
        "t=1700000000,v1=b2122e252cd2582cf225cb2b8d4ceede9e34329e2fe95c02619c3ed5d4a3d9a73e6beaf2dff8e76d71a693ae198cee40685eed12ad4ee2e033dc2d0399ede057",
        0,
        Err("signature_invalid"),
    ),
    (
        "t=1700000000,v1=shIuJSzSWCzyJcsrjUzu3p40Mp4v6VwCYZw+1dSj2ac+a+ry3/jnbXGmk64ZjO5AaF7tEq1O4uAz3C0Dme3gVw==",
        0,
        Err("signature_invalid"),
    ),
    (
        "t=1700000000,v1=77b8b9269f25a199846a55a2bd25b3fba151c70fdae60bb1dcd87fbbc943c550",
        0,
        Err("signature_invalid"),
    ),
    ("t=1700000000,v1=HEX", 301, Err("signature_expired")),
    ("v1=HEX,t=1700000000", 0, Ok(())),
    (
        "t=1700000000,v1=449623e4897bbde05e35358293f97b8c2f697367ffa3e7466e98178dfba44d19,v1=HEX",
        0,
        Ok(()),
    ),
    (
        "t=1700000000,v1=449623e4897bbde05e35358293f97b8c2f697367ffa3e7466e98178dfba44d19,v1=c7eff1833c41a2ce2e195599451b240cd282b1bc9fa387e428a9fd5a5dc74933",
        0,
        Err("signature_invalid"),
    ),
    ("t=Infinity,v1=HEX", 0, Err("invalid_header")),
    ("t=1700000000,v1=1234567890", 0, Err("signature_invalid")),
    ("v1=HEX,v2=HEX", 0, Err("invalid_header")),
];

/// All of Convoy's published cases. It joins time and body with a comma where Stripe has a dot: so as published
/// none of its advanced signatures is Stripe's, and with the right ones in their places (`HEX`, `BASE64`) its list is
/// read as it demands.
#[test]
fn convoy_s_published_cases_are_judged_each_by_its_verdict_or_more_strictly() {
    let secrets = [secret(CONVOY_SECRET)];
    for (hex, verdict) in CONVOY_SIMPLE {
        let header = format!("sha256={hex}");
        let outcome = check(&[("x-webhook-signature", &*header)], CONVOY_BODY, CONVOY_AT, &secrets);
        assert_eq!(outcome, verdict, "{hex}");
    }
    let key = CONVOY_SECRET.as_bytes();
    let published = hmac(key, &[b"1700000000,", CONVOY_BODY]).unwrap();
    let ours = hmac(key, &[b"1700000000.", CONVOY_BODY]).unwrap();
    let hex = |mac: [u8; 32]| mac.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(
        (hex(published).as_str(), STANDARD.encode(published).as_str()),
        (ADVANCED, ADVANCED_BASE64)
    );
    for (header, age, verdict) in CONVOY_ADVANCED {
        let with = |mac: [u8; 32]| {
            header.replace("HEX", &hex(mac)).replace("BASE64", &STANDARD.encode(mac))
        };
        let judged = |header: &str| {
            check(&[("stripe-signature", header)], CONVOY_BODY, CONVOY_AT + age, &secrets)
        };
        assert_eq!(judged(&with(ours)), verdict, "{header}");
        assert!(judged(&with(published)).is_err(), "{header}");
    }
}

//! What a verifier of webhooks must survive, one test an item, through the front door: the list that the
//! senders' own libraries and their histories make. The functions of this file are the list.
//!
//! "Refused" is an answer of the 400s that stores nothing; no test here may ever see a 500 or a crash.

mod guarded;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guarded::*;
use rr_tests::client::{Answer, Call};
use rr_tests::raw::{RawAnswer, exchange};
use serde_json::{Value, json};

#[tokio::test]
async fn several_v1_with_only_one_valid_in_any_position() {
    let guarded = Guarded::init().await;
    let (now, wrong) = (guarded.now, hex(&[7; 32]));
    let right = guarded.v1(now, BODY);
    for [a, b, c] in [[&right, &wrong, &wrong], [&wrong, &right, &wrong], [&wrong, &wrong, &right]]
    {
        let list = format!("v1={a},v1={b},v1={c}");
        guarded.stripe(&format!("t={now},{list}")).await.expect(200);
        let mac = hex(&mac(TEXT, &[BODY]));
        let list = list.replace(&right, &mac);
        guarded.call(BODY, &[("x-pagerduty-signature", &list)]).await.expect(200);
    }
    let wrong = format!("v1,{}", STANDARD.encode([7; 32]));
    for (place, id) in ["first", "second", "third"].into_iter().enumerate() {
        let mut list = vec![wrong.clone(); 3];
        list[place] = format!("v1,{}", guarded.base64(id, now, BODY));
        guarded.standard(id, now, &list.join(" ")).await.expect(200);
    }
}

#[tokio::test]
async fn t_not_first() {
    let guarded = Guarded::init().await;
    let (now, v1) = (guarded.now, guarded.v1(guarded.now, BODY));
    guarded.stripe(&format!("v1={v1},t={now}")).await.expect(200);
    guarded.stripe(&format!("v0=x, v1={v1} ,t={now}")).await.expect(200);
}

#[tokio::test]
async fn t_repeated() {
    let guarded = Guarded::init().await;
    let (now, old) = (guarded.now, guarded.now - 86_400);
    let (v1, old_v1) = (guarded.v1(now, BODY), guarded.v1(old, BODY));
    let calls = [
        format!("t={now},t={now},v1={v1}"),
        // What was captured yesterday, with today's time beside the one that is signed.
        format!("t={now},t={old},v1={old_v1}"),
        format!("t={old},v1={old_v1},t={now}"),
    ];
    let calls = calls.iter().map(|header| guarded.stripe(header)).collect();
    guarded.refused(calls, 400, "invalid_header").await;
}

/// Each time is signed as it is written, so only what it says stands against it.
async fn refuse_times(times: &[&str]) {
    let guarded = Guarded::init().await;
    let mut calls = Vec::new();
    for time in times {
        let v1 = hex(&mac(TEXT, &[time.as_bytes(), b".", BODY]));
        calls.push(guarded.stripe(&format!("t={time},v1={v1}")));
        let signature = mac(&decoded(), &[b"id.", time.as_bytes(), b".", BODY]);
        let signature = format!("v1,{}", STANDARD.encode(signature));
        let standard = [("webhook-id", "id"), ("webhook-timestamp", time)];
        calls.push(
            guarded.call(BODY, &[standard[0], standard[1], ("webhook-signature", &signature)]),
        );
    }
    guarded.refused(calls, 400, "invalid_header").await;
}

#[tokio::test]
async fn t_negative() {
    refuse_times(&["-1", "-0", "-1768478400"]).await;
}

#[tokio::test]
async fn t_infinite() {
    refuse_times(&["inf", "Infinity", "NaN", "1e999", "99999999999999999999999"]).await;
}

#[tokio::test]
async fn t_not_a_number() {
    refuse_times(&["", "now", "0x10", "1768478400.0", "1_768_478_400", "+1768478400"]).await;
}

#[tokio::test]
async fn unknown_versions_before_the_valid_one() {
    let guarded = Guarded::init().await;
    let (now, v1) = (guarded.now, guarded.v1(guarded.now, BODY));
    guarded.stripe(&format!("v0=00,v2={v1},scheme=,x,t={now},v1={v1}")).await.expect(200);
    let list = format!("v0,AAAA v2,xyz v1a,AAAA nothing v1,{}", guarded.base64("id", now, BODY));
    guarded.standard("id", now, &list).await.expect(200);
    let only = [format!("t={now},v2={v1}"), format!("t={now},v0={v1}")];
    let calls = only.iter().map(|header| guarded.stripe(header)).collect();
    guarded.refused(calls, 401, "signature_invalid").await;
}

#[tokio::test]
async fn a_header_that_is_repeated() {
    let guarded = Guarded::init().await;
    let now = guarded.now.to_string();
    let signature = format!("v1,{}", guarded.base64("id", guarded.now, BODY));
    let plain = format!("sha256={}", hex(&mac(TEXT, &[BODY])));
    let stripe = format!("t={now},v1={}", guarded.v1(guarded.now, BODY));
    let good = [
        ("webhook-id", "id"),
        ("webhook-timestamp", now.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    let mut calls: Vec<Call> =
        good.iter().map(|again| guarded.call(BODY, &[good[0], good[1], good[2], *again])).collect();
    for (name, value) in [
        ("x-webhook-signature", &plain),
        ("x-hub-signature-256", &plain),
        ("stripe-signature", &stripe),
    ] {
        calls.push(guarded.call(BODY, &[(name, value), (name, value)]));
        calls.push(guarded.call(BODY, &[(name, "sha256=00"), (name, value)]));
    }
    // An id is looked at before anybody asks whose it is.
    guarded.refused(vec![calls.remove(0)], 400, "repeated_header").await;
    guarded.refused(calls, 400, "invalid_header").await;
}

#[tokio::test]
async fn a_header_that_is_huge() {
    let guarded = Guarded::init().await;
    let (now, v1) = (guarded.now, guarded.v1(guarded.now, BODY));
    // Many entries are read, up to what heads may hold, and the one that is right is found.
    let many = "v1=00,".repeat(2_000);
    guarded.stripe(&format!("{many}t={now},v1={v1}")).await.expect(200);
    let before = guarded.app.counts().await;
    for header in ["stripe-signature", "webhook-signature", "x-webhook-signature"] {
        let huge = "v1=00,".repeat(10_000);
        let answer = guarded.call(BODY, &[(header, &huge)]).await;
        assert_eq!(answer.code(), 431, "{header}: {}", answer.text());
    }
    assert_eq!(guarded.app.counts().await, before);
}

#[tokio::test]
async fn a_signature_of_wrong_length() {
    let guarded = Guarded::init().await;
    let (now, v1) = (guarded.now, guarded.v1(guarded.now, BODY));
    let base64 = guarded.base64("id", now, BODY);
    let mut calls = Vec::new();
    for cut in [0, 1, 2, 31, 32, 62, 63] {
        calls.push(guarded.stripe(&format!("t={now},v1={}", &v1[..cut])));
        calls.push(
            guarded.call(BODY, &[("x-webhook-signature", &format!("sha256={}", &v1[..cut]))]),
        );
    }
    calls.push(guarded.stripe(&format!("t={now},v1={v1}0")));
    calls.push(guarded.stripe(&format!("t={now},v1={v1}00")));
    calls.push(guarded.stripe(&format!("t={now},v1={v1}{v1}")));
    calls.push(guarded.standard("id", now, &format!("v1,{}", &base64[..40])));
    calls.push(guarded.standard("id", now, &format!("v1,{}", STANDARD.encode([0; 33]))));
    calls.push(guarded.standard("id", now, "v1,"));
    guarded.refused(calls, 401, "signature_invalid").await;
}

#[tokio::test]
async fn upper_case_hexadecimal() {
    let guarded = Guarded::init().await;
    let upper = guarded.v1(guarded.now, BODY).to_uppercase();
    let plain = format!("sha256={}", hex(&mac(TEXT, &[BODY])).to_uppercase());
    let calls = vec![
        guarded.stripe(&format!("t={},v1={upper}", guarded.now)),
        guarded.call(BODY, &[("x-hub-signature-256", &plain)]),
    ];
    for problem in guarded.refused(calls, 401, "signature_invalid").await {
        assert_eq!(
            hint(&problem),
            "spelling",
            "no sender writes it so, and who does is told: {problem}"
        );
    }
}

#[tokio::test]
async fn base64_without_its_padding() {
    let guarded = Guarded::init().await;
    let base64 = guarded.base64("id", guarded.now, BODY);
    let bare = format!("v1,{}", base64.trim_end_matches('='));
    let calls = vec![guarded.standard("id", guarded.now, &bare)];
    let problems = guarded.refused(calls, 401, "signature_invalid").await;
    assert_eq!(hint(&problems[0]), "spelling");
}

#[tokio::test]
async fn an_empty_secret() {
    let guarded = Guarded::init().await;
    // What would be signed with nothing, by someone who hopes that nothing is configured.
    let time = format!("{}.", guarded.now);
    let v1 = hex(&mac(b"", &[time.as_bytes(), BODY]));
    let plain = format!("sha256={}", hex(&mac(b"", &[BODY])));
    let calls = vec![
        guarded.stripe(&format!("t={time}v1={v1}").replace(".v1", ",v1")),
        guarded.call(BODY, &[("x-webhook-signature", &plain)]),
    ];
    guarded.refused(calls, 401, "signature_invalid").await;
    // And none is ever taken as a secret.
    let admin = guarded.app.as_admin().await;
    for empty in ["", "whsec_", "whpk_", "whsk_"] {
        let body = json!({"secret": empty});
        let answer = admin.post("/api/devops/sources/default/secrets", &body).await;
        let problem = answer.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/secret", "{problem}");
    }
}

#[tokio::test]
async fn a_whsec_secret_of_the_wrong_family() {
    let guarded = Guarded::init().await;
    let now = guarded.now;
    // Stripe's key is the text, that of Standard Webhooks what the text stands for; each the other way.
    let stripe = hex(&mac(&decoded(), &[format!("{now}.").as_bytes(), BODY]));
    let standard = STANDARD.encode(mac(TEXT, &[format!("id.{now}.").as_bytes(), BODY]));
    let calls = vec![
        guarded.stripe(&format!("t={now},v1={stripe}")),
        guarded.standard("id", now, &format!("v1,{standard}")),
    ];
    let problems = guarded.refused(calls, 401, "signature_invalid").await;
    assert_eq!([hint(&problems[0]), hint(&problems[1])], ["secret_decoded", "secret_not_decoded"]);
}

#[tokio::test]
async fn a_dot_inside_the_id() {
    let guarded = Guarded::init().await;
    let now = guarded.now;
    // "a.1" at 2 and "a" at "1.2" would be the same signed bytes.
    for id in ["msg.1", ".", "msg_1."] {
        let signature = format!("v1,{}", guarded.base64(id, now, BODY));
        let calls = vec![guarded.standard(id, now, &signature)];
        guarded.refused(calls, 400, "invalid_header").await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8() {
    let guarded = Guarded::init().await;
    let mut calls = Vec::new();
    let bodies: [&[u8]; 4] = [
        b"{\"event_type\":\"\xff\"}",
        b"{\"event_type\":\"\xc0\xaf\"}",
        b"\xef\xbb\xbf{\"event_type\":\"x\"}",
        b"\xff\xfe{\x00}\x00",
    ];
    for body in bodies {
        // Rightly signed, because the signature is over bytes: it is refused for what it is.
        let plain = format!("sha256={}", hex(&mac(TEXT, &[body])));
        calls.push(guarded.call(body, &[("x-webhook-signature", &plain)]));
    }
    guarded.refused(calls, 400, "invalid_json").await;
    let wrong = guarded.call(bodies[0], &[("x-webhook-signature", "sha256=00")]);
    guarded.refused(vec![wrong], 401, "signature_invalid").await;
}

/// Sends another body than the one that was signed, in two forms of signature; gives the hints.
async fn hints_of_changed(bodies: &[&[u8]]) -> Vec<String> {
    let guarded = Guarded::init().await;
    let plain = format!("sha256={}", hex(&mac(TEXT, &[BODY])));
    let stripe = format!("t={},v1={}", guarded.now, guarded.v1(guarded.now, BODY));
    let mut calls = Vec::new();
    for body in bodies {
        calls.push(guarded.call(body, &[("x-webhook-signature", &plain)]));
        calls.push(guarded.call(body, &[("stripe-signature", &stripe)]));
    }
    let problems = guarded.refused(calls, 401, "signature_invalid").await;
    problems.iter().map(|problem| hint(problem).to_owned()).collect()
}

#[tokio::test]
async fn a_body_that_was_encoded_again() {
    let again = serde_json::to_vec(&serde_json::from_slice::<Value>(BODY).unwrap()).unwrap();
    assert_ne!(again, BODY);
    let spaced = br#"{"event_type": "hostile", "amount": 1.50}"#;
    hints_of_changed(&[&again, spaced]).await;
    // Where the original can be found out from what came, the sender is told.
    let guarded = Guarded::init().await;
    let compact = br#"{"event_type":"hostile","data":{"a":[1,2]}}"#;
    let plain = format!("sha256={}", hex(&mac(TEXT, &[compact])));
    let spaced = b"{\n  \"event_type\": \"hostile\",\n  \"data\": {\"a\": [1, 2]}\n}";
    let calls = vec![guarded.call(spaced, &[("x-webhook-signature", &plain)])];
    let problems = guarded.refused(calls, 401, "signature_invalid").await;
    assert_eq!(hint(&problems[0]), "body_reformatted");
}

#[tokio::test]
async fn a_trailing_newline() {
    let hints = hints_of_changed(&[&[BODY, b"\n"].concat(), &[BODY, b"\r\n"].concat()]).await;
    assert!(hints.iter().all(|hint| hint == "final_newline"), "{hints:?}");
    // A newline that was signed is part of the body and harms nobody.
    let guarded = Guarded::init().await;
    let body = [BODY, b"\n"].concat();
    let plain = format!("sha256={}", hex(&mac(TEXT, &[&body])));
    guarded.call(&body, &[("x-webhook-signature", &plain)]).await.expect(200);
}

#[tokio::test]
async fn exactly_300_s_and_301_s_past_and_future() {
    let guarded = Guarded::init().await;
    for (off, status) in [(-300, 200), (300, 200), (-301, 401), (301, 401)] {
        let time = guarded.now + off;
        let id = format!("msg{off}");
        let signature = format!("v1,{}", guarded.base64(&id, time, BODY));
        let stripe = format!("t={time},v1={}", guarded.v1(time, BODY));
        for call in [guarded.standard(&id, time, &signature), guarded.stripe(&stripe)] {
            let answer: Answer = call.await;
            if status == 200 {
                answer.expect(200);
            } else {
                let problem = answer.problem(401, "signature_expired");
                assert_eq!(hint(&problem), "clock_off");
            }
        }
    }
}

/// A request written by hand, of an object of so many bytes.
async fn by_hand(guarded: &Guarded, framing: &str, body: &[u8], end: &[u8]) -> RawAnswer {
    let plain = hex(&mac(TEXT, &[body]));
    let head = format!(
        "POST {WEBHOOK} HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\nContent-Type: application/json\r\n\
         X-Webhook-Signature: sha256={plain}\r\nConnection: close\r\n{framing}\r\n\r\n",
        guarded.key.secret
    );
    let bytes = [head.as_bytes(), end].concat();
    exchange(guarded.app.address(), bytes, Duration::from_secs(20)).await
}

fn sized(bytes: usize) -> Vec<u8> {
    let pad = bytes - br#"{"p":""}"#.len();
    format!(r#"{{"p":"{}"}}"#, "x".repeat(pad)).into_bytes()
}

#[tokio::test]
async fn a_content_length_that_lies_at_the_size_limit() {
    let guarded = Guarded::init().await;
    let body = sized(LIMIT);
    let length = |bytes: usize| format!("Content-Length: {bytes}");
    let answer = by_hand(&guarded, &length(LIMIT), &body, &body).await;
    assert_eq!(answer.status(), Some(200), "it tells the truth: {}", answer.text);
    let before = guarded.app.counts().await;
    // More is announced than may come, and refused before any of it does.
    let answer = by_hand(&guarded, &length(LIMIT + 1), &body, b"").await;
    assert_eq!(answer.status(), Some(413), "{}", answer.text);
    // Less is announced than comes: the body ends where it was said to, and what follows is no request.
    let answer = by_hand(&guarded, &length(LIMIT - 1), &body, &body).await;
    assert_eq!(answer.status(), Some(401), "{}", answer.text);
    assert!(!answer.text.contains("200 OK"), "{}", answer.text);
    for wrong in ["-1", "+5", "1e3", "0x10", "99999999999999999999", "5, 5", ""] {
        let answer = by_hand(&guarded, &format!("Content-Length: {wrong}"), &body, &body).await;
        assert_eq!(answer.status(), Some(400), "{wrong}: {}", answer.text);
    }
    assert_eq!(guarded.app.counts().await, before);
}

#[tokio::test]
async fn no_content_length_at_the_size_limit() {
    let guarded = Guarded::init().await;
    let chunked = |body: &[u8], step: usize| {
        let chunks = body.chunks(step).flat_map(|chunk| {
            [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()
        });
        chunks.chain(*b"0\r\n\r\n").collect::<Vec<u8>>()
    };
    let framing = "Transfer-Encoding: chunked";
    for step in [1, 333, LIMIT] {
        let body = sized(LIMIT);
        let answer = by_hand(&guarded, framing, &body, &chunked(&body, step)).await;
        assert_eq!(answer.status(), Some(200), "{step}: {}", answer.text);
    }
    let before = guarded.app.counts().await;
    for step in [1, 333, LIMIT + 1] {
        let body = sized(LIMIT + 1);
        let answer = by_hand(&guarded, framing, &body, &chunked(&body, step)).await;
        assert_eq!(answer.status(), Some(413), "{step}: {}", answer.text);
    }
    // Neither: then there is no body.
    let body = sized(LIMIT);
    let answer = by_hand(&guarded, "X-Nothing: 1", &body, &body).await;
    assert_eq!(answer.status(), Some(401), "{}", answer.text);
    assert_eq!(guarded.app.counts().await, before);
}

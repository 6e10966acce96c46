//! `docs/api.md` is true: every curl line in it is run, and what follows it is what comes back.
//!
//! `"…"` in an expected answer stands for a value that changes. More members than the document
//! shows are fine; fewer, or others, are not.

use std::process::Command;

use rr_tests::app::TestApp;
use rr_tests::client::{Answer, Client};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../../docs/api.md");
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "the password of the demo";

/// A fenced block of the document.
struct Block<'a> {
    language: &'a str,
    text: String,
    line: usize,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (number, line) in document.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block { language, text: String::new(), line: number + 1 });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// What curl would be given: the shell takes the line apart, so that quotes and variables mean what
/// they mean when the line is pasted.
fn arguments(line: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{line}");
    let mut shell = Command::new("sh");
    let output = shell.arg("-eu").arg("-c").arg(script).envs(variables.iter().copied()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// Does what curl would do with these arguments.
async fn curl(client: &Client, jar: &mut Option<String>, arguments: &[String]) -> Answer {
    let mut method = None;
    let mut path = None;
    let mut headers = Vec::new();
    let mut body = None;
    let mut keeps_cookies = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().expect("an option's value").clone();
        match argument.as_str() {
            "-s" => {}
            "-X" => method = Some(value()),
            "-H" => headers.push(value()),
            "-d" => body = Some(value()),
            "-b" => {
                value();
                headers.push(format!("cookie: {}", jar.as_deref().expect("a cookie")));
            }
            "-c" => {
                value();
                keeps_cookies = true;
            }
            url => path = Some(url.strip_prefix(client.base()).expect("our own server").to_owned()),
        }
    }
    let default = if body.is_some() { "POST" } else { "GET" };
    let mut call = client.call(method.as_deref().unwrap_or(default), &path.expect("a URL"));
    for header in &headers {
        let (name, value) = header.split_once(": ").expect("a header");
        if !name.eq_ignore_ascii_case("content-type") {
            call = call.header(name, value);
        }
    }
    if let Some(body) = body {
        let named = headers.iter().find_map(|header| {
            let (name, value) = header.split_once(": ")?;
            name.eq_ignore_ascii_case("content-type").then_some(value)
        });
        call = call.body(named.expect("a content type"), body);
    }
    let answer = call.await;
    if keeps_cookies {
        let cookie = answer.header("set-cookie").expect("a cookie");
        *jar = cookie.split(';').next().map(str::to_owned);
    }
    answer
}

/// Where `actual` is not what the document shows; `None` when it is.
fn difference(place: &str, shown: &Value, actual: &Value) -> Option<String> {
    match (shown, actual) {
        (Value::String(any), actual) if any == "…" && !actual.is_null() => None,
        (Value::Object(shown), Value::Object(actual)) => shown.iter().find_map(|(name, shown)| {
            difference(&format!("{place}/{name}"), shown, actual.get(name).unwrap_or(&Value::Null))
        }),
        (Value::Array(shown), Value::Array(actual)) if shown.len() == actual.len() => {
            shown.iter().zip(actual).enumerate().find_map(|(index, (shown, actual))| {
                difference(&format!("{place}/{index}"), shown, actual)
            })
        }
        _ if shown == actual => None,
        _ => Some(format!("{place} is {actual}, and the document shows {shown}")),
    }
}

#[tokio::test]
async fn every_example_of_the_api_document_works() {
    let app = TestApp::demo().await;
    let admin = app.store().user_by_email(EMAIL.to_owned()).await.unwrap().unwrap();
    let hash = rr_http::hash_password(PASSWORD, &app.state.random).unwrap();
    app.store().set_password(admin.id, hash, app.audit()).await.unwrap();
    let key = app.with_key(&["read_metrics", "write_webhooks"]).await;
    let variables = [
        ("RR", app.base()),
        ("KEY", key.secret.as_str()),
        ("JAR", "jar"),
        ("RR_ADMIN_EMAIL", EMAIL),
        ("RR_ADMIN_PASSWORD", PASSWORD),
    ];

    let mut jar = None;
    let mut answer: Option<Answer> = None;
    let (mut ran, mut compared) = (0, 0);
    for block in blocks(DOCUMENT) {
        let place = format!("docs/api.md, line {}", block.line);
        match block.language {
            "sh" => {
                let arguments = arguments(&block.text, &variables);
                answer = Some(curl(&app, &mut jar, &arguments).await);
                ran += 1;
            }
            "json" => {
                let answer = answer.take().unwrap_or_else(|| panic!("{place}: no request"));
                let shown: Value = serde_json::from_str(&block.text).unwrap();
                let actual: Value = serde_json::from_slice(&answer.body)
                    .unwrap_or_else(|_| panic!("{place}: {} {}", answer.status, answer.text()));
                if let Some(difference) = difference("", &shown, &actual) {
                    panic!("{place}: {difference}\n{}", answer.text());
                }
                let problem = shown["code"].is_string();
                let expected = if problem { shown["status"].as_u64().unwrap() } else { 200 };
                assert_eq!(u64::from(answer.code()), expected, "{place}");
                compared += 1;
            }
            other => panic!("{place}: a block of {other:?} is not run by anybody"),
        }
    }
    assert!(ran > 10 && ran == compared, "{ran} requests, {compared} answers");
}

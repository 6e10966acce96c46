//! What the documents show is what the server does: every `curl` in them is run, and the JSON or the text that
//! follows it is compared with the answer. `"…"` in JSON stands for a value that changes, `…` in text for
//! whatever stands there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use rr_tests::database::TestDatabase;
use rr_tests::process::{Program, make_key};
use serde_json::Value;

/// A command of a document and the answer it promises.
struct Example {
    place: String,
    command: String,
    answer: Shown,
}

/// What a document says comes back.
enum Shown {
    Nothing,
    Json(Value),
    Text(String),
}

/// The fenced blocks of a document, in order: (line, language, text).
pub(crate) fn blocks(markdown: &str) -> Vec<(usize, String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String, String)> = None;
    for (index, line) in markdown.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((index + 1, language.to_owned(), String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((at, language, text))) => open = Some((at, language, text + line + "\n")),
            (None, None) => {}
        }
    }
    blocks
}

/// The `curl` commands of a document, each with the answer right behind it.
fn examples(file: &Path) -> Vec<Example> {
    let markdown = std::fs::read_to_string(file).unwrap();
    let blocks = blocks(&markdown);
    let mut examples = Vec::new();
    for (index, (line, language, text)) in blocks.iter().enumerate() {
        if language != "sh" || !text.contains("curl ") {
            continue;
        }
        let place = format!("{}:{line}", file.file_name().unwrap().to_string_lossy());
        let answer = match blocks.get(index + 1).map(|(at, language, text)| (at, &**language, text))
        {
            Some((at, "json", text)) => Shown::Json(
                serde_json::from_str(text)
                    .unwrap_or_else(|e| panic!("{place}, answer at {at}: {e}")),
            ),
            Some((_, "text", text)) => Shown::Text(text.clone()),
            _ => Shown::Nothing,
        };
        examples.push(Example { command: text.clone(), answer, place });
    }
    examples
}

/// Compares an answer with a document's; the error is the path to the first difference.
fn compare(shown: &Value, real: &Value, path: &str) -> Result<(), String> {
    match (shown, real) {
        (Value::String(any), _) if any == "…" => Ok(()),
        (Value::Object(shown), Value::Object(real)) => {
            let names = |object: &serde_json::Map<String, Value>| {
                let mut names: Vec<String> = object.keys().cloned().collect();
                names.sort();
                names
            };
            if names(shown) != names(real) {
                return Err(format!("{path}: shows {:?}, is {:?}", names(shown), names(real)));
            }
            shown.iter().try_for_each(|(k, v)| compare(v, &real[k], &format!("{path}/{k}")))
        }
        (Value::Array(shown), Value::Array(real)) if shown.len() == real.len() => {
            let mut pairs = shown.iter().zip(real).enumerate();
            pairs.try_for_each(|(i, (s, r))| compare(s, r, &format!("{path}/{i}")))
        }
        _ if shown == real => Ok(()),
        _ => Err(format!("{path}: shows {shown}, is {real}")),
    }
}

/// The same of two texts, line by line; what comes after the last line shown may be more of the kind.
fn compare_text(shown: &str, real: &str) -> Result<(), String> {
    let mut lines = real.lines();
    for shown in shown.lines() {
        let real = lines.next().unwrap_or_default().trim_end();
        if !is_like(shown, real) {
            return Err(format!("shows `{shown}`, is `{real}`"));
        }
    }
    Ok(())
}

/// Whether a line is the one shown, in which each `…` is something or nothing.
fn is_like(shown: &str, real: &str) -> bool {
    let Some((first, rest)) = shown.split_once('…') else { return shown == real };
    let Some(mut real) = real.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split('…').collect();
    let (last, between) = parts.split_last().unwrap();
    for part in between {
        let Some(at) = real.find(part) else { return false };
        real = &real[at + part.len()..];
    }
    real.ends_with(last)
}

/// Every `curl` that a document shows ends well, and every answer is the one it promises.
#[tokio::test]
async fn every_example_of_the_documents_is_true() {
    const EMAIL: &str = "admin@example.com";
    const PASSWORD: &str = "a sound sleep and a warm soup";
    let database = TestDatabase::empty().await;
    Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
    let server = Program::new(database.url(), ["serve"])
        .env("RR_ADMIN_EMAIL", EMAIL)
        .env("RR_ADMIN_PASSWORD", PASSWORD)
        .serve()
        .await;
    let (_, key) = make_key(database.url(), &["read_metrics", "write_webhooks"]);
    let jar = tempfile::NamedTempFile::new().unwrap();
    let mut wrong = Vec::new();
    for Example { place, command, answer } in documents().iter().flat_map(|file| examples(file)) {
        let output = Command::new("sh")
            .args(["-eu", "-c", &command])
            .env("RR", server.client().base())
            .env("KEY", &key)
            .env("JAR", jar.path())
            .env("RR_ADMIN_EMAIL", EMAIL)
            .env("RR_ADMIN_PASSWORD", PASSWORD)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let verdict = match answer {
            _ if !output.status.success() => {
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
            Shown::Nothing => Ok(()),
            Shown::Json(shown) => match serde_json::from_str(&text) {
                Ok(real) => compare(&shown, &real, ""),
                Err(_) => Err("is not JSON".to_owned()),
            },
            Shown::Text(shown) => compare_text(&shown, &text),
        };
        if let Err(difference) = verdict {
            wrong.push(format!("{place}: {difference}\n    {text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_difference_is_found() {
    let shown = serde_json::json!({"id": "…", "total": 2, "list": [{"a": null}]});
    for (real, differs) in [
        (r#"{"id": "x", "total": 2, "list": [{"a": null}]}"#, None),
        (r#"{"id": 7, "total": 3, "list": [{"a": null}]}"#, Some("/total")),
        (r#"{"id": 7, "total": 2, "list": []}"#, Some("/list")),
        (r#"{"id": 7, "total": 2, "list": [{"a": 0}]}"#, Some("/list/0/a")),
        (r#"{"id": 7, "total": 2, "list": [{"a": null}], "more": 1}"#, Some(": shows")),
    ] {
        let found = compare(&shown, &serde_json::from_str(real).unwrap(), "").err();
        match (found, differs) {
            (None, None) => {}
            (Some(found), Some(path)) => assert!(found.starts_with(path), "{found}"),
            (found, expected) => panic!("{real}: {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn a_line_is_like_the_one_shown() {
    for (shown, real, is_same) in [
        ("allow: POST", "allow: POST", true),
        ("allow: POST", "allow: POST, OPTIONS", false),
        ("…: *", "webhook-allowed-rate: *", true),
        (r#"{"id":"…","n":{…},"at":"…"}"#, r#"{"id":"7","n":{"a":1},"at":"x"}"#, true),
        (r#"{"id":"…","n":{…},"at":"…"}"#, r#"{"id":"7","m":{"a":1},"at":"x"}"#, false),
        (r#"{"id":"…"}"#, r#"{"id":"7"},"#, false),
    ] {
        assert_eq!(is_like(shown, real), is_same, "{shown} and {real}");
    }
    assert!(compare_text("a\nb\n", "a\n").is_err());
    assert!(compare_text("a\n", "a\nb\n").is_ok());
}

/// The settings table names every variable that the server reads, and no other.
#[test]
fn the_settings_table_is_complete() {
    let root = root();
    let table = std::fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let shown: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '*')))
        .map(str::to_owned)
        .collect();
    let mut read = BTreeSet::from(["STRIPE_PRICE_*".to_owned()]);
    for file in std::fs::read_dir(root.join("crates/rr-server/src/config")).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for call in source.split("Setting::new(").skip(1) {
            read.extend(call.split('"').nth(3).map(str::to_owned));
        }
    }
    assert_eq!(shown, read);
}

/// Every dependency has its line on why, and every line its dependency.
#[test]
fn every_dependency_is_explained() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let why = std::fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let (_, table) = manifest.split_once("[workspace.dependencies]").unwrap();
    let table = table.split("\n[").next().unwrap();
    let names = table.lines().filter_map(|line| line.split_once(" =")).map(|(name, _)| name);
    let used: BTreeSet<&str> = names.filter(|name| !name.starts_with("rr-")).collect();
    let (ours, _) = why.split_once("## Outside the workspace").unwrap();
    let explained: BTreeSet<&str> = ours
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|cell| *cell != "crate")
        // What is said about one stands in brackets.
        .flat_map(|cell| cell.split(" (").next().unwrap().split(", "))
        .collect();
    let differ: Vec<&&str> = used.symmetric_difference(&explained).collect();
    assert!(differ.is_empty(), "Cargo.toml and docs/dependencies.md differ in {differ:?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is there to be read by people.
pub(crate) fn documents() -> Vec<PathBuf> {
    let tops = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let mut files: Vec<PathBuf> = tops.iter().map(|name| root().join(name)).collect();
    files.extend(std::fs::read_dir(root().join("docs")).unwrap().map(|file| file.unwrap().path()));
    files.sort();
    files
}

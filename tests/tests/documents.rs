//! What the documents show is what the server does: every `curl` in them is run, and the JSON that
//! follows it is compared with the answer. `"…"` in a document stands for a value that changes.

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
    answer: Option<Value>,
}

/// The fenced blocks of a document, in order: (line, language, text).
fn blocks(markdown: &str) -> Vec<(usize, String, String)> {
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

/// The `curl` commands of a document, each with the JSON block right behind it.
fn examples(file: &Path) -> Vec<Example> {
    let markdown = std::fs::read_to_string(file).unwrap();
    let blocks = blocks(&markdown);
    let mut examples = Vec::new();
    for (index, (line, language, text)) in blocks.iter().enumerate() {
        if language != "sh" || !text.contains("curl ") {
            continue;
        }
        let answer = blocks.get(index + 1).filter(|(_, language, _)| language == "json");
        let place = format!("{}:{line}", file.file_name().unwrap().to_string_lossy());
        examples.push(Example {
            command: text.clone(),
            answer: answer.map(|(at, _, text)| {
                serde_json::from_str(text)
                    .unwrap_or_else(|e| panic!("{place}, answer at {at}: {e}"))
            }),
            place,
        });
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

/// Every command that a document shows ends well, and every answer is the one it promises.
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
        let verdict = match (output.status.success(), answer) {
            (false, _) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            (true, None) => Ok(()),
            (true, Some(shown)) => match serde_json::from_str(&text) {
                Ok(real) => compare(&shown, &real, ""),
                Err(_) => Err("is not JSON".to_owned()),
            },
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

/// Every dependency has its line on why.
#[test]
fn every_dependency_is_explained() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let why = std::fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let (_, table) = manifest.split_once("[workspace.dependencies]").unwrap();
    let table = table.split("\n[").next().unwrap();
    let names = table.lines().filter_map(|line| line.split_once(" =")).map(|(name, _)| name);
    let missing: Vec<&str> = names
        .filter(|name| !name.starts_with("rr-") && !name.starts_with('#'))
        .filter(|name| !why.contains(name))
        .collect();
    assert!(missing.is_empty(), "docs/dependencies.md says nothing about {missing:?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn documents() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md")];
    files.extend(std::fs::read_dir(root().join("docs")).unwrap().map(|file| file.unwrap().path()));
    files.sort();
    files
}

//! Every `revenue-ripple …` and `cargo xtask …` that a document or a help text shows is one that the program
//! understands: its words are handed to the program with `--help` behind them, so that its own parser judges
//! every name and value and nothing is done.

use std::collections::BTreeSet;
use std::process::Command;

use rr_tests::process::binary;

use crate::documents::{blocks, documents};

/// What stands in for the words of the documents that stand for something.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("KEY_ID", "018f2b5e-0000-7000-8000-000000000001"),
    ("018f2b5e-…", "018f2b5e-0000-7000-8000-000000000001"),
    ("N", "5"),
];

#[test]
fn every_command_that_is_shown_is_understood() {
    let mut shown: BTreeSet<Vec<String>> = BTreeSet::new();
    for file in documents() {
        shown.extend(commands(&std::fs::read_to_string(file).unwrap()));
    }
    let documented = shown.len();
    for help in helps(&[]) {
        let usage = |line: &&str| line.starts_with("Usage:");
        shown.extend(help.lines().filter(|line| !usage(line)).flat_map(commands_of));
    }
    assert!(documented > 25 && shown.len() > documented + 25, "too few are found: {shown:?}");
    let wrong: Vec<String> = shown.iter().filter_map(|words| refusal(words)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    for (text, is_right) in [
        ("see `revenue-ripple keys rotate KEY_ID\n[--grace-seconds N] [--on-first-use]`", true),
        ("```sh\nRR_LOG=debug revenue-ripple serve --bind 127.0.0.1:1    more of it\n```\n", true),
        ("```text\nrevenue-ripple migrate [status|up|down]\n```\n", true),
        ("```text\nrevenue-ripple migrate [status|up|sideways]\n```\n", false),
        ("```sh\ncat a | revenue-ripple keys report-leak --uri https://example.com\n```\n", false),
        ("`revenue-ripple seed --users 0`", false),
        ("`cargo xtask rig kill|flush`", true),
        ("`cargo xtask rig kill|flood`", false),
    ] {
        let found = commands(text);
        assert!(!found.is_empty(), "{text}");
        let wrong: Vec<String> = found.iter().filter_map(|words| refusal(words)).collect();
        assert_eq!(wrong.is_empty(), is_right, "{text}: {found:?}: {wrong:?}");
    }
}

/// The commands of a document: those of its code blocks, and those between two backticks.
fn commands(markdown: &str) -> Vec<Vec<String>> {
    let shell = |language: &str| matches!(language, "sh" | "text");
    let blocks = blocks(markdown);
    let in_blocks = blocks.iter().filter(|(_, language, _)| shell(language));
    let mut prose = markdown.to_owned();
    for (_, _, text) in &blocks {
        prose = prose.replace(text.as_str(), "");
    }
    let prose = prose.replace("```", "");
    let spans = prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " "));
    let mut found: Vec<Vec<String>> = spans.flat_map(|span| commands_of(&span)).collect();
    found.extend(in_blocks.flat_map(|(_, _, text)| text.lines()).flat_map(commands_of));
    found
}

/// The command that a line shows, behind whatever feeds it: several where it shows alternatives
/// (`status|up|down`), none where it shows something else.
fn commands_of(line: &str) -> Vec<Vec<String>> {
    let Some((program, rest)) = ["revenue-ripple", "cargo xtask"].iter().find_map(|program| {
        let (before, rest) = line.split_once(program)?;
        let begins = before.is_empty() || before.ends_with([' ', '(']);
        (begins && (rest.is_empty() || rest.starts_with(' '))).then_some((*program, rest))
    }) else {
        return Vec::new();
    };
    // Two spaces begin a remark; a pipe, a redirection or a bracket ends the command.
    let ends = ["  ", " | ", " < ", " > ", " # ", " -- ", ")", "…"];
    let placed = PLACEHOLDERS.iter().fold(format!("{rest} "), |text, (placeholder, value)| {
        text.replace(&format!(" {placeholder} "), &format!(" {value} "))
            .replace(&format!(" {placeholder}]"), &format!(" {value}]"))
    });
    let end = ends.iter().filter_map(|end| placed.find(end)).min().unwrap_or(placed.len());
    let mut found = vec![vec![program.to_owned()]];
    for word in words(&placed[..end].replace(['[', ']'], "")) {
        let is_choice = word.contains('|') && !word.contains('=');
        let choices: Vec<&str> = if is_choice { word.split('|').collect() } else { vec![&word] };
        found = choices
            .iter()
            .flat_map(|choice| {
                found.iter().map(|so_far| [&so_far[..], &[(*choice).to_owned()]].concat())
            })
            .collect();
    }
    found
}

/// The words of a command as a shell takes them apart, as far as our documents need one.
fn words(command: &str) -> Vec<String> {
    let quoted = command.split('"').enumerate();
    let mut words = vec![String::new()];
    for (index, part) in quoted {
        if index % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (at, piece) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What the program says against a command.
fn refusal(shown: &[String]) -> Option<String> {
    let (program, words) = shown.split_first().unwrap();
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    // These two of the developer's commands hand everything on that follows them.
    let hands_on =
        program == "cargo xtask" && matches!(arguments.first(), Some(&("migrate" | "seed")));
    let place = if hands_on { 1 } else { arguments.len() };
    arguments.insert(place, "--help");
    let path = match program.as_str() {
        "cargo xtask" => binary().with_file_name("xtask"),
        _ => binary(),
    };
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace`", path.display());
    let output = Command::new(path).args(&arguments).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| format!("{program} {}: {words}", arguments.join(" ")))
}

/// The help of the server's program and of every command beneath it.
fn helps(path: &[&str]) -> Vec<String> {
    let output = Command::new(binary()).args(path).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let beneath = help.split_once("\nCommands:\n").map_or("", |(_, list)| list);
    let beneath = beneath.lines().take_while(|line| line.starts_with("  "));
    let names = beneath.filter_map(|line| line.split_whitespace().next());
    let mut all: Vec<String> = names.flat_map(|name| helps(&[path, &[name]].concat())).collect();
    all.push(help);
    all
}

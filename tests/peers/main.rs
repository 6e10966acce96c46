//! Real senders as peers: the libraries of Standard Webhooks, Svix and Stripe sign and we verify, the
//! CloudEvents and CDEvents SDKs send and we understand.
//!
//! The libraries come from PyPI and crates.io, in fixed versions, into a folder beside the build; they
//! are installed once and are no part of ours. Where that cannot be done, a test is reported as ignored,
//! with the reason: which is why it has no harness of libtest, whose tests cannot find out at run time
//! that they cannot run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: a panic is how a failure is told, and printing is how a result is"
)]

mod cdevents;
mod python;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Output};

/// A test by its name; an error is why it cannot be run. A failure panics, which ends the program with a
/// code that says so.
type Peer = (&'static str, fn() -> Result<(), String>);

const PEERS: [Peer; 2] = [
    ("the_libraries_of_senders_are_understood", python::talk),
    ("what_the_sdk_of_cdevents_sends_is_understood", cdevents::talk),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in PEERS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut ignored) = (0, 0);
    for (name, talk) in PEERS.iter().filter(|(name, _)| is_wanted(name, &arguments)) {
        match talk() {
            Ok(()) => {
                println!("test {name} ... ok");
                passed += 1;
            }
            Err(reason) => {
                println!("test {name} ... ignored, {reason}");
                ignored += 1;
            }
        }
    }
    // The last line of libtest, which is what is counted.
    println!(
        "test result: ok. {passed} passed; 0 failed; {ignored} ignored; 0 measured; 0 filtered out"
    );
    ExitCode::SUCCESS
}

/// Whether libtest would run a test of this name, told with these arguments.
fn is_wanted(name: &str, arguments: &[String]) -> bool {
    let (mut filters, mut skipped) = (Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--skip" => skipped.extend(rest.next()),
            option if option.starts_with('-') => {}
            _ => filters.push(argument),
        }
    }
    let names = |filter: &&String| name.contains(filter.as_str());
    (filters.is_empty() || filters.iter().any(names)) && !skipped.iter().any(names)
}

/// Where peers are installed: beside what this program was built into.
fn folder() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("peers")
}

/// What a program wrote, or why it could not.
fn run(command: &mut Command, trouble: &str) -> Result<Output, String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(output),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(format!("{trouble}: {}", words.lines().last().unwrap_or("no reason given")))
        }
        Err(error) => Err(format!("{trouble}: {error}")),
    }
}

//! Real senders as peers: the libraries of Standard Webhooks, Svix and Stripe sign and we verify, the
//! CloudEvents SDK sends and we understand.
//!
//! The libraries come from PyPI, in fixed versions, into a folder beside the build; they are installed
//! once. Where that cannot be done, the test is reported as ignored, with the reason: which is why it
//! has no harness of libtest, whose tests cannot find out at run time that they cannot run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: a panic is how a failure is told, and printing is how a result is"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rr_tests::app::TestApp;
use rr_webhooks::WebhookSecret;
use serde_json::{Value, json};

const NAME: &str = "the_libraries_of_senders_are_understood";

const LIBRARIES: [&str; 4] =
    ["standardwebhooks==1.1.0", "svix==2.9.1", "stripe==16.1.0", "cloudevents==2.2.0"];

const SECRET: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    if !is_wanted(&arguments) {
        return end(0, 0);
    }
    let python = match install() {
        Ok(python) => python,
        Err(reason) => {
            println!("test {NAME} ... ignored, {reason}");
            return end(0, 1);
        }
    };
    // A failure panics, which ends the program with a code that says so.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(talk(&python));
    println!("test {NAME} ... ok");
    end(1, 0)
}

/// Whether libtest would run a test of this name, told with these arguments.
fn is_wanted(arguments: &[String]) -> bool {
    let (mut filters, mut skipped) = (Vec::new(), Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--skip" => skipped.extend(rest.next()),
            option if option.starts_with('-') => {}
            _ => filters.push(argument),
        }
    }
    let names = |filter: &&String| NAME.contains(filter.as_str());
    (filters.is_empty() || filters.iter().any(names)) && !skipped.iter().any(names)
}

/// The last line of libtest, which is what is counted.
fn end(passed: u32, ignored: u32) -> ExitCode {
    println!(
        "test result: ok. {passed} passed; 0 failed; {ignored} ignored; 0 measured; 0 filtered out"
    );
    ExitCode::SUCCESS
}

/// A Python with the libraries, or why there is none.
fn install() -> Result<PathBuf, String> {
    let program = std::env::current_exe().unwrap();
    let folder = program.ancestors().nth(3).unwrap().join("peers");
    let python = folder.join("python/bin/python");
    let mark = folder.join("installed");
    let wanted = LIBRARIES.join("\n");
    if python.exists() && fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let environment = folder.join("python");
    run(
        Command::new("python3").args(["-m", "venv"]).arg(environment),
        "no Python to install into",
    )?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--timeout", "20"];
    let mut command = Command::new(&python);
    run(command.args(pip).args(LIBRARIES), "the libraries cannot be installed from PyPI")?;
    fs::write(mark, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command, trouble: &str) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(format!("{trouble}: {}", words.lines().last().unwrap_or("no reason given")))
        }
        Err(error) => Err(format!("{trouble}: {error}")),
    }
}

async fn talk(python: &Path) {
    let app = TestApp::with_settings(|settings| {
        settings.webhook_secrets = vec![WebhookSecret::parse(SECRET).unwrap()];
    })
    .await;
    let key = app.with_key(&["write_webhooks", "read_events"]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/send.py");
    let output = Command::new(python)
        .arg(script)
        .env("RR", app.base())
        .env("KEY", &key.secret)
        .env("SECRET", SECRET)
        .env("NOW", app.clock.now().seconds().to_string())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let got: Vec<(&str, u64, &str)> = answers
        .iter()
        .map(|answer| {
            let code = answer["answer"]["code"].as_str().unwrap_or("success");
            (answer["name"].as_str().unwrap(), answer["status"].as_u64().unwrap(), code)
        })
        .collect();
    let expected = [
        ("standardwebhooks", 200, "success"),
        ("standardwebhooks, changed", 401, "signature_invalid"),
        ("svix", 200, "success"),
        ("svix, late", 401, "signature_expired"),
        ("stripe", 200, "success"),
        ("cloudevents, binary", 200, "success"),
        ("cloudevents, structured", 200, "success"),
    ];
    assert_eq!(got, expected, "{answers:#?}");
    assert_eq!(answers[3]["answer"]["signature_hints"][0]["code"], "clock_off");

    let list = key.get("/api/devops/events").await.json();
    let events: Vec<&Value> = list["events"].as_array().unwrap().iter().rev().collect();
    let types: Vec<&str> =
        events.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let cloudevents = "peer.cloudevents";
    assert_eq!(types, ["peer.standard", "peer.svix", "peer.stripe", cloudevents, cloudevents]);
    for event in &events[3..] {
        assert_eq!(event["source"], "/peers/é");
        assert_eq!(event["occurred_at"], app.clock.now().to_string());
        assert_eq!(event["data"]["subject"], "a b \"c\" 100%");
        assert_eq!(event["data"]["data"], json!({"answer": 42, "text": "€"}));
    }
}

//! Libraries from PyPI: Standard Webhooks, Svix and Stripe sign, the CloudEvents SDK sends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rr_tests::app::TestApp;
use rr_webhooks::WebhookSecret;
use serde_json::{Value, json};

use crate::{folder, run};

const LIBRARIES: [&str; 4] =
    ["standardwebhooks==1.1.0", "svix==2.9.1", "stripe==16.1.0", "cloudevents==2.2.0"];

const SECRET: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

/// Lets them send, and looks at what became of it.
pub(crate) fn talk() -> Result<(), String> {
    let python = install()?;
    tokio::runtime::Runtime::new().unwrap().block_on(talk_to(&python));
    Ok(())
}

/// A Python with the libraries, or why there is none.
fn install() -> Result<PathBuf, String> {
    let folder = folder();
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

async fn talk_to(python: &Path) {
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

//! Builds events with the CDEvents SDK and prints the requests that carry them, one JSON object a line:
//! the headers and the body as the SDK (and the CloudEvents SDK under it) writes them.

use std::error::Error;

use cdevents_sdk::{CDEvent, Content, Id, Subject, spec_0_3_0, spec_0_4_1, spec_0_5_1};
use cloudevents::Event;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ARTIFACT: &str =
    "pkg:oci/shop@sha256%3A0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";

fn main() -> Outcome<()> {
    let merged = spec_0_5_1::change_merged::Content {
        repository: Some(spec_0_5_1::change_merged::ContentRepository {
            id: id("octo/shop")?,
            source: None,
        }),
    };
    binary("change", event("c-1", "change-1", "2026-01-09T12:00:00Z", merged)?)?;
    let run = spec_0_5_1::pipelinerun_finished::Content {
        errors: Some("a test failed".to_owned()),
        outcome: Some(spec_0_5_1::pipelinerun_finished::ContentOutcome::Failure),
        pipeline_name: Some("release".to_owned()),
        uri: None,
    };
    structured("run", event("r-1", "run-1", "2026-01-09T12:30:00Z", run)?)?;
    let build = spec_0_5_1::build_finished::Content { artifact_id: Some(ARTIFACT.to_owned()) };
    alone("build", &event("b-1", "build-1", "2026-01-09T12:40:00Z", build)?)?;

    binary("deployed", event("d-1", "shop", "2026-01-09T13:00:00Z", deployed()?)?)?;
    let upgraded = spec_0_5_1::service_upgraded::Content {
        artifact_id: id(ARTIFACT)?,
        environment: spec_0_5_1::service_upgraded::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
    };
    structured("upgraded", event("d-2", "shop", "2026-01-10T13:00:00Z", upgraded)?)?;
    let detected = spec_0_5_1::incident_detected::Content {
        artifact_id: None,
        description: Some("checkout answers 500".to_owned()),
        environment: spec_0_5_1::incident_detected::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
        service: Some(spec_0_5_1::incident_detected::ContentService {
            id: id("shop")?,
            source: None,
        }),
    };
    let incident = event("i-1", "incident-1", "2026-01-10T14:00:00Z", detected)?;
    structured("detected", linked(&incident, "d-1")?)?;
    let resolved = spec_0_5_1::incident_resolved::Content {
        artifact_id: None,
        description: None,
        environment: spec_0_5_1::incident_resolved::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
        service: Some(spec_0_5_1::incident_resolved::ContentService {
            id: id("shop")?,
            source: None,
        }),
    };
    alone("resolved", &event("i-2", "incident-1", "2026-01-10T15:00:00Z", resolved)?)?;
    let back = spec_0_5_1::service_rolledback::Content {
        artifact_id: id(ARTIFACT)?,
        environment: spec_0_5_1::service_rolledback::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
    };
    binary("rolledback", event("d-3", "shop", "2026-01-10T14:30:00Z", back)?)?;

    // The same, as older releases of the specification say it.
    let old = spec_0_4_1::service_deployed::Content {
        artifact_id: id(ARTIFACT)?,
        environment: spec_0_4_1::service_deployed::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
    };
    binary("deployed, 0.4.1", event("d-4", "till", "2026-01-11T13:00:00Z", old)?)?;
    let oldest = spec_0_3_0::service_deployed::Content {
        artifact_id: id(ARTIFACT)?,
        environment: spec_0_3_0::service_deployed::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
    };
    alone("deployed, 0.3.0", &event("d-5", "till", "2026-01-12T13:00:00Z", oldest)?)?;
    // Sent again, as after an answer that was lost.
    binary("deployed, again", event("d-1", "shop", "2026-01-09T13:00:00Z", deployed()?)?)
}

fn deployed() -> Outcome<spec_0_5_1::service_deployed::Content> {
    Ok(spec_0_5_1::service_deployed::Content {
        artifact_id: id(ARTIFACT)?,
        environment: spec_0_5_1::service_deployed::ContentEnvironment {
            id: id("prod")?,
            source: None,
        },
    })
}

fn id(text: &str) -> Outcome<Id> {
    Ok(text.try_into()?)
}

fn event(number: &str, subject: &str, at: &str, content: impl Into<Content>) -> Outcome<CDEvent> {
    let subject = Subject::from(content.into()).with_id(id(subject)?);
    let event = CDEvent::from(subject).with_id(id(number)?).with_source("/ci/main".try_into()?);
    Ok(event.with_timestamp(OffsetDateTime::parse(at, &Rfc3339)?))
}

/// The event with a link to another. The SDK has no words to make one, but reads and writes them.
fn linked(event: &CDEvent, to: &str) -> Outcome<CDEvent> {
    let mut text = serde_json::to_value(event)?;
    let link = json!({"linkType": "RELATION", "linkKind": "CAUSE", "target": {"contextId": to}});
    text["context"]["links"] = json!([link]);
    Ok(serde_json::from_value(text)?)
}

/// A CloudEvent whose attributes are header fields.
fn binary(name: &str, event: CDEvent) -> Outcome<()> {
    let request: http::Request<Option<Vec<u8>>> = Event::try_from(event)?.try_into()?;
    let mut headers = serde_json::Map::new();
    for (field, value) in request.headers() {
        headers.insert(field.to_string(), value.to_str()?.into());
    }
    let body = request.body().clone().unwrap_or_default();
    print(name, headers.into(), &String::from_utf8(body)?);
    Ok(())
}

/// A CloudEvent as a whole.
fn structured(name: &str, event: CDEvent) -> Outcome<()> {
    let body = serde_json::to_string(&Event::try_from(event)?)?;
    print(name, json!({"content-type": "application/cloudevents+json"}), &body);
    Ok(())
}

/// The CDEvent without a CloudEvent around it.
fn alone(name: &str, event: &CDEvent) -> Outcome<()> {
    print(name, json!({"content-type": "application/json"}), &serde_json::to_string(event)?);
    Ok(())
}

fn print(name: &str, headers: Value, body: &str) {
    println!("{}", json!({"name": name, "headers": headers, "body": body}));
}

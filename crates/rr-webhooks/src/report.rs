//! What the DevOps module's script reports, from browsers, which can keep no signing secret.

use sha2::{Digest as _, Sha256};

use crate::event::{Dedupe, Event};
use crate::formats::{Format, Source, read_line};
use crate::headers::Headers;
use crate::media::Media;
use crate::{Incoming, Refusal};

/// What the script says. Nothing else is worth taking from someone who signs nothing.
const REPORTS: [&str; 3] = ["revenue_generated", "agent_status", "agent_status_changed"];

/// Decides whether a request is a report of the script: the free form, with one of the script's own names.
///
/// Of its headers only `Idempotency-Key` says anything, and that counts apart from the ids of webhooks. So
/// whoever has a key and no secret can neither pass for a sender that signs nor take an id from one.
pub fn accept_report(incoming: &Incoming<'_>, max_bytes: usize) -> Result<Event, Refusal> {
    let Incoming { body, key_id, .. } = *incoming;
    if body.len() > max_bytes {
        return Err(Refusal::TooLarge { limit: max_bytes });
    }
    let headers = Headers(incoming.headers);
    let id = headers.id("idempotency-key")?.map(|id| Dedupe {
        scope: format!("report/{key_id}"),
        key: id.to_owned(),
        fingerprint: Sha256::digest(body).into(),
    });
    let media = &Media::read(headers)?;
    let mut event = read_line(Source { headers, media, body, key_id }, Format::Free)?;
    if !REPORTS.contains(&event.event_type.as_str()) {
        let problem = "must be revenue_generated, agent_status or agent_status_changed";
        return Err(Refusal::member("/event", problem));
    }
    event.dedupe.extend(id);
    Ok(event)
}

#[cfg(test)]
mod tests {
    use rr_domain::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::Meaning;

    fn send(headers: &[(&str, &[u8])], body: &str) -> Result<Event, &'static str> {
        let (received_at, key_id) = (Timestamp::EPOCH, Uuid::nil());
        let incoming = Incoming { headers, body: body.as_bytes(), received_at, key_id };
        accept_report(&incoming, 200).map_err(|refusal| refusal.code())
    }

    #[test]
    fn the_script_s_own_events_are_taken_and_no_others() {
        for name in REPORTS {
            for member in ["event", "event_type"] {
                let read = send(&[], &format!(r#"{{"{member}":"{name}","data":{{}}}}"#)).unwrap();
                assert_eq!((read.event_type.as_str(), read.dedupe.len()), (name, 0));
            }
        }
        for body in [
            "{}",
            r#"{"event":"deployment"}"#,
            r#"{"event_type":"deployment","event":"revenue_generated"}"#,
            r#"{"event":{"id":"1","event_type":"incident.triggered","resource_type":"incident"}}"#,
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"revenue_generated"}"#,
            r#"[{"event":"revenue_generated"}]"#,
        ] {
            assert_eq!(
                send(&[], body).map(|event| event.event_type),
                Err("invalid_body"),
                "{body}"
            );
        }
        let long = format!(r#"{{"event":"revenue_generated","a":"{}"}}"#, "x".repeat(200));
        assert_eq!(send(&[], &long).map(drop), Err("body_too_large"));
        assert_eq!(send(&[], "{").map(drop), Err("invalid_json"));
    }

    #[test]
    fn no_header_makes_it_anything_else() {
        let headers: [(&str, &[u8]); 10] = [
            ("x-github-event", b"deployment"),
            ("x-github-delivery", b"1"),
            ("x-gitlab-event", b"Push Hook"),
            ("ce-specversion", b"1.0"),
            ("ce-id", b"1"),
            ("ce-source", b"/s"),
            ("ce-type", b"dev.cdevents.service.deployed.0.3.0"),
            ("webhook-id", b"m"),
            ("svix-id", b"m"),
            ("idempotency-key", b"k"),
        ];
        let read = send(&headers, r#"{"event":"revenue_generated"}"#).unwrap();
        assert_eq!((read.event_type.as_str(), read.source.as_str()), ("revenue_generated", "api"));
        assert!(matches!(read.meaning, Meaning::Other));
        let ids: Vec<_> =
            read.dedupe.iter().map(|id| (id.scope.as_str(), id.key.as_str())).collect();
        assert_eq!(ids, [("report/00000000-0000-0000-0000-000000000000", "k")]);
    }
}

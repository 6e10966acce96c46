//! The formats by name, for sources that send one alone.

/// What a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Anything that is understood, told by content and headers.
    #[default]
    Auto,
    /// Any JSON object that is none of the others.
    Free,
    /// CloudEvents 1.0.
    Cloudevents,
    /// CDEvents, on their own or as CloudEvents.
    Cdevents,
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Prometheus Alertmanager.
    Alertmanager,
    /// PagerDuty.
    Pagerduty,
    /// Argo CD.
    Argocd,
    /// The payload of Standard Webhooks.
    Standard,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 10] = [
        Format::Auto,
        Format::Free,
        Format::Cloudevents,
        Format::Cdevents,
        Format::Github,
        Format::Gitlab,
        Format::Alertmanager,
        Format::Pagerduty,
        Format::Argocd,
        Format::Standard,
    ];

    /// The name on the wire and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Format::Auto => "auto",
            Format::Free => "free",
            Format::Cloudevents => "cloudevents",
            Format::Cdevents => "cdevents",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Alertmanager => "alertmanager",
            Format::Pagerduty => "pagerduty",
            Format::Argocd => "argocd",
            Format::Standard => "standard",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Format;
    use crate::formats::vectors::{
        ALERTS, ARGOCD, BARE_CDEVENT, BINARY, CDEVENT, FREE_DEPLOYMENT, GITHUB_PUSH, GITLAB_PUSH,
        KEY, PAGERDUTY, STANDARD, Vector,
    };
    use crate::{Incoming, Policy, accept};

    fn takes(format: Format, (_, fields, body): Vector) -> bool {
        let headers: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let incoming = Incoming {
            headers: &headers,
            body: body.as_bytes(),
            received_at: rr_domain::Timestamp::EPOCH,
            key_id: KEY,
        };
        let policy = Policy { secrets: &[], max_bytes: 1 << 20, format };
        match accept(&incoming, &policy) {
            Ok(_) => true,
            Err(refusal) => {
                assert_eq!((refusal.status(), refusal.pointer()), (422, Some("")));
                false
            }
        }
    }

    #[test]
    fn a_source_of_one_format_takes_no_other() {
        use Format::{
            Alertmanager, Argocd, Auto, Cdevents, Cloudevents, Free, Github, Gitlab, Pagerduty,
            Standard,
        };
        let sent: [(Vector, &[Format]); 10] = [
            (FREE_DEPLOYMENT, &[Free]),
            (STANDARD, &[Standard]),
            (CDEVENT, &[Cloudevents, Cdevents]),
            (BARE_CDEVENT, &[Cdevents]),
            (BINARY, &[Cloudevents, Cdevents]),
            (GITHUB_PUSH, &[Github]),
            (GITLAB_PUSH, &[Gitlab]),
            (ALERTS, &[Alertmanager]),
            (PAGERDUTY, &[Pagerduty]),
            (ARGOCD, &[Argocd]),
        ];
        for (vector, fitting) in sent {
            for format in Format::ALL {
                let expected = format == Auto || fitting.contains(&format);
                assert_eq!(takes(format, vector), expected, "{} as {}", vector.0, format.name());
                assert_eq!(Format::named(format.name()), Some(format));
            }
        }
        assert_eq!(Format::named("Auto"), None);
    }
}

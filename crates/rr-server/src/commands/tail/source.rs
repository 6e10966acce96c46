//! Where events come from: the server's stream over HTTP.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::cli::Tail;
use crate::config::origin;
use crate::config::secret::Secret;
use crate::failure::Failure;

/// The server gives a sign of life every 15 seconds; without three of them it is gone.
const SILENCE: Duration = Duration::from_secs(45);
const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of a refusal that are read.
const LONGEST_REFUSAL: u64 = 64 << 10;

/// A server, and what of its events is wanted.
pub(super) struct Source {
    agent: Agent,
    url: String,
    key: Secret,
    filters: Vec<(&'static str, String)>,
}

/// What came of a call.
pub(super) enum Opened {
    /// The stream.
    Stream(Box<dyn Read>),
    /// Not now.
    Later {
        /// Why not.
        why: String,
        /// When, if the server says so.
        retry_after: Option<Duration>,
    },
}

impl Source {
    pub(super) fn new(url: &str, key: &Secret, args: &Tail) -> Result<Source, Failure> {
        let base =
            origin::parse_base(url).map_err(|why| Failure::Usage(format!("--url {url} {why}")))?;
        let filters = [("type", &args.event_type), ("source", &args.source)];
        let filters = filters.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        Ok(Source {
            agent: agent(),
            url: format!("{base}/api/devops/stream"),
            key: key.clone(),
            filters: filters.collect(),
        })
    }

    /// Asks for the stream after an event. What will not change by trying again is a failure.
    pub(super) fn open(&self, after: Option<i64>) -> Result<Opened, Failure> {
        let mut request = self.agent.get(&self.url).header("x-api-key", self.key.expose());
        for (name, value) in &self.filters {
            request = request.query(*name, value);
        }
        if let Some(after) = after {
            request = request.header("last-event-id", after.to_string());
        }
        let answer = match request.call() {
            Ok(answer) => answer,
            Err(error) => {
                let why = format!("{} does not answer ({error})", self.url);
                return Ok(Opened::Later { why, retry_after: None });
            }
        };
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(Opened::Stream(Box::new(answer.into_body().into_reader())));
        }
        let seconds = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let retry_after = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let mut text = String::new();
        // Whatever can be read of it says more than nothing.
        let _ = answer.into_body().into_reader().take(LONGEST_REFUSAL).read_to_string(&mut text);
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let said = problem["detail"].as_str().unwrap_or("without saying why");
        let why = format!("the server refuses ({status}): {said}");
        if status == 429 || status >= 500 {
            Ok(Opened::Later { why, retry_after })
        } else {
            Err(Failure::trouble(why))
        }
    }
}

/// A client that trusts the certificate authorities of the machine.
fn agent() -> Agent {
    let system = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> = system.iter().map(|der| Certificate::from_der(der).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    Agent::config_builder()
        .http_status_as_error(false)
        // A key is shown to the server it was meant for.
        .max_redirects(0)
        .tls_config(tls)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("revenue-ripple/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

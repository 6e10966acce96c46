//! Log lines: on standard error, as text or JSON.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::log::{LogConfig, LogFormat};

/// Starts the log. `usual` is the filter where none is configured.
pub(crate) fn start(config: &LogConfig, usual: &str) {
    // The framework calls a client's malformed request an error of its own; the line that every
    // request gets says it already.
    let filter = config.filter.as_deref().unwrap_or(usual);
    let filter = EnvFilter::new(format!("{filter},actix_http::h1::dispatcher=off"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // It fails only when a log was started before, which then goes on.
    let _ = match config.format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
        LogFormat::Text => {
            let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            builder.with_ansi(io::stderr().is_terminal() && !is_plain).try_init()
        }
    };
}

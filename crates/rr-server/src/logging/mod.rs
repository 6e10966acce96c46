//! Log lines: on standard error, as text or JSON.

mod line;
mod outlet;

use std::io::{self, IsTerminal as _};

use rr_domain::Clock;
use tracing_subscriber::EnvFilter;

use crate::config::log::{LogConfig, LogFormat};
use line::Line;

pub(crate) use outlet::flush;

/// Starts the log. `usual` is the filter where none is configured.
pub(crate) fn start(config: &LogConfig, usual: &str, clock: Clock) -> io::Result<()> {
    outlet::start()?;
    // The framework calls a client's malformed request an error of its own; the line that every
    // request gets says it already.
    let filter = config.filter.as_deref().unwrap_or(usual);
    let filter = EnvFilter::new(format!("{filter},actix_http::h1::dispatcher=off"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| outlet::Outlet);
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    // It fails only when a log was started before, which then goes on.
    let _ = match config.format {
        LogFormat::Json => builder.event_format(Line::json(clock)).try_init(),
        LogFormat::Text if io::stderr().is_terminal() && !is_plain => {
            builder.with_ansi(true).try_init()
        }
        LogFormat::Text => builder.event_format(Line::text(clock)).try_init(),
    };
    Ok(())
}

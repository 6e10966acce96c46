//! What is written to the log and how.

use tracing_subscriber::EnvFilter;

use super::source::{ConfigError, Setting, Sources};

/// `[log]`.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    /// `RR_LOG`, `log.filter`, `--log`: a level, or levels per part such as
    /// `info,rr_store=debug`. Default `info` for the server, `warn` for other commands.
    pub(crate) filter: Option<String>,
    /// `RR_LOG_FORMAT`, `log.format`, `--log-format`: `text` or `json`. Default `text`.
    pub(crate) format: LogFormat,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

pub(crate) const FILTER: Setting = Setting::new("log.filter", "RR_LOG");
pub(crate) const FORMAT: Setting = Setting::new("log.format", "RR_LOG_FORMAT");

impl LogConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<LogConfig, ConfigError> {
        Ok(LogConfig {
            filter: sources.optional(FILTER, parse_filter)?,
            format: sources.parse(FORMAT, LogFormat::Text, parse_format)?,
        })
    }
}

/// A lone word must be a level: the filter's own grammar would take `inof` for the name of a part
/// and silence everything else.
fn parse_filter(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "is not a log level (error, warn, info, debug, trace, off) or a list such as info,rr_store=debug";
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let lone_words_are_levels = text
        .split(',')
        .filter(|part| !part.contains('=') && !part.contains('['))
        .all(|part| LEVELS.contains(&part.trim().to_lowercase().as_str()));
    if lone_words_are_levels && EnvFilter::try_new(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(EXPECTED)
    }
}

fn parse_format(text: &str) -> Result<LogFormat, &'static str> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("is not text or json"),
    }
}

//! `tail`.

use clap::Args;

/// What `tail` understands.
#[derive(Debug, Args)]
#[command(after_help = "\
One line an event: when it arrived, its type, its source, its data; coloured in a terminal. The key
needs `read_events`. When the connection breaks it comes back by itself and goes on where it was: no
event is missed and none is shown twice. Ctrl-C ends it with 0 and says from where to go on; with --json
every line does, as `seq`.

Examples:
  RR_API_KEY=rr_… revenue-ripple tail
  RR_API_KEY=rr_… revenue-ripple tail --type alert --after 0
  RR_API_KEY=rr_… revenue-ripple tail --url https://rr.example.com --json | jq .data")]
pub(crate) struct Tail {
    /// The server [default: RR_PUBLIC_URL, else the address that the server would listen on]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Read the key from standard input instead of RR_API_KEY
    #[arg(long)]
    pub(crate) key_stdin: bool,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) event_type: Option<String>,
    /// Only events from this source
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Begin after the event of this number; 0 begins with the oldest
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) after: Option<i64>,
    /// Print each event as one line of JSON, with its number (`seq`) for --after
    #[arg(long)]
    pub(crate) json: bool,
}

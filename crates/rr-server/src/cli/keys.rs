//! The command line of keys.

use clap::{Args, Subcommand};
use rr_store::PepperVersion;

/// `keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key; it is printed once and cannot be shown again
    #[command(after_help = "\
Examples:
  revenue-ripple keys create --name \"Reports\"
  revenue-ripple keys create --name \"CI\" --permission write_webhooks --expires-in-days 90
  revenue-ripple keys create --name \"App\" --rate-limit 100/60s
  revenue-ripple keys create --name \"App\" --rate-limit burst=10/1s --rate-limit sustained=1000/1h
  revenue-ripple keys create --name \"Trial\" --owner 42 --quota day=1000,total=20000 --metadata team=sales
  KEY=$(revenue-ripple keys create --name \"CI\" --json | jq -r .api_key)")]
    Create(KeysCreate),
    /// List keys, newest first; secrets are never shown
    List(KeysList),
    /// Change a key, or switch it on or off; what is not named stays
    #[command(after_help = "\
What is named replaces what the key had. Of a revoked key only name and notes can change. When the command
returns, every running server judges by the change.

Examples:
  revenue-ripple keys change 018f2b5e-… --enable
  revenue-ripple keys change 018f2b5e-… --disable
  revenue-ripple keys change 018f2b5e-… --name \"CI\" --permission write_webhooks
  revenue-ripple keys change 018f2b5e-… --rate-limit 100/60s --allow-ip 10.0.0.0/8
  revenue-ripple keys change 018f2b5e-… --no-quotas --expires-in-days 30
  revenue-ripple keys change 018f2b5e-… --metadata team=sales --metadata ticket=1234")]
    Change(KeysChange),
    /// Give a key a new secret; it is printed once, and the old one ends after a grace
    #[command(after_help = "\
Id, permissions, limits and expiry stay. A key that is revoked, expired or disabled is left as it is.
When the command returns, every running server knows of the rotation: with --grace-seconds 0 none
accepts the old secret any more.

Examples:
  revenue-ripple keys rotate 018f2b5e-…
  revenue-ripple keys rotate 018f2b5e-… --grace-seconds 0
  revenue-ripple keys rotate 018f2b5e-… --grace-seconds 3600 --on-first-use
  KEY=$(revenue-ripple keys rotate 018f2b5e-… --json | jq -r .api_key)")]
    Rotate(KeysRotate),
    /// Revoke a key for good
    #[command(after_help = "\
When the command returns, no running server accepts the key: servers look for changes every
250 milliseconds, and the command waits for that.")]
    Revoke(KeysRevoke),
    /// Report a secret that became public; it ends, and its key is disabled
    #[command(after_help = "\
The secret is read from standard input (its first line), never from the command line, where others
could see it. RR_LEAK_POLICY=notify only marks it. A key that was rotated since goes on with its new
secret; any other can be enabled and rotated, or revoked. When the command returns, every running
server knows of it.

Examples:
  revenue-ripple keys report-leak < leaked.txt
  pbpaste | revenue-ripple keys report-leak --url https://example.com/where/it/was")]
    ReportLeak(KeysReportLeak),
    /// Say how many keys stand under which pepper, and which pepper can go
    #[command(after_help = "\
The first of RR_KEY_PEPPERS hashes new keys; each other key is moved to it when it is used. A pepper can go
when no key that can still work stands under it; `keys list --pepper NUMBER` names those that do. One that is
not used any more is rotated or revoked, else it ends with its pepper.

Examples:
  revenue-ripple keys peppers
  revenue-ripple keys list --pepper 1
  revenue-ripple keys list --pepper none")]
    Peppers(KeysPeppers),
}

/// `keys create`.
#[derive(Debug, Args)]
pub(crate) struct KeysCreate {
    /// What the key is for, 1 to 100 characters
    #[arg(long, default_value = "DevOps Integration Key")]
    pub(crate) name: String,
    /// What it may do; repeat or separate by commas [default: read_metrics,write_webhooks]
    #[arg(long = "permission", value_name = "PERMISSION", value_delimiter = ',')]
    pub(crate) permissions: Vec<String>,
    /// Its first instant (RFC 3339) [default: at once]
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// Days until it expires
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) expires_in_days: u32,
    /// It never expires
    #[arg(long, conflicts_with = "expires_in_days")]
    pub(crate) never_expires: bool,
    /// Whom it belongs to
    #[arg(long, value_name = "USER_ID")]
    pub(crate) owner: Option<String>,
    /// How often it may be used in a window of time, refilled evenly; repeat for up to four that hold together,
    /// each with a name
    #[arg(long = "rate-limit", value_name = "[NAME=]N/WINDOW")]
    pub(crate) rate_limits: Vec<String>,
    /// How often it may be used in a UTC day, a calendar month (UTC) and in all; repeat or separate by commas
    #[arg(long = "quota", value_name = "day|month|total=N", value_delimiter = ',')]
    pub(crate) quotas: Vec<String>,
    /// A note to keep with it; repeat for more, at most 20
    #[arg(long, value_name = "NAME=TEXT")]
    pub(crate) metadata: Vec<String>,
    /// Address or network it may be used from; repeat or separate by commas [default: anywhere]
    #[arg(long = "allow-ip", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) allowed_ips: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keys list`.
#[derive(Debug, Args)]
pub(crate) struct KeysList {
    /// Only working keys that end within so many days [14 unless given], soonest first
    #[arg(long, value_name = "DAYS", num_args = 0..=1, default_missing_value = "14", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) expiring: Option<u32>,
    /// Only keys that can still work and stand under this pepper, or under none
    #[arg(long, value_name = "NUMBER|none", conflicts_with = "expiring", value_parser = UnderPepper::parse)]
    pub(crate) pepper: Option<UnderPepper>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A pepper, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnderPepper(pub(crate) Option<PepperVersion>);

impl UnderPepper {
    fn parse(text: &str) -> Result<UnderPepper, &'static str> {
        if text == "none" {
            return Ok(UnderPepper(None));
        }
        let number = text.parse().map_err(|_| "is neither the number of a pepper nor none")?;
        Ok(UnderPepper(Some(number)))
    }
}

/// `keys peppers`.
#[derive(Debug, Args)]
pub(crate) struct KeysPeppers {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keys change`.
#[derive(Debug, Args)]
pub(crate) struct KeysChange {
    /// Its id, as `keys list` shows it
    #[arg(value_name = "KEY_ID")]
    pub(crate) id: uuid::Uuid,
    #[command(flatten)]
    pub(crate) wishes: KeyWishes,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a change may be; at least one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct KeyWishes {
    /// Switch it on
    #[arg(long)]
    pub(crate) enable: bool,
    /// Switch it off, until somebody switches it on
    #[arg(long, conflicts_with = "enable")]
    pub(crate) disable: bool,
    /// What it is for, 1 to 100 characters
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// All that it may do; repeat or separate by commas
    #[arg(long = "permission", value_name = "PERMISSION", value_delimiter = ',')]
    pub(crate) permissions: Vec<String>,
    /// Its first instant (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) not_before: Option<String>,
    /// It has no first instant any more
    #[arg(long, conflicts_with = "not_before")]
    pub(crate) at_once: bool,
    /// Days from now until it expires
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) expires_in_days: Option<u32>,
    /// It never expires
    #[arg(long, conflicts_with = "expires_in_days")]
    pub(crate) never_expires: bool,
    /// All its rate limits; repeat for up to four that hold together, each with a name
    #[arg(long = "rate-limit", value_name = "[NAME=]N/WINDOW")]
    pub(crate) rate_limits: Vec<String>,
    /// It has no rate limit
    #[arg(long, conflicts_with = "rate_limits")]
    pub(crate) no_rate_limits: bool,
    /// All its quotas; repeat or separate by commas
    #[arg(long = "quota", value_name = "day|month|total=N", value_delimiter = ',')]
    pub(crate) quotas: Vec<String>,
    /// It has no quota
    #[arg(long, conflicts_with = "quotas")]
    pub(crate) no_quotas: bool,
    /// All addresses and networks it may be used from; repeat or separate by commas
    #[arg(long = "allow-ip", value_name = "NETWORK", value_delimiter = ',')]
    pub(crate) allowed_ips: Vec<String>,
    /// It may be used from anywhere
    #[arg(long, conflicts_with = "allowed_ips")]
    pub(crate) allow_anywhere: bool,
    /// All notes to keep with it; repeat for more, at most 20
    #[arg(long, value_name = "NAME=TEXT")]
    pub(crate) metadata: Vec<String>,
    /// It has no notes
    #[arg(long, conflicts_with = "metadata")]
    pub(crate) no_metadata: bool,
}

/// `keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct KeysRotate {
    /// Its id, as `keys list` shows it
    #[arg(value_name = "KEY_ID")]
    pub(crate) id: uuid::Uuid,
    /// For how long the old secret still works, at most a week; 0 ends it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u32).range(0..=604_800))]
    pub(crate) grace_seconds: u32,
    /// The old secret works on until the new one is used, and only then its grace starts
    #[arg(long)]
    pub(crate) on_first_use: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keys report-leak`.
#[derive(Debug, Args)]
pub(crate) struct KeysReportLeak {
    /// Where the secret was found
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keys revoke`.
#[derive(Debug, Args)]
pub(crate) struct KeysRevoke {
    /// Its id, as `keys list` shows it
    #[arg(value_name = "KEY_ID")]
    pub(crate) id: uuid::Uuid,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

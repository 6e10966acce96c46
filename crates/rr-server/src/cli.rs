//! The command line: what can be asked for.

mod keys;
mod tail;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Flags;

pub(crate) use tail::Tail;

pub(crate) use keys::{
    KeyWishes, Keys, KeysChange, KeysCreate, KeysList, KeysPeppers, KeysReportLeak, KeysRevoke,
    KeysRotate, UnderPepper,
};

/// Revenue Ripple's integration server: API keys, figures, webhooks and the panel.
#[derive(Debug, Parser)]
#[command(
    name = "revenue-ripple",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  revenue-ripple                                    serve on 127.0.0.1:5000
  revenue-ripple demo                               the same with demo data, a login and a key
  revenue-ripple doctor                             what is configured, reachable, missing
  revenue-ripple keys create --name \"CI\" --permission read_metrics
  revenue-ripple import --dir exports/              bring in the CSV files of the old database

Configuration: defaults, revenue-ripple.toml, environment (RR_BIND, RR_DATABASE_URL, …), flags;
the later wins. `revenue-ripple doctor` shows the result.

Exit codes: 0 done, 1 trouble, 2 wrong usage, 3 verify found differences, 78 wrong configuration."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// A command's own options stand together, and after them those that every command has.
const GLOBAL: &str = "Global options";

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Configuration file [default: revenue-ripple.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true, help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,
    /// Database: sqlite://PATH or postgres://… [env: RR_DATABASE_URL]
    /// [default: sqlite://data/revenue-ripple.db]
    #[arg(long, value_name = "URL", global = true, help_heading = GLOBAL)]
    pub(crate) database_url: Option<String>,
    /// Log level, or levels per part such as info,rr_store=debug [env: RR_LOG] [default: info]
    #[arg(long, value_name = "LEVEL", global = true, help_heading = GLOBAL)]
    pub(crate) log: Option<String>,
    /// text or json [env: RR_LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT", global = true, help_heading = GLOBAL)]
    pub(crate) log_format: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API and the panel (what happens without a command)
    Serve(Serve),
    /// Serve with demo data, a first administrator and a demo key, and print how to begin
    Demo(Demo),
    /// Show or change the state of the database schema
    Migrate(Migrate),
    /// Administrators
    #[command(subcommand)]
    Admin(Admin),
    /// API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Bring in the CSV files that the old database exports
    Import(Import),
    /// Say for each part whether it is configured and reachable, and what is missing
    Doctor(Doctor),
    /// Fill an empty database with demo data or an invented history
    Seed(Seed),
    /// Recompute every figure from the facts and compare
    Verify(Verify),
    /// Make the ledger behind the figures anew from the facts
    Rebuild(Rebuild),
    /// Show events in the terminal while they happen
    Tail(Tail),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
}

/// `serve`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
The schema is brought up to date at the start. SIGTERM or Ctrl-C finishes what was accepted, within
10 seconds, and ends with 0; a second Ctrl-C ends at once. `listening on http://…` is printed when
requests are taken.

Examples:
  revenue-ripple serve --bind 127.0.0.1:8080
  RR_DATABASE_URL=postgres://rr@db.internal/app revenue-ripple serve
  RR_ADMIN_EMAIL=ann@example.com RR_ADMIN_PASSWORD=… revenue-ripple serve")]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) listen: Listen,
}

/// `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
The demo data goes into an empty database only, the administrator is made as long as nobody can sign
in (RR_ADMIN_EMAIL and RR_ADMIN_PASSWORD, else admin@example.com and a generated password), and the
key when there is none of its name. Password and key are printed once. Run again, it finds
everything in place, changes nothing and serves.

Example:
  revenue-ripple demo --bind 127.0.0.1:8080")]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) listen: Listen,
}

/// What both ways to serve understand.
#[derive(Debug, Default, Args)]
pub(crate) struct Listen {
    /// Address and port to listen on; port 0 takes a free one [env: RR_BIND]
    /// [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Option<String>,
    /// The origin people open, such as https://rr.example.com [env: RR_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
}

/// `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Every figure is computed again from all facts, and every counter is compared with the entries it is
the sum of. It changes nothing; the server may run. What differs is named with what was expected and
what was found, and the exit code is 3; `revenue-ripple rebuild` repairs it.

Examples:
  revenue-ripple verify
  revenue-ripple verify --json")]
pub(crate) struct Verify {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `rebuild`.
#[derive(Debug, Args)]
#[command(after_help = "\
All facts are posted again into a second ledger, which then takes the place of the first at once. Facts are
not touched, and a running server goes on writing and answering from the ledger as it was until then. If
this command is interrupted, nothing has changed.

Example:
  revenue-ripple rebuild")]
pub(crate) struct Rebuild {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `migrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  revenue-ripple migrate              what is applied and what is pending
  revenue-ripple migrate up           apply what is pending
  revenue-ripple migrate down         take the newest step back and delete the data in its tables
  revenue-ripple migrate down --yes   the same from a script, which nobody can ask")]
pub(crate) struct Migrate {
    #[command(subcommand)]
    pub(crate) action: Option<MigrateAction>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do with the schema.
#[derive(Debug, Subcommand)]
pub(crate) enum MigrateAction {
    /// List every migration and whether it is applied (what happens without an action)
    Status,
    /// Apply what is pending
    Up,
    /// Take the newest applied migration back and delete the data in its tables
    Down {
        /// Do not ask; without a terminal to ask at, this has to be said
        #[arg(long)]
        yes: bool,
    },
}

/// `admin`.
#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Make an administrator, or give an existing one a new password
    #[command(after_help = "\
Without --password-stdin the password is asked for on the terminal, twice.

Examples:
  revenue-ripple admin create --email ann@example.com
  pass show rr/ann | revenue-ripple admin create --email ann@example.com --password-stdin")]
    Create(AdminCreate),
}

/// `admin create`.
#[derive(Debug, Args)]
pub(crate) struct AdminCreate {
    /// E-mail to sign in with
    #[arg(long)]
    pub(crate) email: String,
    /// Read the password from standard input (its first line)
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads users.csv, subscriptions.csv, tripwire_purchases.csv, commissions.csv, api_keys.csv,
webhook_log.csv and activity_log.csv from the folder, those that are there. Everything is checked
before anything is written: one bad row and nothing is. Importing the same files again changes
nothing.

Examples:
  revenue-ripple import --dir exports/
  revenue-ripple import --dir exports/ --skip-bad     write the good rows, and the bad ones to
                                                      exports/rejects.csv")]
pub(crate) struct Import {
    /// Folder with the CSV files
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Write the good rows and list the bad ones in a file of rejects
    #[arg(long)]
    pub(crate) skip_bad: bool,
    /// Where the rejects go [default: DIR/rejects.csv]
    #[arg(long, value_name = "FILE", requires = "skip_bad")]
    pub(crate) rejects: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Ends with 1 when something that is needed is broken.")]
pub(crate) struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `seed`.
#[derive(Debug, Args)]
#[command(after_help = "\
Facts are recorded at invented instants too: most at once, some late, some twice. Of the users who sign
up, the few who are deleted on the way have no row at the end.

The same --users, --seed, --days and --until give the same rows, to the byte.

Examples:
  revenue-ripple seed --demo
  revenue-ripple seed --users 1000000 --seed 42 --days 730
  revenue-ripple seed --users 5000 --seed 1 --until 2025-01-01T00:00:00Z")]
pub(crate) struct Seed {
    /// The two users, one subscription and one commission of the demo
    #[arg(long, conflicts_with_all = ["users", "seed", "days", "until"])]
    pub(crate) demo: bool,
    /// How many users sign up
    #[arg(long, value_name = "N", required_unless_present = "demo",
        value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) users: Option<u64>,
    /// What the dice are seeded with
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many days the history spans
    #[arg(long, value_name = "D", default_value_t = 365,
        value_parser = clap::value_parser!(u32).range(1..=7_300))]
    pub(crate) days: u32,
    /// When the history ends [default: the last midnight, UTC]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Add to a database that is not empty
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Cli {
    /// What the flags say about the configuration.
    pub(crate) fn flags(&self) -> Flags {
        let common = &self.common;
        let mut flags = Flags {
            config: common.config.clone(),
            database_url: common.database_url.clone(),
            log: common.log.clone(),
            log_format: common.log_format.clone(),
            ..Flags::default()
        };
        if let Some(Command::Serve(Serve { listen }) | Command::Demo(Demo { listen })) =
            &self.command
        {
            flags.bind = listen.bind.clone();
            flags.public_url = listen.public_url.clone();
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_options_of_a_command_do_not_mix_with_those_of_all() {
        for command in ["serve", "migrate", "seed", "tail"] {
            let error = Cli::try_parse_from(["revenue-ripple", command, "--help"]).unwrap_err();
            let help = error.to_string();
            let (own, global) = help.split_once("Global options:").unwrap();
            for option in ["--config", "--database-url", "--log", "--log-format"] {
                let line = format!("\n      {option} <");
                assert!(global.contains(&line) && !own.contains(&line), "{option}: {help}");
            }
        }
    }

    #[test]
    fn wrong_usage_is_told_apart_from_help() {
        let code = |line: &str| {
            Cli::try_parse_from(line.split(' ')).map_or_else(|error| error.exit_code(), |_| 0)
        };
        for (line, expected) in [
            ("revenue-ripple", 0),
            ("revenue-ripple --help", 0),
            ("revenue-ripple serve --bind 127.0.0.1:0", 0),
            ("revenue-ripple demo --bind 127.0.0.1:0", 0),
            ("revenue-ripple migrate --json", 0),
            ("revenue-ripple migrate sideways", 2),
            ("revenue-ripple frobnicate", 2),
            ("revenue-ripple keys revoke not-an-id", 2),
            ("revenue-ripple keys create --expires-in-days 0", 2),
            ("revenue-ripple keys create --expires-in-days 5 --never-expires", 2),
            ("revenue-ripple keys list --expiring", 0),
            ("revenue-ripple keys list --expiring 30 --json", 0),
            ("revenue-ripple keys list --expiring 0", 2),
            ("revenue-ripple import", 2),
            ("revenue-ripple import --dir x --rejects y", 2),
            ("revenue-ripple seed", 2),
            ("revenue-ripple seed --demo --users 5", 2),
            ("revenue-ripple seed --users 0", 2),
            ("revenue-ripple seed --demo", 0),
            ("revenue-ripple tail --type alert --after 0 --json", 0),
            ("revenue-ripple tail --after -1", 2),
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
    }

    #[test]
    fn flags_reach_the_configuration_from_either_side_of_the_command() {
        for line in [
            "revenue-ripple --database-url sqlite://a.db serve --bind 127.0.0.1:1",
            "revenue-ripple serve --bind 127.0.0.1:1 --database-url sqlite://a.db",
        ] {
            let flags = Cli::try_parse_from(line.split(' ')).unwrap().flags();
            assert_eq!(flags.database_url.as_deref(), Some("sqlite://a.db"));
            assert_eq!(flags.bind.as_deref(), Some("127.0.0.1:1"));
        }
    }
}

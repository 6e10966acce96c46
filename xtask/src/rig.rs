//! `cargo xtask rig`: faults that need time, or root, and are therefore no part of the test suites.

use anyhow::{Result, anyhow};

use crate::cluster::Cluster;
use crate::project::Project;
use crate::{run, server};

/// Arguments of `rig`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which fault.
    #[arg(value_enum)]
    what: What,
    /// How many times.
    #[arg(long)]
    rounds: Option<u32>,
    /// On which database, where the fault suits both.
    #[arg(long, value_enum)]
    database: Option<Database>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// SIGKILL at random moments.
    Kill,
    /// The power goes: a file system that forgets what was not flushed (needs root).
    Power,
    /// Flushes that fail, one after the other (SQLite; needs strace).
    Flush,
    /// Flushes that take 200 ms and 2 s, under more senders than may wait (SQLite; needs strace).
    Slow,
    /// A disk that is full and free again (SQLite; needs root).
    Full,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Kill => "kill",
            What::Power => "power",
            What::Flush => "flush",
            What::Slow => "slow",
            What::Full => "full",
        }
    }

    fn usual_rounds(self) -> u32 {
        match self {
            What::Kill => 200,
            What::Power => 40,
            What::Flush => 60,
            What::Slow => 3,
            What::Full => 10,
        }
    }
}

/// Builds the server and the rig, and lets it run on each database.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    server::build(project, server::Build::Debug)?;
    let rounds = args.rounds.unwrap_or_else(|| args.what.usual_rounds());
    let rig = |environment: Vec<(&'static str, String)>| {
        let mut cargo = server::cargo(project);
        cargo.args(["bench", "--quiet", "--profile", "dev", "--workspace", "--bench", "rig", "--"]);
        cargo.args([args.what.name(), "--rounds", &rounds.to_string()]).envs(environment);
        run::openly(&mut cargo)
    };
    if args.database != Some(Database::Postgres) {
        rig(Vec::new())?;
    }
    let suits_both = matches!(args.what, What::Kill | What::Power);
    if suits_both && args.database != Some(Database::Sqlite) {
        let cluster = Cluster::start().map_err(|missing| anyhow!(missing.0))?;
        rig(cluster.environment())?;
    }
    Ok(())
}

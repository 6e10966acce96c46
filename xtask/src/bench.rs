//! `cargo xtask bench`: figures to hold against a bare handler, measured in one run.

use anyhow::{Result, anyhow};

use crate::cluster::Cluster;
use crate::project::Project;
use crate::{run, server};

/// Arguments of `bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which measurement.
    #[arg(value_enum, default_value = "http")]
    what: What,
    /// Seconds per round.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Rounds per measurement; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Connections of the load generator, one measurement for each number (http: 64,256; events:
    /// 1,16,64,256).
    #[arg(long, value_delimiter = ',')]
    connections: Vec<u32>,
    /// Users of the invented histories that `figures` compares, ascending.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
    sizes: Vec<u64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// Requests per second, start-up time, memory, size of the binary.
    Http,
    /// Durable events per second on both databases, against a bare handler and one commit each.
    Events,
    /// What checking a key costs, beside what its parts would cost alone; no server takes part.
    Keys,
    /// Whether the time of an answer tells anything about stored keys.
    Timing,
    /// What figures cost at any size: reads, writes, start-up, memory.
    Figures,
}

/// Builds what is measured with optimisation and runs the measurement.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    match args.what {
        What::Http => over_http(project, args, "http", &[]),
        What::Events => events(project, args),
        What::Keys => keys(project, "keys"),
        What::Timing => keys(project, "timing"),
        What::Figures => figures(project, args),
    }
}

fn keys(project: &Project, bench: &str) -> Result<()> {
    let arguments = ["bench", "--quiet", "--package", "rr-keys", "--bench", bench];
    run::openly(server::cargo(project).args(arguments))
}

fn events(project: &Project, args: &Args) -> Result<()> {
    over_http(project, args, "events", &[])?;
    let cluster = Cluster::start().map_err(|missing| anyhow!(missing.0))?;
    over_http(project, args, "events", &cluster.environment())
}

fn over_http(
    project: &Project,
    args: &Args,
    bench: &str,
    environment: &[(&'static str, String)],
) -> Result<()> {
    server::build(project, server::Build::Release)?;
    let mut cargo = server::cargo(project);
    cargo.args(["bench", "--quiet", "--workspace", "--bench", bench, "--"]);
    cargo.args(["--seconds", &args.seconds.to_string()]);
    cargo.args(["--rounds", &args.rounds.to_string()]);
    if !args.connections.is_empty() {
        let connections: Vec<String> = args.connections.iter().map(u32::to_string).collect();
        cargo.args(["--connections", &connections.join(",")]);
    }
    cargo.envs(environment.iter().map(|(name, value)| (name, value)));
    run::openly(&mut cargo)
}

fn figures(project: &Project, args: &Args) -> Result<()> {
    server::build(project, server::Build::Release)?;
    let mut cargo = server::cargo(project);
    cargo.args(["bench", "--quiet", "--workspace", "--bench", "figures", "--"]);
    cargo.args(["--rounds", &args.rounds.to_string()]);
    let sizes: Vec<String> = args.sizes.iter().map(u64::to_string).collect();
    cargo.args(["--sizes", &sizes.join(",")]);
    run::openly(&mut cargo)
}

//! Developer commands, one file each: `cargo xtask up|test|lint|migrate|seed|ui|bench|rig|fuzz`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer command speaks on the terminal; nothing here is part of the server"
)]

mod bench;
mod cluster;
mod fuzz;
mod lint;
mod migrate;
mod panel;
mod project;
mod rig;
mod run;
mod seed;
mod server;
mod test;
mod tools;
mod ui;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use project::Project;

/// Developer commands of the Revenue Ripple integration server.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, prepare the demo database when there is none, and serve.
    Up(up::Args),
    /// Run every test suite, on SQLite and on a throw-away PostgreSQL.
    Test(test::Args),
    /// Format, clippy, docs, licences, and the rules of this repository.
    Lint(lint::Args),
    /// `revenue-ripple migrate [status|up|down]` with a fresh build.
    Migrate(migrate::Args),
    /// `revenue-ripple seed …` with a fresh optimised build.
    Seed(seed::Args),
    /// Regenerate the panel's client from the server's OpenAPI document and build the panel.
    Ui(ui::Args),
    /// Measure: requests per second against a bare handler, start-up, memory, size; or the cost of a key.
    Bench(bench::Args),
    /// Faults under load: SIGKILL, power cuts, a disk that fails. What was acknowledged must be there.
    Rig(rig::Args),
    /// libFuzzer on everything that reads what strangers send.
    Fuzz(fuzz::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = Project::find().and_then(|project| match cli.command {
        Command::Up(args) => up::run(&project, &args),
        Command::Test(args) => test::run(&project, &args),
        Command::Lint(args) => lint::run(&project, &args),
        Command::Migrate(args) => migrate::run(&project, &args),
        Command::Seed(args) => seed::run(&project, &args),
        Command::Ui(args) => ui::run(&project, &args),
        Command::Bench(args) => bench::run(&project, &args),
        Command::Rig(args) => rig::run(&project, &args),
        Command::Fuzz(args) => fuzz::run(&project, &args),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

//! `cargo xtask fuzz`: libFuzzer on the targets of `fuzz/`, led by what code an input reaches.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::{run, server};

/// Arguments of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which target, by its folder in `fuzz/corpus`; all of them, one after the other, unless given.
    target: Option<String>,
    /// How long each.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// Counts which code runs and notes what comparisons compare. All of it works on a stable compiler: what
/// does not are the sanitizers, which find faults of `unsafe` code, and there is none of ours.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds the targets with coverage and runs them. What libFuzzer finds to be new stays in
/// `target/fuzz/corpus` for the next time; what breaks a law is named and belongs into `fuzz/corpus`.
pub(crate) fn run(project: &Project, args: &Args) -> Result<()> {
    let seeds = project.root().join("fuzz/corpus");
    let mut targets: Vec<String> = fs::read_dir(&seeds)
        .context("cannot list fuzz/corpus")?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    targets.sort();
    if let Some(wanted) = &args.target {
        ensure!(targets.contains(wanted), "no such target; there are {}", targets.join(", "));
        targets = vec![wanted.clone()];
    }
    let folder = project.target().join("fuzz");
    for target in targets {
        let (grown, found) = (folder.join("corpus").join(&target), folder.join("found"));
        for folder in [&grown, &found] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        println!("fuzz: {target} for {} s", args.seconds);
        let mut cargo = server::cargo(project);
        // With a target of its own, build scripts are left without coverage: they could not be linked.
        cargo.args(["run", "--quiet", "--release", "--target", "host-tuple"]);
        cargo.args(["--manifest-path", "fuzz/libfuzzer/Cargo.toml", "--target-dir"]).arg(&folder);
        cargo.arg("--").arg(&grown).arg(seeds.join(&target));
        cargo.arg(format!("-max_total_time={}", args.seconds));
        cargo.arg(format!("-artifact_prefix={}/{target}-", found.display()));
        cargo.args(["-print_final_stats=1", "-verbosity=0", "-max_len=8192", "-timeout=10"]);
        run::openly(cargo.env("RUSTFLAGS", COVERAGE).env("RR_FUZZ_TARGET", &target))?;
    }
    Ok(())
}

//! Running other programs: in the open, quietly into a log file, or for their output.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Runs `command` with the terminal as its own; a failure is an error that names it.
pub(crate) fn openly(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs `command` and gives what it printed; its errors go to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", shown(command)))
}

/// How a quiet run ended.
pub(crate) struct Quiet {
    /// Whether it ended by itself, in time and with success.
    pub(crate) success: bool,
    /// Everything it printed.
    pub(crate) output: String,
    /// How long it took.
    pub(crate) took: Duration,
    /// Whether it had to be ended because its time was over.
    pub(crate) too_slow: bool,
}

/// Runs `command` with both outputs into `log` and ends it when `limit` is over.
pub(crate) fn quietly(command: &mut Command, log: &Path, limit: Duration) -> Result<Quiet> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let copy = file.try_clone().context("cannot share the log file")?;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let (status, too_slow) = loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            break (status, false);
        }
        if started.elapsed() > limit {
            child.kill().context("cannot end a child that took too long")?;
            break (child.wait().context("cannot wait for a child")?, true);
        }
        thread::sleep(Duration::from_millis(20));
    };
    let bytes = std::fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok(Quiet {
        success: status.success() && !too_slow,
        output: String::from_utf8_lossy(&bytes).into_owned(),
        took: started.elapsed(),
        too_slow,
    })
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Seconds with one digit, for progress lines.
pub(crate) fn seconds(took: Duration) -> String {
    format!("{}.{} s", took.as_secs(), took.subsec_millis() / 100)
}

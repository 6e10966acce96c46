//! Programs that cargo does not bring: where they are, and installing them where that is ours to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::run;

/// A program that is not here, in words for the person who can change that.
pub(crate) struct Missing(pub(crate) String);

/// Finds `program` in the folders given, then in `PATH`.
pub(crate) fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .iter()
        .cloned()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// Finds a program with `look`; where it is missing and this is root on Debian, installs `packages`
/// and looks again.
pub(crate) fn find_or_install<T>(
    what: &str,
    packages: &[&str],
    look: impl Fn() -> Option<T>,
) -> Result<T, Missing> {
    if let Some(found) = look() {
        return Ok(found);
    }
    let names = packages.join(" ");
    if !(is_root() && Path::new("/etc/debian_version").exists()) {
        return Err(Missing(format!("{what} is missing; install the package {names}")));
    }
    println!("    {what} is missing: installing {names} with apt-get");
    if let Err(error) = apt_install(packages) {
        return Err(Missing(format!("{what} is missing and apt-get did not help: {error:#}")));
    }
    look().ok_or_else(|| Missing(format!("{what} is still missing after installing {names}")))
}

/// Whether this runs as root.
pub(crate) fn is_root() -> bool {
    let Ok(output) = Command::new("id").arg("-u").output() else { return false };
    output.stdout.trim_ascii() == b"0"
}

/// Whether the account `name` exists on this machine.
pub(crate) fn account_exists(name: &str) -> bool {
    Command::new("id")
        .args(["-u", name])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Chromium as Debian, other distributions and Chrome's own packages name it.
pub(crate) fn chromium() -> Result<PathBuf, Missing> {
    find_or_install("Chromium", &["chromium"], || {
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
            .iter()
            .find_map(|name| find(name, &[]))
    })
}

/// `npm`, which comes with Node.
pub(crate) fn npm() -> Result<PathBuf, Missing> {
    find_or_install("Node with npm", &["nodejs", "npm"], || {
        find("node", &[]).and_then(|_| find("npm", &[]))
    })
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).arg("-qq");
        command
    };
    run::openly(apt().arg("update"))?;
    run::openly(
        apt()
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages)
            .stdout(Stdio::null()),
    )
}

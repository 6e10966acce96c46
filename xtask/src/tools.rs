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

/// The oldest Node that the panel's tools run on, as `engines` in its `package.json` says.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// `npm`, which comes with Node; an old Node would fail later, in words that nobody understands.
pub(crate) fn npm() -> Result<PathBuf, Missing> {
    let (node, npm) = find_or_install("Node with npm", &["nodejs", "npm"], || {
        Some((find("node", &[])?, find("npm", &[])?))
    })?;
    let told = Command::new(&node).arg("--version").output();
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let told =
        told.map_err(|error| Missing(format!("{} does not start: {error}", node.display())))?;
    match node_version(&told) {
        Some(version) if version >= OLDEST_NODE => Ok(npm),
        _ => Err(Missing(format!(
            "Node {}.{} or newer is needed, and {} says `{told}`",
            OLDEST_NODE.0,
            OLDEST_NODE.1,
            node.display()
        ))),
    }
}

/// What `node --version` says, as major and minor.
fn node_version(told: &str) -> Option<(u32, u32)> {
    let mut numbers = told.strip_prefix('v')?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_node_is_the_one_that_the_panel_names() {
        let package = include_str!("../../crates/rr-admin/ui/package.json");
        let (major, minor) = OLDEST_NODE;
        assert!(package.contains(&format!("\"node\": \">={major}.{minor}\"")), "{package}");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (told, is_enough) in [
            ("v20.19.0", true),
            ("v20.9.0", false),
            ("v18.20.4", false),
            ("v22.1.0", true),
            ("v100.0.0-nightly", true),
            ("", false),
            ("20.19.0 of another kind", false),
        ] {
            assert_eq!(node_version(told).is_some_and(|v| v >= OLDEST_NODE), is_enough, "{told}");
        }
    }
}

//! Building the server's binary and handing over to it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Error, Result};

use crate::project::Project;
use crate::run;

/// How well the compiler should do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// Quick to build.
    Debug,
    /// Slow to build, quick to run.
    Release,
}

impl Build {
    fn folder(self) -> &'static str {
        match self {
            Build::Debug => "debug",
            Build::Release => "release",
        }
    }
}

/// Builds the server. For trying out, only what the binary needs is compiled, but with the features
/// that the whole workspace agrees on, so that the tests find it built; for use, it is built by
/// itself, and nothing that only tests ask for is in it.
pub(crate) fn build(project: &Project, build: Build) -> Result<()> {
    let mut cargo = cargo(project);
    match build {
        Build::Debug => cargo.args(["build", "--workspace", "--bin", "revenue-ripple"]),
        Build::Release => cargo.args(["build", "--release", "--package", "rr-server"]),
    };
    run::openly(&mut cargo)
}

/// Builds the server as the tests do, with every target of the workspace: what tests alone need adds
/// features to what they share with the server, so a lint that builds it this way has already built
/// what the tests build next.
pub(crate) fn build_with_tests(project: &Project) -> Result<()> {
    run::openly(cargo(project).args(["build", "--workspace", "--all-targets"]))
}

/// Becomes the server: it takes over this process, so Ctrl-C and the exit code are its own.
pub(crate) fn become_server(
    project: &Project,
    build: Build,
    arguments: impl IntoIterator<Item = OsString>,
) -> Error {
    let binary = project.server_binary(build.folder());
    let error = Command::new(&binary).args(arguments).current_dir(project.root()).exec();
    Error::new(error).context(format!("cannot start {}", binary.display()))
}

/// Cargo, in the repository.
pub(crate) fn cargo(project: &Project) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(project.root());
    // What cargo told this program about its own package is not true of what it builds next.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name.as_ref());
        }
    }
    command
}

//! Where the repository is and what kind of run this is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The repository a command works on.
pub(crate) struct Project {
    root: PathBuf,
    ci: bool,
}

impl Project {
    /// The repository this very program was built from.
    pub(crate) fn find() -> Result<Project> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies directly under the repository's root")?
            .to_path_buf();
        let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        Ok(Project { root, ci })
    }

    /// The repository's top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether this is a run where nothing may be left out.
    pub(crate) fn is_ci(&self) -> bool {
        self.ci
    }

    /// The panel's sources.
    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("crates/rr-admin/ui")
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => self.root.join(folder),
            None => self.root.join("target"),
        }
    }

    /// The built server of a profile (`debug` or `release`).
    pub(crate) fn server_binary(&self, profile: &str) -> PathBuf {
        self.target().join(profile).join("revenue-ripple")
    }

    /// Where a command's captured output is kept for reading afterwards.
    pub(crate) fn log(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target().join("xtask");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder.join(format!("{name}.log")))
    }
}

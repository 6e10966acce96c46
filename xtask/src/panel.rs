//! The panel: its npm packages and its build, each made again only when what it is made from changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::project::Project;
use crate::{run, tools};

/// What is not a source of the panel.
const NOT_SOURCES: &[&str] = &["node_modules", "dist", "coverage", "test-results"];

/// A command of npm in the panel's folder.
pub(crate) fn npm(project: &Project) -> Result<Command, tools::Missing> {
    let mut command = Command::new(tools::npm()?);
    command.current_dir(project.ui());
    Ok(command)
}

/// Installs the panel's packages when the lock file changed since the last time.
pub(crate) fn install(project: &Project) -> Result<()> {
    let lock = fs::read(project.ui().join("package-lock.json"))
        .context("the panel has no package-lock.json")?;
    let stamp = Stamp::new(project, "packages", &lock);
    if stamp.is_current() {
        return Ok(());
    }
    println!("panel: installing its npm packages");
    let mut npm = npm(project).map_err(|tools::Missing(why)| anyhow!(why))?;
    run::openly(npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    stamp.write()
}

/// Builds the panel when its sources changed since the last build.
pub(crate) fn build(project: &Project) -> Result<()> {
    let mut content = Vec::new();
    for path in sources(&project.ui())? {
        content.extend_from_slice(path.to_string_lossy().as_bytes());
        content.extend(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let stamp = Stamp::new(project, "build", &content);
    if stamp.is_current() && project.ui().join("dist/index.html").is_file() {
        return Ok(());
    }
    install(project)?;
    println!("panel: building");
    let mut npm = npm(project).map_err(|tools::Missing(why)| anyhow!(why))?;
    let log = project.log("panel-build")?;
    let built = run::quietly(
        npm.args(["run", "--silent", "build"]),
        &log,
        std::time::Duration::from_secs(600),
    )?;
    if !built.success {
        return Err(anyhow!("the panel's build failed:\n{}", built.output));
    }
    stamp.write()
}

/// Every source file of the panel, in a fixed order.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry.context("cannot list the panel's sources")?;
            let path = entry.path();
            if NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A note of what something was last made from. It lies in `node_modules`, so that removing that
/// folder also forgets the note.
struct Stamp {
    path: PathBuf,
    value: String,
}

impl Stamp {
    fn new(project: &Project, name: &str, content: &[u8]) -> Stamp {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Stamp {
            path: project.ui().join("node_modules").join(format!(".xtask-{name}")),
            value: format!("{:016x}", hasher.finish()),
        }
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|noted| noted == self.value)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.value)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

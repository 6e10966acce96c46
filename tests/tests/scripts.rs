//! `.ci/run` on a machine that lacks things, and `cargo xtask seed`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use tempfile::TempDir;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A folder of programs: those named are the machine's own, the others write down how they are called.
struct Programs {
    folder: TempDir,
}

impl Programs {
    fn new(real: &[&str], recorded: &[&str]) -> Programs {
        let folder = TempDir::with_prefix("rr-programs-").unwrap();
        for name in real {
            let found =
                Command::new("sh").args(["-c", "command -v \"$0\"", name]).output().unwrap();
            let path = String::from_utf8(found.stdout).unwrap();
            symlink(path.trim(), folder.path().join(name)).unwrap();
        }
        let log = folder.path().join("calls");
        fs::write(&log, "").unwrap();
        for name in recorded {
            let script = format!("#!/bin/sh\necho \"{name} $*\" >>{}\n", log.display());
            let path = folder.path().join(name);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Programs { folder }
    }

    fn ci(&self) -> Vec<String> {
        let output = Command::new("bash")
            .arg(repository().join(".ci/run"))
            .env_clear()
            .env("PATH", self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        self.calls()
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap();
        calls.lines().map(str::to_owned).collect()
    }
}

const TOOLS: [&str; 4] = ["bash", "dirname", "env", "id"];
const NEEDED: [&str; 6] = ["cc", "git", "curl", "node", "npm", "chromium"];

#[test]
fn the_ci_script_installs_what_a_machine_lacks_and_then_checks() {
    let programs = Programs::new(&TOOLS, &["apt-get", "sudo", "cargo"]);
    let calls = programs.ci();
    let with_sudo = |call: &String| call.replacen("sudo -n apt-get", "apt-get", 1);
    let calls: Vec<String> = calls.iter().map(with_sudo).collect();
    assert_eq!(calls[0], "apt-get -qq update", "{calls:?}");
    let install = calls[1].replacen("sudo -n env DEBIAN_FRONTEND=noninteractive ", "", 1);
    let flags = "apt-get -qq install -y --no-install-recommends ";
    let packages = install.strip_prefix(flags).unwrap_or_else(|| panic!("{install}"));
    let wanted = ["build-essential", "git", "curl", "nodejs", "npm", "chromium", "python3-venv"];
    for package in wanted {
        assert!(packages.split(' ').any(|one| one == package), "{package}: {packages}");
    }
    assert_eq!(calls[2..], ["cargo xtask lint", "cargo xtask test"]);
}

#[test]
fn the_ci_script_installs_nothing_that_is_there() {
    let there = [&NEEDED[..], &["python3", "initdb", "apt-get", "cargo"]].concat();
    let calls = Programs::new(&TOOLS, &there).ci();
    assert_eq!(calls, ["python3 -c import ensurepip", "cargo xtask lint", "cargo xtask test"]);
}

/// The command that developers use; what it hands over to is tested by itself.
#[tokio::test]
async fn xtask_seed_fills_an_empty_database() {
    let database = TestDatabase::empty().await;
    let xtask = rr_tests::process::binary().with_file_name("xtask");
    // The server is built already, so cargo only has to be asked.
    let programs = Programs::new(&[], &["cargo"]);
    let seeded = Command::new(xtask)
        .args(["seed", "--demo", "--json"])
        .env("CARGO", programs.folder.path().join("cargo"))
        .env("RR_DATABASE_URL", database.url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&seeded.stderr).into_owned();
    assert!(seeded.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&seeded.stdout).unwrap();
    assert_eq!(report["new"]["users"], 2, "{report}");
    assert_eq!(programs.calls(), ["cargo build --workspace --bin revenue-ripple"]);
}

/// The same seed gives the same history, of the size that was asked for but for those who were deleted.
#[tokio::test]
async fn an_invented_history_is_the_same_each_time() {
    let mut made = Vec::new();
    for _ in 0..2 {
        let database = TestDatabase::empty().await;
        let until = ["--until", "2026-01-01T00:00:00Z", "--json"];
        let arguments = [&["seed", "--users", "500", "--seed", "7", "--days", "90"], &until[..]];
        let seeded = Program::new(database.url(), arguments.concat()).run().expect(0);
        let report: serde_json::Value = serde_json::from_str(&seeded.stdout).unwrap();
        let [users, facts] = ["users", "facts"].map(|what| report["new"][what].as_u64().unwrap());
        assert!((480..=500).contains(&users) && facts > 500, "{report}");
        made.push(report["new"].clone());
        let again = Program::new(database.url(), ["seed", "--users", "5"]).run().expect(1);
        assert!(again.stderr.contains("--force"), "{}", again.stderr);
    }
    assert_eq!(made[0], made[1]);
}

//! The invented histories, made by the real binary and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rr_domain::Timestamp;
use rr_tests::process::binary;

/// When every history ends.
pub(crate) const UNTIL: &str = "2026-01-01T00:00:00Z";

/// A database of so many users.
pub(crate) struct History {
    pub(crate) users: u64,
    pub(crate) path: PathBuf,
}

impl History {
    pub(crate) fn url(&self) -> String {
        url(&self.path)
    }
}

/// The end of every history.
pub(crate) fn until() -> Timestamp {
    Timestamp::parse(UNTIL).unwrap()
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// The history of that size, made if it is not there yet.
pub(crate) fn kept(users: u64) -> History {
    let folder = binary().parent().and_then(Path::parent).unwrap().join("bench");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("figures-{users}.db"));
    if !path.is_file() {
        println!("inventing {users} users; they are kept in {}", path.display());
        // Made elsewhere first, so that what is interrupted is not taken for whole.
        let unfinished = folder.join(format!("figures-{users}-unfinished"));
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir_all(&unfinished).unwrap();
        let made = unfinished.join("history.db");
        run(&made, &["migrate", "up"]);
        let users = users.to_string();
        let history = ["seed", "--users", &users, "--seed", "7", "--days", "365", "--until", UNTIL];
        run(&made, &history);
        fs::rename(made, &path).unwrap();
        fs::remove_dir_all(unfinished).unwrap();
    }
    run(&path, &["migrate", "up"]);
    History { users, path }
}

fn run(path: &Path, arguments: &[&str]) {
    let status = Command::new(binary())
        .args(arguments)
        .env("RR_DATABASE_URL", url(path))
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}");
}

//! A PostgreSQL cluster that lives as long as this command: made in a temporary folder, run as an
//! unprivileged account, and removed again however the command ends.
//!
//! A guardian shell starts the server and then waits for the end of its standard input, which this
//! process holds open. When this process ends, in whatever way (done, failed, Ctrl-C, killed), the
//! guardian sees the end of the input, stops the server by its process id and removes the folder.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tools::{self, Missing};

/// `$1` is the folder of PostgreSQL's programs, `$2` our folder, `$3` the port. Durability stays
/// on, because the store refuses a server that could lose what it acknowledged.
const GUARDIAN: &str = r#"
trap "" INT TERM HUP
"$1/initdb" --pgdata="$2/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C \
    --no-sync >"$2/initdb.log" 2>&1 || exit 1
"$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories="$2" -c max_connections=400 -c shared_buffers=64MB \
    -c max_wal_size=2GB -c checkpoint_timeout=30min -c autovacuum=off -c jit=off \
    >"$2/server.log" 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server"
wait "$server"
rm -rf "$2"
"#;

/// How long initdb and the first start may take.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A running cluster.
pub(crate) struct Cluster {
    guardian: Child,
    port: u16,
    programs: PathBuf,
}

impl Cluster {
    /// Makes and starts a cluster, or says what is missing for it.
    pub(crate) fn start() -> Result<Cluster, Missing> {
        let programs = tools::find_or_install("PostgreSQL", &["postgresql"], find_programs)?;
        Cluster::start_with(&programs)
            .map_err(|error| Missing(format!("PostgreSQL did not start: {error:#}")))
    }

    /// Where the superuser connects.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// What tells the tests, benches and rigs to use it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("RR_TEST_DATABASE", "postgres".to_owned()),
            ("RR_TEST_POSTGRES_URL", self.url()),
            ("RR_TEST_POSTGRES_PROGRAMS", self.programs.display().to_string()),
        ]
    }

    /// Where PostgreSQL's programs are, for tests that need a cluster of their own.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }

    fn start_with(programs: &Path) -> Result<Cluster> {
        let folder = std::env::temp_dir().join(format!("rr-postgres-{}", std::process::id()));
        let account = unprivileged_account()?;
        make_private_folder(&folder, account)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();

        let mut command = match account {
            Some(account) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", account, "--regid", account, "--clear-groups", "sh"]);
                command
            }
            None => Command::new("sh"),
        };
        let guardian = command
            .arg("-c")
            .arg(GUARDIAN)
            .arg("guardian")
            .args([programs, folder.as_path()])
            .arg(port.to_string())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own: Ctrl-C in the terminal ends us, and our end ends the guardian.
            .process_group(0)
            .spawn()
            .context("cannot start the cluster's guardian")?;
        let mut cluster = Cluster { guardian, port, programs: programs.to_owned() };
        cluster.wait_until_ready(programs, &folder)?;
        println!("    PostgreSQL from {} on port {port}", programs.display());
        Ok(cluster)
    }

    fn wait_until_ready(&mut self, programs: &Path, folder: &Path) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_LIMIT {
            if self.guardian.try_wait().context("cannot wait for the guardian")?.is_some() {
                let log = fs::read_to_string(folder.join("initdb.log")).unwrap_or_default();
                bail!("the cluster could not be made: {log}");
            }
            let answers = Command::new(programs.join("pg_isready"))
                .args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()])
                .status()
                .is_ok_and(|status| status.success());
            if answers {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        bail!("no answer within {} s: {log}", START_LIMIT.as_secs());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Closes the guardian's input, which is what it waits for; then it removes everything.
        drop(self.guardian.stdin.take());
        if let Err(error) = self.guardian.wait() {
            eprintln!("warning: the PostgreSQL cluster may still run: {error}");
        }
    }
}

/// The folder of the newest PostgreSQL's programs.
fn find_programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    let version = |folder: &PathBuf| {
        let name = folder.parent()?.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    versions.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    // The client and the server come in separate packages: `initdb` is of the server.
    tools::find("initdb", &versions)?.parent().map(Path::to_path_buf)
}

/// PostgreSQL refuses to run as root, so root lends it another account.
fn unprivileged_account() -> Result<Option<&'static str>> {
    if !tools::is_root() {
        return Ok(None);
    }
    match ["postgres", "nobody"].into_iter().find(|name| tools::account_exists(name)) {
        Some(account) => Ok(Some(account)),
        None => bail!("root cannot run PostgreSQL, and there is neither `postgres` nor `nobody`"),
    }
}

fn make_private_folder(folder: &Path, account: Option<&str>) -> Result<()> {
    let mut command = Command::new("install");
    command.args(["--directory", "--mode=0700"]);
    if let Some(account) = account {
        command.args(["--owner", account]);
    }
    crate::run::openly(command.arg(folder))
}

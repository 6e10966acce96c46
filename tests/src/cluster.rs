//! A PostgreSQL of one test's own, which the test may restart or set up otherwise.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A running cluster; dropping it stops and removes it.
pub struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

/// PostgreSQL refuses to run as root, so root lends it another account.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

impl Cluster {
    /// Makes and starts one with these lines added to its configuration.
    pub fn start(configuration: &str) -> Cluster {
        Cluster::start_from(configuration, |_| {})
    }

    /// One that takes connections with TLS alone. `ca.crt` signed its certificate, which names
    /// `localhost`; `stranger.crt` signed nothing here.
    pub fn start_with_tls() -> Cluster {
        Cluster::start_from("ssl = on", |cluster| {
            cluster.make_certificates();
            let access = "hostssl all all 127.0.0.1/32 trust\n";
            fs::write(cluster.file("data/pg_hba.conf"), access).unwrap();
        })
    }

    /// One in a folder of `disk`, a small one.
    pub fn start_on(disk: &Path) -> Cluster {
        let cluster = Cluster::make(TempDir::with_prefix_in("rr-cluster-", disk).unwrap());
        cluster.configure("max_wal_size = 64MB\nmin_wal_size = 32MB\n");
        assert!(cluster.start_again(&[]), "a new cluster does not start");
        cluster
    }

    /// Starts it after [`Cluster::halt`] or [`Cluster::kill`], under another program (`strace …`) if one
    /// is given; says whether it does.
    pub fn start_again(&self, wrapper: &[&str]) -> bool {
        // After a power cut nobody has the id that it names.
        drop(fs::remove_file(self.file("data/postmaster.pid")));
        let mut command = match wrapper.split_first() {
            None => as_account(&self.programs.join("pg_ctl")),
            Some((program, arguments)) => {
                // As root still: who traces may then become who is traced.
                let inner = as_account(&self.programs.join("pg_ctl"));
                let mut command = Command::new(program);
                command.args(arguments).arg(inner.get_program()).args(inner.get_args());
                command
            }
        };
        // Not to the log beside the data, which may stand on a disk that is gone by then.
        command.args(["start", "--wait", "--silent", "--log", "/dev/null", "--pgdata"]);
        command.arg(self.file("data")).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Stops it in peace.
    pub fn halt(&self) {
        self.run("pg_ctl", &["stop", "--wait", "--silent", "--mode", "fast"]);
    }

    /// SIGKILL to all of its processes. Their ids are asked of the kernel: the files may be gone.
    pub fn kill(&self) {
        let data = self.file("data").display().to_string();
        let find = |arguments: &[&str]| {
            let output = Command::new("pgrep").args(arguments).output().unwrap();
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
        };
        for parent in find(&["-f", &format!("bin/postgres -D {data}")]) {
            let children = find(&["-P", &parent]);
            let _ = Command::new("kill").arg("-9").arg(&parent).args(children).status();
        }
    }

    fn start_from(configuration: &str, prepare: impl FnOnce(&Cluster)) -> Cluster {
        let cluster = Cluster::make(TempDir::with_prefix("rr-cluster-").unwrap());
        cluster.configure(configuration);
        prepare(&cluster);
        cluster.give_away();
        cluster.run("pg_ctl", &["start", "--wait", "--silent", "--log", &cluster.log()]);
        cluster
    }

    fn make(folder: TempDir) -> Cluster {
        let programs = std::env::var("RR_TEST_POSTGRES_PROGRAMS").expect(
            "RR_TEST_POSTGRES_PROGRAMS names PostgreSQL's programs; `cargo xtask test` sets it",
        );
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Cluster { programs: programs.into(), folder, port };
        cluster.give_away();
        cluster.run(
            "initdb",
            &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
        );
        cluster
    }

    fn configure(&self, configuration: &str) {
        let port = self.port;
        let own = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nmax_connections = 50\n\
             unix_socket_directories = ''\n{configuration}\n"
        );
        let file = self.file("data/postgresql.conf");
        let usual = fs::read_to_string(&file).unwrap();
        fs::write(&file, usual + &own).unwrap();
    }

    /// Where the superuser connects.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file beside the data.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stops it in the manner of `mode` (`fast`, `immediate`) and starts it again.
    pub fn restart(&self, mode: &str) {
        let log = self.log();
        self.run("pg_ctl", &["restart", "--wait", "--silent", "--mode", mode, "--log", &log]);
    }

    fn log(&self) -> String {
        self.file("server.log").display().to_string()
    }

    /// Runs one of PostgreSQL's programs on the data, as the account that owns it.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = as_account(&self.programs.join(program));
        command.args(arguments).arg("--pgdata").arg(self.file("data"));
        command.current_dir(self.folder.path());
        // The server inherits them and would keep a pipe open for as long as it lives.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let log = || fs::read_to_string(self.file("server.log")).unwrap_or_default();
        assert!(command.status().unwrap().success(), "{program} {arguments:?}: {}", log());
    }

    /// Lets the account own everything here.
    fn give_away(&self) {
        if let Some(account) = account() {
            let owner = format!("{account}:");
            succeed(Command::new("chown").arg("-R").arg(owner).arg(self.folder.path()));
        }
    }

    fn make_certificates(&self) {
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            succeed(command.args(arguments.split(' ')).current_dir(self.folder.path()));
        };
        for (name, subject) in [("ca", "/CN=Ours"), ("stranger", "/CN=Stranger")] {
            openssl(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj {subject} \
                 -keyout {name}.key -out {name}.crt"
            ));
        }
        openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
             -keyout data/server.key -out server.csr",
        );
        fs::write(self.file("names"), "subjectAltName=DNS:localhost\n").unwrap();
        openssl(
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
             -extfile names -out data/server.crt",
        );
        succeed(Command::new("chmod").arg("0600").arg(self.file("data/server.key")));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut stop = as_account(&self.programs.join("pg_ctl"));
        stop.args(["stop", "--wait", "--silent", "--mode", "immediate", "--pgdata"]);
        // A cluster that never started has nothing to stop.
        let _ = stop.arg(self.file("data")).stderr(Stdio::null()).status();
    }
}

fn account() -> Option<&'static str> {
    let is_there = |name: &&str| id(&["-u", name]).is_some();
    (id(&["-u"])? == "0").then(|| ACCOUNTS.into_iter().find(is_there)).flatten()
}

fn id(arguments: &[&str]) -> Option<String> {
    let output = Command::new("id").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn as_account(program: &Path) -> Command {
    let Some(account) = account() else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", account, "--regid", account, "--clear-groups"]).arg(program);
    command
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
}

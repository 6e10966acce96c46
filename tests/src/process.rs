//! The real binary as a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::Client;

/// How long a server may take to listen, and a command to end unless it is given longer.
const LIMIT: Duration = Duration::from_secs(60);

/// The binary that was built beside these tests.
pub fn binary() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile = this.parent().and_then(|deps| deps.parent()).unwrap();
    let binary = profile.join("revenue-ripple");
    assert!(binary.is_file(), "{} is missing: run `cargo build --workspace`", binary.display());
    binary
}

/// A command of the binary that sees nothing of this process's environment or folder.
pub struct Program {
    command: Command,
    /// An empty folder to run in, so that no configuration file or data folder is picked up.
    folder: TempDir,
    /// Where a server's standard error goes instead of to this process.
    log: Option<std::fs::File>,
    limit: Duration,
}

/// How a command ended.
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

impl Program {
    /// The binary with these arguments and this database.
    pub fn new<S: AsRef<OsStr>>(database: &str, arguments: impl IntoIterator<Item = S>) -> Program {
        let folder = TempDir::with_prefix("rr-process-").unwrap();
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RR_DATABASE_URL", database)
            .env("RR_BIND", "127.0.0.1:0")
            .stdin(Stdio::null());
        Program { command, folder, log: None, limit: LIMIT }
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Program {
        self.command.env(name, value);
        self
    }

    /// Takes away an environment variable that [`Program::new`] set.
    #[must_use]
    pub fn without(mut self, name: &str) -> Program {
        self.command.env_remove(name);
        self
    }

    /// Writes a file into the folder it runs in.
    #[must_use]
    pub fn file(self, name: &str, content: &str) -> Program {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    /// Gives a command so long to end.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Program {
        self.limit = limit;
        self
    }

    /// Lets a server write its log to a file of its folder: reading along would take from this
    /// process's time.
    #[must_use]
    pub fn with_log_file(mut self) -> Program {
        self.log = Some(std::fs::File::create(self.folder.path().join("log")).unwrap());
        self
    }

    /// Runs another program with this one as its last arguments, as `setpriv … revenue-ripple …`.
    #[must_use]
    pub fn under(self, wrapper: &[&str]) -> Program {
        let binary = self.command.get_program().to_owned();
        self.under_other_binary(binary, wrapper)
    }

    /// The same with a copy of the binary.
    #[must_use]
    pub fn under_other_binary(mut self, binary: impl AsRef<OsStr>, wrapper: &[&str]) -> Program {
        let (program, first) = wrapper.split_first().unwrap();
        let mut command = Command::new(program);
        command
            .args(first)
            .arg(binary)
            .args(self.command.get_args())
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        self.command = command;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.run_with_input("")
    }

    /// Runs it to its end with this on its standard input.
    pub fn run_with_input(mut self, input: &str) -> Ended {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        // It may end without reading; that is for the exit code to tell.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        let status = wait(&mut child, self.limit).expect("the command did not end in time");
        Ended {
            code: status.code(),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
        }
    }

    /// Runs it as a server and waits until it listens.
    pub async fn serve(self) -> RealServer {
        self.try_serve().await.unwrap_or_else(|output| panic!("it does not listen:\n{output}"))
    }

    /// Starts it and waits for nothing.
    pub fn start(mut self) -> RealServer {
        let log = self.log.map_or_else(Stdio::piped, Stdio::from);
        let mut child = self.command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let output = Output::default();
        output.follow(child.stdout.take().unwrap());
        if let Some(stderr) = child.stderr.take() {
            output.follow(stderr);
        }
        RealServer { child, output, base: String::new(), _folder: self.folder }
    }

    /// Runs it as a server; when it ends instead of listening, gives what it printed.
    pub async fn try_serve(self) -> Result<RealServer, String> {
        let mut server = self.start();
        let started = Instant::now();
        loop {
            if let Some(base) = server.output.listening_on() {
                server.base = base;
                return Ok(server);
            }
            if server.child.try_wait().unwrap().is_some() {
                // What it printed last may still be in the pipe.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err(server.output.text());
            }
            assert!(started.elapsed() < LIMIT, "no server in time:\n{}", server.output.text());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// Makes a key with the command line, as an operator would, and gives its id and secret.
pub fn make_key(database: &str, permissions: &[&str]) -> (String, String) {
    let list = permissions.join(",");
    let made = Program::new(database, ["keys", "create", "--json", "--permission", &list]).run();
    let made: serde_json::Value = serde_json::from_str(&made.expect(0).stdout).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("key_id"), text("api_key"))
}

/// A running server, or a command that takes its time; dropping it kills it.
pub struct RealServer {
    child: Child,
    output: Output,
    base: String,
    _folder: TempDir,
}

impl RealServer {
    /// A caller without a credential.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// SIGKILL: the process gets no chance to finish anything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, or any other signal by name.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(status.success(), "cannot signal {}", self.pid());
    }

    /// Waits for the process to end by itself.
    pub async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process prints, readable while it runs.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<String>>);

impl Output {
    fn follow(&self, pipe: impl Read + Send + 'static) {
        let text = Arc::clone(&self.0);
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut text = text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
            }
        });
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn listening_on(&self) -> Option<String> {
        let text = self.text();
        let (_, after) = text.split_once("listening on http://")?;
        let (address, _) = after.split_once('\n')?;
        let address = address.split_whitespace().next()?.trim_end_matches('/');
        Some(format!("http://{address}"))
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

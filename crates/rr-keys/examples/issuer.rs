//! A command-line issuer: hashes in a file of JSON lines, secrets nowhere.
//!
//! ```text
//! cargo run -p rr-keys --example issuer -- keys.jsonl issue "nightly report" read_metrics
//! cargo run -p rr-keys --example issuer -- keys.jsonl verify read_metrics    # the key on standard input
//! cargo run -p rr-keys --example issuer -- keys.jsonl revoke ID
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks on the terminal")]
#![expect(clippy::expect_used, reason = "without a random source there is nothing to go on with")]
#![expect(
    clippy::disallowed_methods,
    reason = "a program makes the clock and the random source; libraries take them"
)]

use std::error::Error;
use std::fs::OpenOptions;
use std::future::Future;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use rr_keys::{
    HashScheme, Issued, KeyFormat, KeyHash, KeyRecord, KeyStore, Request, Verifier, VerifierOptions,
};
use serde_json::{Value, json};
use uuid::Uuid;

const USAGE: &str = "issuer FILE issue NAME PERMISSION… | verify PERMISSION | revoke ID";
const LIFE: Duration = Duration::from_secs(90 * 24 * 3_600);

/// One JSON object a line: `{"issued": id, "hash": …}` or `{"revoked": id, "at": …}`. Lines are only ever
/// added, so the file is its own history.
pub(crate) struct FileStore(pub(crate) PathBuf);

impl FileStore {
    fn append(&self, line: &Value) -> Result<(), std::io::Error> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.0)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()
    }

    fn lines(&self) -> Result<Vec<Value>, std::io::Error> {
        let text = match std::fs::read_to_string(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read?,
        };
        // A line that cannot be read may be a revocation, so it stops everything.
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    fn read(&self, hash: KeyHash) -> Result<Option<KeyRecord>, std::io::Error> {
        let lines = self.lines()?;
        let own = |line: &&Value| line["hash"].as_str().map(KeyHash::from_hex) == Some(Ok(hash));
        let Some(line) = lines.iter().find(own) else { return Ok(None) };
        let revoked = lines.iter().find(|other| other["revoked"] == line["issued"]);
        read_record(line, revoked).map(Some).ok_or_else(|| ErrorKind::InvalidData.into())
    }
}

impl KeyStore for FileStore {
    type Error = std::io::Error;

    fn find(
        &self,
        hash: KeyHash,
    ) -> impl Future<Output = Result<Option<KeyRecord>, std::io::Error>> + Send {
        std::future::ready(self.read(hash))
    }
}

fn read_record(issued: &Value, revoked: Option<&Value>) -> Option<KeyRecord> {
    let permissions = issued["permissions"].as_array()?.iter().map(Value::as_str);
    let id = Uuid::parse_str(issued["issued"].as_str()?).ok()?;
    Some(KeyRecord {
        permissions: permissions.collect::<Option<Vec<_>>>()?.into_iter().collect(),
        expires_at: Some(time(&issued["expires_at"])?),
        revoked_at: match revoked {
            Some(line) => Some(time(&line["at"])?),
            None => None,
        },
        ..KeyRecord::new(id, issued["name"].as_str()?, time(&issued["at"])?)
    })
}

fn time(seconds: &Value) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.as_u64()?))
}

fn seconds(time: SystemTime) -> Result<u64, Box<dyn Error>> {
    Ok(time.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

fn issue(store: &FileStore, name: &str, permissions: &[&str]) -> Result<(), Box<dyn Error>> {
    let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| {
        getrandom::fill(buffer).expect("without the system's random source no key can be made");
    });
    let id = write(store, &issued, name, permissions, SystemTime::now())?;
    eprintln!("{id}, good for 90 days; this is the only time that the key is shown:");
    println!("{}", issued.secret.expose());
    Ok(())
}

pub(crate) fn write(
    store: &FileStore,
    issued: &Issued,
    name: &str,
    permissions: &[&str],
    now: SystemTime,
) -> Result<Uuid, Box<dyn Error>> {
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    let id = uuid::Builder::from_random_bytes(id).into_uuid();
    store.append(&json!({
        "issued": id.to_string(),
        "hash": issued.hash(&HashScheme::sha256()).as_bytes().map(|byte| format!("{byte:02x}")).concat(),
        "hint": issued.hint,
        "name": name,
        "permissions": permissions,
        "at": seconds(now)?,
        "expires_at": seconds(now + LIFE)?,
    }))?;
    Ok(id)
}

pub(crate) fn revoke(store: &FileStore, id: &str, now: SystemTime) -> Result<(), Box<dyn Error>> {
    // A slip of the pen must not look like a revocation.
    if !store.lines()?.iter().any(|line| line["issued"] == id) {
        return Err(format!("there is no key {id}").into());
    }
    store.append(&json!({"revoked": id, "at": seconds(now)?}))?;
    Ok(())
}

/// The key comes on standard input: arguments can be read by every user of the machine.
pub(crate) async fn verify(
    store: FileStore,
    permission: &str,
    key: &str,
    now: SystemTime,
) -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::new(store, VerifierOptions::default());
    let request = Request::requires(permission);
    let grant = verifier.verify(key.trim_end(), &request, now).await?;
    println!("{} may {permission} ({})", grant.record().name, grant.key_id());
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [file, "issue", name, permissions @ ..] => {
            issue(&FileStore(file.into()), name, permissions)
        }
        [file, "verify", permission] => match std::io::read_to_string(std::io::stdin()) {
            Ok(key) => verify(FileStore(file.into()), permission, &key, SystemTime::now()).await,
            Err(error) => Err(error.into()),
        },
        [file, "revoke", id] => revoke(&FileStore(file.into()), id, SystemTime::now()),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

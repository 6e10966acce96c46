//! The server in this process: a real listener, a database of its own, time that a test sets.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rr_domain::{Label, Timestamp, new_id};
use rr_http::{AppState, HttpSettings, Server};
use rr_keys::{KeyFormat, KeyRecord, PermissionSet};
use rr_store::{
    Actor, Audit, CreateKey, CreateUser, EventBody, EventFilter, NewKey, NewUser, PageRequest,
    Store, UserFilter,
};
use serde_json::json;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::client::Client;
use crate::clock::{TestClock, seeded_random};
use crate::database::{TestDatabase, open_store};
use crate::process::Program;

/// The administrator that [`TestApp::as_admin`] makes.
pub const ADMIN_EMAIL: &str = "boss@example.com";
/// That administrator's password.
pub const ADMIN_PASSWORD: &str = "correct horse battery staple";

/// A running server. It dereferences to a caller without a credential.
pub struct TestApp {
    anyone: Client,
    server: Option<Running>,
    /// The server's own parts.
    pub state: Arc<AppState>,
    /// The server's clock.
    pub clock: TestClock,
    /// The server's database.
    pub database: TestDatabase,
}

/// The server's own thread, so that it runs on while a test blocks and stops when the test ends.
struct Running {
    stop: oneshot::Sender<Duration>,
    thread: JoinHandle<bool>,
}

/// A key and a caller that shows it.
pub struct Key {
    /// The key's id.
    pub id: Uuid,
    /// The secret.
    pub secret: String,
    caller: Client,
}

impl TestApp {
    /// A server on an empty, migrated database.
    pub async fn init() -> TestApp {
        TestApp::with_settings(|_| {}).await
    }

    /// A server whose settings differ from the usual ones.
    pub async fn with_settings(change: impl FnOnce(&mut HttpSettings)) -> TestApp {
        TestApp::on(TestDatabase::migrated().await, change)
    }

    /// A server on the demo data, which the real binary writes.
    pub async fn demo() -> TestApp {
        let database = TestDatabase::migrated().await;
        Program::new(database.url(), ["seed", "--demo"]).run().expect(0);
        TestApp::on(database, |_| {})
    }

    /// A server on a database that exists.
    pub fn on(database: TestDatabase, change: impl FnOnce(&mut HttpSettings)) -> TestApp {
        let store = open_store(database.url());
        TestApp::with_store(database, store, change)
    }

    /// A server with a store that is open already.
    pub fn with_store(
        database: TestDatabase,
        store: Store,
        change: impl FnOnce(&mut HttpSettings),
    ) -> TestApp {
        let clock = TestClock::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let usual = HttpSettings::default();
        let mut settings = HttpSettings { workers: Some(1), listen_url: base.clone(), ..usual };
        change(&mut settings);
        let state = AppState::new(store, clock.clock(), seeded_random(1), settings);
        let server = Some(Running::start(Arc::clone(&state), listener));
        TestApp { anyone: Client::new(&base), server, state, clock, database }
    }

    /// The store that the server uses.
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// A caller with a new key of these permissions.
    pub async fn with_key(&self, permissions: &[&str]) -> Key {
        self.with_key_like(permissions, |_| {}).await
    }

    /// A caller with a new key that differs from the usual ones.
    pub async fn with_key_like(
        &self,
        permissions: &[&str],
        change: impl FnOnce(&mut KeyRecord),
    ) -> Key {
        self.with_key_of(self.store(), permissions, change).await
    }

    /// The same, made by another process, whose store this is.
    pub async fn with_key_of(
        &self,
        store: &Store,
        permissions: &[&str],
        change: impl FnOnce(&mut KeyRecord),
    ) -> Key {
        let now = self.clock.now();
        let issued = KeyFormat::REVENUE_RIPPLE.issue(|buffer| self.state.random.fill(buffer));
        let id = new_id(now, &self.state.random);
        let mut record = KeyRecord {
            permissions: permissions.iter().copied().collect::<PermissionSet>(),
            ..KeyRecord::new(id, "a test's key", now.to_system_time())
        };
        change(&mut record);
        let key = NewKey {
            record,
            hash: store.key_schemes().hash(&issued),
            hint: issued.hint.clone(),
            created_by: "a test".to_owned(),
            last_used_at: None,
        };
        let created = store.create_key(key, None, self.audit()).await.unwrap();
        assert!(matches!(created, CreateKey::Created(_)));
        let secret = issued.secret.expose().to_owned();
        Key { id, caller: self.anyone.with_key(&secret), secret }
    }

    /// A caller with the session of an administrator, made at the first call.
    pub async fn as_admin(&self) -> Client {
        self.create_user(ADMIN_EMAIL, "admin", Some(ADMIN_PASSWORD)).await;
        self.anyone.with_session(&self.login(ADMIN_EMAIL, ADMIN_PASSWORD).await)
    }

    /// Signs in and gives the cookie, as a browser would send it back.
    pub async fn login(&self, email: &str, password: &str) -> String {
        let body = json!({"email": email, "password": password});
        let answer = self.post("/api/auth/login", &body).await.expect(200);
        let cookie = answer.header("set-cookie").expect("a session cookie");
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Makes a user; one that exists already stays as it is.
    pub async fn create_user(&self, email: &str, role: &str, password: Option<&str>) -> Uuid {
        let now = self.clock.now();
        let random = &self.state.random;
        let user = NewUser {
            id: new_id(now, random),
            email: email.to_owned(),
            role: Label::parse(role).unwrap(),
            plan: None,
            status: Label::parse("active").unwrap(),
            password_hash: password.map(|text| rr_http::hash_password(text, random).unwrap()),
            created_at: now,
            updated_at: now,
        };
        let id = user.id;
        match self.store().create_user(user, self.audit()).await.unwrap() {
            CreateUser::Created => id,
            CreateUser::EmailTaken(id) => id,
        }
    }

    /// How much is stored: what a refused request must not change.
    pub async fn counts(&self) -> Counts {
        let store = self.store();
        let all = || PageRequest { limit: 1000, cursor: None };
        Counts {
            keys: store
                .keys(all())
                .await
                .unwrap()
                .items
                .iter()
                .map(|key| (key.record.id, key.version))
                .collect(),
            events: store.events(EventFilter::default(), all()).await.unwrap().items.len(),
            users: store.users(UserFilter::default(), all()).await.unwrap().items.len(),
            activity: store.activity(all()).await.unwrap().items.len(),
            facts: store.facts_version().await.unwrap(),
        }
    }

    /// The body of an event, as it was received.
    pub async fn body_of(&self, event: Uuid) -> EventBody {
        let mut page = PageRequest { limit: 1000, cursor: None };
        loop {
            let found =
                self.store().full_events(EventFilter::default(), page.clone()).await.unwrap();
            if let Some(full) = found.items.into_iter().find(|full| full.row.id == event) {
                return full.body.unwrap();
            }
            page.cursor = found.next;
            assert!(page.cursor.is_some(), "there is no event {event}");
        }
    }

    /// Stops the server as SIGTERM does; says whether all that was accepted was finished.
    pub async fn stop(&mut self, grace: Duration) -> bool {
        let running = self.server.take().unwrap();
        running.stop.send(grace).unwrap();
        let stopped = tokio::task::spawn_blocking(|| running.thread.join().unwrap());
        stopped.await.unwrap()
    }

    /// The audit part of what a test does to the store itself.
    pub fn audit(&self) -> Audit {
        let at: Timestamp = self.clock.now();
        Audit { at, actor: Actor::System, request_id: None, address: None }
    }
}

impl Counts {
    /// The same without the log of who did what.
    #[must_use]
    pub fn without_activity(mut self) -> Counts {
        self.activity = 0;
        self
    }
}

impl Running {
    fn start(state: Arc<AppState>, listener: TcpListener) -> Running {
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let thread = thread::spawn(move || {
            runtime.block_on(async move {
                let server = Server::start(Arc::clone(&state), listener, |_| {}).unwrap();
                let drained = server.stop(stopped.await.unwrap_or_default()).await;
                state.store.close().await;
                drained
            })
        });
        Running { stop, thread }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(Running { stop, thread }) = self.server.take() {
            drop(stop);
            // A server that panicked has said so; the test's own verdict counts.
            let _ = thread.join();
        }
    }
}

/// Rows of each kind, and of keys the version, which grows with every change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    keys: Vec<(Uuid, i64)>,
    events: usize,
    users: usize,
    activity: usize,
    facts: i64,
}

impl Deref for TestApp {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.anyone
    }
}

impl Deref for Key {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.caller
    }
}

//! A database for each test: a file of its own, or a PostgreSQL database of its own.
//!
//! `RR_TEST_DATABASE` says which: `sqlite` (the default), or `postgres` with `RR_TEST_POSTGRES_URL`
//! naming the superuser's entrance to a cluster that may be filled with databases.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use rr_store::{DatabaseUrl, Store, StoreOptions};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

/// A migrated or empty database that goes when this is dropped.
pub struct TestDatabase {
    url: String,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Postgres { name: String },
}

/// Which database this run of the tests is for.
pub fn is_postgres() -> bool {
    match std::env::var("RR_TEST_DATABASE").as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("RR_TEST_DATABASE is sqlite or postgres, not {other}"),
    }
}

impl TestDatabase {
    /// A database with every table in place and nothing in them.
    pub async fn migrated() -> TestDatabase {
        if is_postgres() {
            let template = TEMPLATE.get_or_init(make_template).await;
            TestDatabase::postgres(&format!("TEMPLATE {template}")).await
        } else {
            TestDatabase::migrated_sqlite().await
        }
    }

    /// The same on SQLite, whatever the run of the tests is for.
    pub async fn migrated_sqlite() -> TestDatabase {
        let database = TestDatabase::sqlite();
        migrate(database.url()).await;
        database
    }

    /// A database with nothing in it at all.
    pub async fn empty() -> TestDatabase {
        if is_postgres() { TestDatabase::postgres("").await } else { TestDatabase::sqlite() }
    }

    /// What the server is told.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder of an SQLite database.
    pub fn folder(&self) -> Option<&std::path::Path> {
        match &self.place {
            Place::Sqlite(folder) => Some(folder.path()),
            Place::Postgres { .. } => None,
        }
    }

    /// Everything that is stored, as bytes or as text: where a secret must not be found.
    pub async fn everything_stored(&self) -> Vec<u8> {
        match &self.place {
            Place::Sqlite(folder) => {
                let mut all = Vec::new();
                for entry in std::fs::read_dir(folder.path()).unwrap() {
                    all.extend(std::fs::read(entry.unwrap().path()).unwrap());
                }
                all
            }
            Place::Postgres { .. } => every_row(&self.url).await,
        }
    }

    fn sqlite() -> TestDatabase {
        let folder = TempDir::with_prefix("rr-test-").unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        TestDatabase { url, place: Place::Sqlite(folder) }
    }

    async fn postgres(option: &str) -> TestDatabase {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rr_test_{}_{number}", std::process::id());
        execute(&admin_url(), &format!("CREATE DATABASE {name} {option}")).await;
        TestDatabase { url: url_of(&name), place: Place::Postgres { name } }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Place::Postgres { name } = &self.place else { return };
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // A thread with a runtime of its own: this one may be busy with the test's.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(execute(&admin_url(), &statement));
        });
        // The cluster is thrown away as a whole, so a database that stays does no harm.
        let _ = dropping.join();
    }
}

/// How the tests open a store: few threads, since many stores live at a time.
pub fn open_store(url: &str) -> Store {
    open_store_like(url, |_| {})
}

/// The same with options that differ from the usual ones.
pub fn open_store_like(url: &str, change: impl FnOnce(&mut StoreOptions)) -> Store {
    let mut options = StoreOptions::new(DatabaseUrl::parse(url).unwrap());
    options.readers = 2;
    change(&mut options);
    Store::open(options).unwrap()
}

async fn migrate(url: &str) {
    let store = open_store(url);
    store.migrate().await.unwrap();
    store.close().await;
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Migrates once; every other database is a copy.
async fn make_template() -> String {
    let name = format!("rr_template_{}", std::process::id());
    execute(&admin_url(), &format!("CREATE DATABASE {name}")).await;
    migrate(&url_of(&name)).await;
    // A copy is refused while somebody is connected, and a closed connection's process takes a
    // moment to go.
    let gone = format!("SELECT 1 FROM pg_stat_activity WHERE datname = '{name}'");
    while count_rows(&admin_url(), &gone).await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    name
}

/// The superuser's entrance to the cluster.
pub fn admin_url() -> String {
    std::env::var("RR_TEST_POSTGRES_URL")
        .expect("RR_TEST_DATABASE=postgres needs RR_TEST_POSTGRES_URL; `cargo xtask test` sets it")
}

fn url_of(database: &str) -> String {
    let admin = admin_url();
    let (server, _) = admin.rsplit_once('/').expect("the URL ends in a database");
    format!("{server}/{database}")
}

pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn execute(url: &str, statement: &str) {
    connect(url).await.batch_execute(statement).await.unwrap();
}

async fn count_rows(url: &str, query: &str) -> usize {
    connect(url).await.query(query, &[]).await.unwrap().len()
}

async fn every_row(url: &str) -> Vec<u8> {
    let client = connect(url).await;
    let tables = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) \
        FROM information_schema.tables WHERE table_schema = 'revenue_ripple'";
    let mut all = Vec::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let table: String = table.get(0);
        let rows = format!("SELECT row_to_json(t)::text FROM {table} t");
        for row in client.query(&rows, &[]).await.unwrap() {
            all.extend_from_slice(row.get::<_, String>(0).as_bytes());
        }
    }
    assert!(!all.is_empty(), "the schema revenue_ripple is empty");
    all
}

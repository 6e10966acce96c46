//! A database for one test, gone when the test is over.

use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::url::Target;
use crate::{DatabaseUrl, Store, StoreOptions};

pub(super) struct TestDatabase {
    pub(super) url: DatabaseUrl,
    folder: TempDir,
    /// The admin's URL and the name of the database made with it.
    made: Option<(String, String)>,
}

/// Whether this run is on PostgreSQL.
pub(super) fn on_postgres() -> bool {
    match std::env::var("RR_TEST_DATABASE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("RR_TEST_DATABASE is {other}; it must be sqlite or postgres"),
    }
}

impl TestDatabase {
    /// An empty database.
    pub(super) fn new() -> TestDatabase {
        if !on_postgres() {
            return TestDatabase::sqlite();
        }
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let admin = std::env::var("RR_TEST_POSTGRES_URL").expect("RR_TEST_POSTGRES_URL is set");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("rr_store_{}_{number}", std::process::id());
        run_sql(&admin, &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"));
        let url = with_database(&admin, &name);
        TestDatabase { url, folder: TempDir::new().unwrap(), made: Some((admin, name)) }
    }

    pub(super) fn sqlite() -> TestDatabase {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}", folder.path().join("sub/store.db").display());
        TestDatabase { url: DatabaseUrl::parse(&url).unwrap(), folder, made: None }
    }

    /// A store on it; several stores stand for several processes.
    pub(super) fn open(&self) -> Store {
        self.open_with(|_| {})
    }

    pub(super) fn open_with(&self, change: impl FnOnce(&mut StoreOptions)) -> Store {
        let mut options = StoreOptions::new(self.url.clone());
        options.readers = 2;
        change(&mut options);
        Store::open(options).unwrap()
    }

    /// A store with the schema in place.
    pub(super) async fn migrated(&self) -> Store {
        let store = self.open();
        store.migrate().await.unwrap();
        store
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Runs a statement as the admin, on the admin's own database.
    pub(super) fn as_admin(&self, statement: &str) {
        let (admin, _) = self.made.as_ref().expect("only PostgreSQL has an admin");
        run_sql(admin, statement);
    }

    pub(super) fn name(&self) -> &str {
        self.made.as_ref().map_or("", |(_, name)| name)
    }

    /// Ends every connection to this database, as a restart of the server does.
    pub(super) fn kill_connections(&self) {
        let name = self.name();
        self.as_admin(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some((admin, name)) = &self.made {
            run_sql(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn with_database(admin: &str, name: &str) -> DatabaseUrl {
    let mut url = DatabaseUrl::parse(admin).unwrap();
    match &mut url.0 {
        Target::Postgres(url) => drop(url.config.dbname(name)),
        Target::Sqlite(_) => panic!("RR_TEST_POSTGRES_URL is no PostgreSQL URL"),
    }
    url
}

/// On a thread of its own, because a test's runtime cannot run another.
fn run_sql(admin: &str, statement: &str) {
    let Target::Postgres(url) = DatabaseUrl::parse(admin).unwrap().0 else {
        panic!("RR_TEST_POSTGRES_URL is no PostgreSQL URL");
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (client, connection) = url.config.connect(tokio_postgres::NoTls).await.unwrap();
                runtime.spawn(connection);
                client.batch_execute(statement).await.unwrap();
            });
        });
    });
}

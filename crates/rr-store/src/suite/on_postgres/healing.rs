//! A database that goes away and comes back, without a restart of ours.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::*;
use crate::url::Target;
use crate::{DatabaseUrl, Store, StoreError, StoreOptions};

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn killed_connections_are_remade_unnoticed() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    for round in 0..5 {
        store.accept_event(event(round), None).await.unwrap();
        store.key_changes(None).await.unwrap();
        database.kill_connections();
        assert!(matches!(
            store.accept_event(event(100 + round), None).await.unwrap(),
            crate::AcceptEvent::Stored(_)
        ));
        for _ in 0..4 {
            store.key_changes(None).await.unwrap();
        }
    }
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 10);
    assert!(store.stats().connections_broken >= 5);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_server_that_refuses_is_unavailable_until_it_takes_connections_again() {
    let database = TestDatabase::new();
    let store = database.open_with(|options| options.connect_timeout = Duration::from_millis(300));
    store.migrate().await.unwrap();
    let name = database.name();
    database.as_admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    database.kill_connections();
    for n in 0..3 {
        let write = store.accept_event(event(n), None).await;
        assert!(matches!(write, Err(StoreError::Unavailable(_))), "{write:?}");
        let read = store.key_changes(None).await;
        assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    }
    let started = Instant::now();
    for _ in 0..50 {
        assert!(store.key_changes(None).await.is_err());
    }
    assert!(started.elapsed() < Duration::from_secs(2), "while it is down, nobody waits long");
    database.as_admin(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    heals(&store).await;
    store.accept_event(event(50), None).await.unwrap();
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 1);
}

/// Waits for a write and a read to work.
async fn heals(store: &Store) {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let read = store.key_changes(None).await;
        let write = store.change_agents(|_| (), audit(1)).await;
        if read.is_ok() && write.is_ok() {
            return;
        }
        assert!(Instant::now() < deadline, "{read:?} {write:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_server_that_is_down_at_start_is_found_later() {
    let database = TestDatabase::new();
    database.migrated().await.close().await;
    let (server, through) = through_proxy(&database.url);
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let mut options = StoreOptions::new(through(address));
    options.connect_timeout = Duration::from_millis(300);
    let store = Store::open(options).unwrap();
    let down = store.ready().await;
    assert!(matches!(down, Err(StoreError::Unavailable(_))), "{down:?}");
    let listener = TcpListener::bind(address).unwrap();
    proxy(listener, server);
    heals(&store).await;
    store.ready().await.unwrap();
    let StoreError::Unavailable(cause) = down.unwrap_err() else { panic!("checked above") };
    assert!(cause.to_string().contains("Connection refused"), "{cause}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_silent_network_holds_no_thread_for_ever() {
    let database = TestDatabase::new();
    database.migrated().await.close().await;
    let (server, through) = through_proxy(&database.url);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = through(listener.local_addr().unwrap());
    let silence = proxy(listener, server);
    let mut options = StoreOptions::new(url);
    options.readers = 1;
    options.statement_timeout = Duration::from_millis(500);
    options.connect_timeout = Duration::from_millis(300);
    let store = Store::open(options).unwrap();
    store.key_changes(None).await.unwrap();
    silence.store(true, std::sync::atomic::Ordering::SeqCst);
    let started = Instant::now();
    let lost = store.key_changes(None).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    silence.store(false, std::sync::atomic::Ordering::SeqCst);
    heals(&store).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_forgetful_postgresql_is_refused_unless_allowed() {
    let database = TestDatabase::new();
    let name = database.name();
    database.as_admin(&format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    let store = database.open();
    let refused = store.migrate().await.unwrap_err();
    let StoreError::Unavailable(cause) = refused else { panic!("{refused:?}") };
    assert!(cause.to_string().contains("synchronous_commit"), "{cause}");
    let store = database.open_with(|options| options.allow_weak_durability = true);
    store.migrate().await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn two_hosts_find_the_one_that_answers() {
    let database = TestDatabase::new();
    let Target::Postgres(pg) = &database.url.0 else { panic!("on PostgreSQL") };
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = reserved.local_addr().unwrap().port();
    drop(reserved);
    let text = format!(
        "postgres://{}@127.0.0.1:{dead},127.0.0.1:{}/{}?target_session_attrs=read-write",
        pg.config.get_user().unwrap(),
        pg.config.get_ports()[0],
        database.name(),
    );
    let store = Store::open(StoreOptions::new(DatabaseUrl::parse(&text).unwrap())).unwrap();
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_required_encryption_never_falls_back_to_plain_text() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let encrypted =
        number(&store, "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'on'")
            .await
            == 1;
    let Target::Postgres(pg) = &database.url.0 else { panic!("on PostgreSQL") };
    let (user, port) = (pg.config.get_user().unwrap(), pg.config.get_ports()[0]);
    for (mode, works_plain) in
        [("disable", true), ("prefer", true), ("require", false), ("verify-full", false)]
    {
        let text = format!("postgres://{user}@127.0.0.1:{port}/{}?sslmode={mode}", database.name());
        let mut options = StoreOptions::new(DatabaseUrl::parse(&text).unwrap());
        options.connect_timeout = Duration::from_millis(1_500);
        let store = match Store::open(options) {
            Ok(store) => store,
            // A machine without any root certificate cannot verify and says so at once.
            Err(crate::OpenError::Tls(_)) if mode == "verify-full" => continue,
            Err(error) => panic!("{mode}: {error}"),
        };
        let answer = store.ready().await;
        if works_plain || (encrypted && mode == "require") {
            assert!(answer.is_ok(), "{mode}: {answer:?}");
        } else {
            let Err(StoreError::Unavailable(cause)) = answer else { panic!("{mode}: {answer:?}") };
            assert!(cause.to_string().contains("TLS"), "{mode}: {cause}");
        }
    }
}

/// The server's address, and the URL that reaches it through another address.
fn through_proxy(url: &DatabaseUrl) -> (SocketAddr, impl Fn(SocketAddr) -> DatabaseUrl) {
    let Target::Postgres(pg) = &url.0 else { panic!("on PostgreSQL") };
    let server = SocketAddr::from(([127, 0, 0, 1], pg.config.get_ports()[0]));
    let (user, name) = (pg.config.get_user().unwrap(), pg.config.get_dbname().unwrap());
    let rest = format!("/{name}?sslmode=disable");
    let user = user.to_owned();
    let through =
        move |at: SocketAddr| DatabaseUrl::parse(&format!("postgres://{user}@{at}{rest}")).unwrap();
    (server, through)
}

/// Carries bytes both ways; while the returned flag is up, swallows what the server says.
fn proxy(
    listener: TcpListener,
    server: SocketAddr,
) -> std::sync::Arc<std::sync::atomic::AtomicBool> {
    let silence = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = std::sync::Arc::clone(&silence);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let upstream = TcpStream::connect(server).unwrap();
            let (to_server, to_client) =
                (upstream.try_clone().unwrap(), client.try_clone().unwrap());
            let flag = std::sync::Arc::clone(&flag);
            std::thread::spawn(move || carry(client, to_server, || true));
            std::thread::spawn(move || {
                carry(upstream, to_client, || !flag.load(std::sync::atomic::Ordering::SeqCst));
            });
        }
    });
    silence
}

fn carry(mut from: TcpStream, mut to: TcpStream, speaks: impl Fn() -> bool) {
    let mut buffer = [0; 8192];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if speaks() && to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    drop(to.shutdown(std::net::Shutdown::Both));
}

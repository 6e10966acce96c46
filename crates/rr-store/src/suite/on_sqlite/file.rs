//! The file: durable settings, a full disk, locks, its size, and files that cannot be used.

use super::*;
use crate::{OpenError, Store, StoreError, StoreOptions};

#[tokio::test]
async fn every_sqlite_connection_keeps_commits_through_a_power_cut() {
    let database = TestDatabase::sqlite();
    keeps_commits(database.migrated().await, -16_000, 8_000).await;
}

#[tokio::test]
async fn a_bulk_connection_has_more_memory_and_is_as_durable() {
    let database = TestDatabase::sqlite();
    database.migrated().await.close().await;
    let store = database.open_with(|options| options.bulk = true);
    keeps_commits(store, -262_144, 16_384).await;
}

async fn keeps_commits(store: Store, cache: i64, checkpoint: i64) {
    // Both readers and the writer: SQLite's settings belong to the connection.
    for _ in 0..8 {
        assert_eq!(number(&store, "SELECT synchronous FROM pragma_synchronous").await, 2);
        assert_eq!(number(&store, "PRAGMA cache_size").await, cache);
        assert_eq!(number(&store, "PRAGMA wal_autocheckpoint").await, checkpoint);
    }
    let written = store
        .write(|conn| {
            use diesel::prelude::*;
            crate::conn::on_each!(conn, |c| diesel::dsl::sql::<diesel::sql_types::Text>(
                "SELECT j.journal_mode || ' ' || s.synchronous || ' ' || f.foreign_keys || ' ' || \
                 t.timeout || ' ' || l.journal_size_limit \
                 FROM pragma_journal_mode j, pragma_synchronous s, pragma_foreign_keys f, \
                 pragma_busy_timeout t, pragma_journal_size_limit l"
            )
            .get_result::<String>(c))
        })
        .await
        .unwrap();
    assert_eq!(written, "wal 2 1 5000 67108864");
}

/// `.cargo/config.toml` says why; a build that misses it works, and is slower.
#[tokio::test]
async fn sqlite_is_compiled_without_locks_that_nobody_needs() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    for (option, there) in [
        ("SELECT sqlite_compileoption_used('THREADSAFE=2')", 1),
        ("SELECT sqlite_compileoption_used('DEFAULT_MEMSTATUS=0')", 1),
        ("SELECT sqlite_compileoption_used('ENABLE_MEMORY_MANAGEMENT')", 0),
    ] {
        assert_eq!(number(&store, option).await, there, "{option}");
    }
}

#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_room() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    store.accept_event(event(1), None).await.unwrap();
    execute(&store, "PRAGMA max_page_count = 10").await;
    let mut big = event(2);
    big.body = vec![b'x'; 400_000];
    let full = store.accept_event(big.clone(), once("big", 1)).await;
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    assert_eq!(number(&store, "SELECT count(*) FROM events").await, 1);
    execute(&store, "PRAGMA max_page_count = 1000000").await;
    let stored = store.accept_event(big, once("big", 1)).await.unwrap();
    assert_eq!(stored, crate::AcceptEvent::Stored(id(2)));
    assert_eq!(number(&store, "SELECT count(*) FROM event_bodies").await, 2);
}

#[tokio::test]
async fn another_process_holding_the_lock_is_waited_for() {
    let database = TestDatabase::sqlite();
    let one = database.migrated().await;
    let two = database.open();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let (mut held, mut began) = (Some(held), Some(began));
    let holding = one.write(move |_| {
        if let (Some(held), Some(began)) = (held.take(), began.take()) {
            let _ = began.send(());
            let _ = held.recv();
        }
        Ok(())
    });
    let waiting = async {
        begun.await.unwrap();
        let releasing = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            drop(release);
        });
        two.accept_event(event(1), None).await.unwrap();
        releasing.await.unwrap();
    };
    let (held, ()) = tokio::join!(holding, waiting);
    held.unwrap();
}

#[tokio::test]
async fn what_is_committed_is_copied_beside_the_writer() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    let path = database.folder().join("sub/store.db");
    let size = || std::fs::metadata(&path).unwrap().len();
    let before = size();
    // Far less than what a checkpoint of the writer's own waits for.
    for number in 0..200 {
        store.accept_event(event(number), None).await.unwrap();
    }
    for _ in 0..600 {
        if size() > before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the file is as long as before: {before}");
}

#[tokio::test]
async fn a_wal_that_a_reader_kept_from_being_reused_is_emptied_later() {
    let database = TestDatabase::sqlite();
    let store = database.migrated().await;
    let wal = database.folder().join("sub/store.db-wal");
    let size = || std::fs::metadata(&wal).unwrap().len();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let (mut held, mut began) = (Some(held), Some(began));
    let reading = store.read(move |conn| {
        conn.batch("BEGIN; SELECT * FROM users")?;
        if let (Some(held), Some(began)) = (held.take(), began.take()) {
            let _ = began.send(());
            let _ = held.recv();
        }
        conn.batch("COMMIT")
    });
    let writing = async {
        begun.await.unwrap();
        let write = async |numbers: std::ops::Range<u128>| {
            for number in numbers {
                let body = vec![b'x'; 8_000];
                let sent = crate::NewEvent { body, ..event(number) };
                store.accept_event(sent, None).await.unwrap();
            }
        };
        write(0..300).await;
        let grown = size();
        assert!(grown > 2 * crate::conn::MAX_WAL_BYTES, "the reader's snapshot keeps it growing");
        drop(release);
        // The writer looks after some commits; SQLite by itself would use the file at its full length.
        let mut next = 300;
        while size() > grown / 2 {
            assert!(next < 2_000, "{} of {grown}", size());
            write(next..next + 20).await;
            next += 20;
        }
    };
    let (read, ()) = tokio::join!(reading, writing);
    read.unwrap();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let database = TestDatabase::sqlite();
    let folder = database.folder();
    let open = |path: &std::path::Path| {
        let url = crate::DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
        Store::open(StoreOptions::new(url)).err().expect("the file cannot be used")
    };
    std::fs::write(folder.join("file"), "x").unwrap();
    let under_file = open(&folder.join("file/store.db"));
    assert!(matches!(under_file, OpenError::File { .. }), "{under_file}");
    let a_folder = open(folder);
    assert!(matches!(a_folder, OpenError::File { .. }), "{a_folder}");
    let noise = folder.join("noise.db");
    std::fs::write(&noise, "this is certainly not a database file".repeat(500)).unwrap();
    let corrupt = open(&noise);
    assert!(matches!(corrupt, OpenError::Corrupt { .. }), "{corrupt}");
    assert!(corrupt.to_string().contains("noise.db"), "{corrupt}");
    assert_eq!(std::fs::read(&noise).unwrap().len(), 37 * 500, "it is left as it was");
    #[cfg(target_os = "linux")]
    {
        let read_only = open(std::path::Path::new("/proc/rr-store/store.db"));
        assert!(matches!(read_only, OpenError::File { .. }), "{read_only}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let database = TestDatabase::sqlite();
    let _store = database.open();
    let path = database.folder().join("sub/store.db");
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

//! Errors of a server that need not speak English.

use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::*;
use crate::conn::on_each;
use crate::url::Target;
use crate::{DatabaseUrl, Store, StoreError, StoreOptions};

#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn the_server_is_asked_for_its_own_english() {
    let database = TestDatabase::new();
    let name = database.name();
    database.as_admin(&format!("ALTER DATABASE {name} SET lc_messages = 'POSIX'"));
    let store = database.migrated().await;
    let language = |conn: &mut crate::conn::Conn| {
        on_each!(conn, |c| sql::<Text>("SHOW lc_messages").get_result(c))
    };
    let found: String = store.read(language).await.unwrap();
    assert_eq!(found, "C");
}

/// A role that may not choose the language, on a server of another one: what the driver has no name
/// for passes for temporary, because nothing says that it is a defect.
#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn what_cannot_be_understood_is_no_defect() {
    let database = TestDatabase::new();
    let store = database.migrated().await;
    let raise =
        "DO $$ BEGIN RAISE EXCEPTION 'Verklemmung entdeckt' USING ERRCODE = '40P01'; END $$";
    let failed = store.write(move |conn| conn.batch(raise)).await;
    assert!(
        matches!(failed, Err(StoreError::Internal(_))),
        "in English it is a defect: {failed:?}"
    );

    let name = database.name();
    let role = format!("{name}_plain");
    database.as_admin(&format!("CREATE ROLE {role} LOGIN"));
    database.as_admin(&format!("GRANT CREATE ON DATABASE {name} TO {role}"));
    // No other language is installed where tests run, so the question is answered for the server.
    let foreign = "CREATE SCHEMA foreign_words; CREATE FUNCTION foreign_words.current_setting(text) \
         RETURNS text LANGUAGE sql AS $$ SELECT CASE $1 WHEN 'lc_messages' THEN 'de_DE.UTF-8' \
         ELSE pg_catalog.current_setting($1) END $$; \
         GRANT USAGE ON SCHEMA foreign_words TO PUBLIC";
    store.write(move |conn| conn.batch(foreign)).await.unwrap();
    database.as_admin(&format!("ALTER ROLE {role} SET search_path = foreign_words, pg_catalog"));
    let Target::Postgres(pg) = &database.url.0 else { panic!("on PostgreSQL") };
    let port = pg.config.get_ports()[0];
    let url = DatabaseUrl::parse(&format!("postgres://{role}@127.0.0.1:{port}/{name}")).unwrap();
    let plain = Store::open(StoreOptions::new(url)).unwrap();
    let failed = plain.write(move |conn| conn.batch(raise)).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    plain.close().await;
    database.as_admin(&format!("REVOKE ALL ON DATABASE {name} FROM {role}; DROP ROLE {role}"));
}

/// Each refusal to connect is told apart by its code, in whatever language it comes.
#[tokio::test]
#[ignore = "needs PostgreSQL: `cargo xtask test`"]
async fn a_refused_connection_says_what_to_do() {
    let database = TestDatabase::new();
    let Target::Postgres(pg) = &database.url.0 else { panic!("on PostgreSQL") };
    let (user, port) = (pg.config.get_user().unwrap(), pg.config.get_ports()[0]);
    for (url, word) in [
        (format!("postgres://{user}@127.0.0.1:{port}/no_such_database"), "create the database"),
        (format!("postgres://nobody_at_all@127.0.0.1:{port}/postgres"), "user and password"),
        (format!("postgres://{user}@127.0.0.1:1/postgres"), "PostgreSQL runs"),
        (format!("postgres://{user}@127.0.0.1:{port}/postgres?sslmode=require"), "sslmode"),
    ] {
        let mut options = StoreOptions::new(DatabaseUrl::parse(&url).unwrap());
        options.connect_timeout = Duration::from_secs(2);
        let error = Store::open(options).unwrap().ready().await.unwrap_err();
        assert!(error.advice().contains(word), "{url}: {} ({error:?})", error.advice());
    }
}

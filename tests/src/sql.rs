//! Plain SQL on a test's database, past everything of ours.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tokio_postgres::SimpleQueryMessage;

use crate::database::{connect, is_postgres};

/// A row of a query that gives a number (`n`), a name (`figure`) and a value (`value`).
#[derive(Debug, QueryableByName)]
pub struct Row {
    /// Which question it answers.
    #[diesel(sql_type = BigInt)]
    pub n: i64,
    /// What it says.
    #[diesel(sql_type = Text)]
    pub figure: String,
    /// How much.
    #[diesel(sql_type = BigInt)]
    pub value: i64,
}

/// The rows that a query gives.
pub async fn rows(url: &str, query: &str) -> Vec<Row> {
    if is_postgres() { rows_of_postgres(url, query).await } else { rows_of_sqlite(url, query) }
}

async fn rows_of_postgres(url: &str, query: &str) -> Vec<Row> {
    let client = connect(url).await;
    client.batch_execute("SET search_path TO revenue_ripple").await.unwrap();
    let messages = client.simple_query(query).await.unwrap();
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| Row {
        n: row.get("n").unwrap().parse().unwrap(),
        figure: row.get("figure").unwrap().to_owned(),
        value: row.get("value").unwrap().parse().unwrap(),
    })
    .collect()
}

fn rows_of_sqlite(url: &str, query: &str) -> Vec<Row> {
    let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite://")).unwrap();
    diesel::sql_query(query).load(&mut connection).unwrap()
}

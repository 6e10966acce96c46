//! Plain SQL on a test's database, past everything of ours.

use diesel::connection::SimpleConnection;
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

/// Runs a statement.
pub async fn execute(url: &str, statement: &str) {
    if is_postgres() {
        let client = connect(url).await;
        client.batch_execute("SET search_path TO revenue_ripple").await.unwrap();
        client.batch_execute(statement).await.unwrap();
    } else {
        let mut connection = sqlite(url);
        // The server writes beside it.
        connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        connection.batch_execute(statement).unwrap();
    }
}

/// The columns of which some row holds this text, as `table.column`, in the order of their names.
pub async fn columns_that_hold(url: &str, text: &str) -> Vec<String> {
    assert!(!text.contains('\''), "{text} would end the literal that it stands in");
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let (columns, holds) = if is_postgres() {
        (
            "SELECT 0 AS n, table_name || '.' || column_name AS figure, 0 AS value \
             FROM information_schema.columns WHERE table_schema = 'revenue_ripple'",
            // Bytes read as text are hexadecimal digits.
            format!("strpos(lower(COLUMN::text), lower('{text}')) + strpos(COLUMN::text, '{hex}')"),
        )
    } else {
        (
            "SELECT 0 AS n, m.name || '.' || c.name AS figure, 0 AS value \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'",
            format!("instr(CAST(COLUMN AS BLOB), x'{hex}')"),
        )
    };
    let questions: Vec<String> = rows(url, columns)
        .await
        .iter()
        .map(|row| {
            let (table, column) = row.figure.split_once('.').unwrap();
            let holds = holds.replace("COLUMN", &format!("\"{column}\""));
            let (figure, table) = (&row.figure, format!("\"{table}\""));
            format!("SELECT count(*) AS n, '{figure}' AS figure, 0 AS value FROM {table} WHERE {holds} > 0")
        })
        .collect();
    assert!(questions.len() > 50, "these are not all columns: {questions:?}");
    let counts = rows(url, &questions.join(" UNION ALL ")).await;
    let mut holding: Vec<String> =
        counts.into_iter().filter(|row| row.n > 0).map(|row| row.figure).collect();
    holding.sort();
    holding
}

fn rows_of_sqlite(url: &str, query: &str) -> Vec<Row> {
    diesel::sql_query(query).load(&mut sqlite(url)).unwrap()
}

fn sqlite(url: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite://")).unwrap();
    diesel::sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
    connection
}

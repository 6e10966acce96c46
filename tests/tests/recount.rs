//! The figures of an invented history, counted again by the database itself.
//!
//! The statements beside this file read nothing but the facts, and nothing of ours takes part in
//! their answers: no ledger, no board, no plain computation in Rust. What they say is compared with
//! what the server answers at the same instants, to the cent. The facts are of every kind: plans of all
//! intervals and quantities, trials, pauses, arrears, returns, refunds, disputes, corrections, deletions;
//! some are recorded weeks late, some twice.

use std::collections::BTreeMap;
use std::time::Duration;

use rr_domain::Timestamp;
use rr_sync::ledger::Account;
use rr_sync::metrics::{METRICS, Span, Unit};
use rr_tests::app::{Key, TestApp};
use rr_tests::database::{TestDatabase, is_postgres};
use rr_tests::process::Program;
use rr_tests::sql;
use serde_json::Value;

const USERS: &str = "100000";
/// Seeding takes a quarter of a minute on a machine at rest; a busy one may take longer.
const SEEDING: Duration = Duration::from_secs(300);
const UNTIL: &str = "2027-01-01T00:00:00Z";
/// How many of the best affiliates are shown.
const PLACES: &str = "10";

/// A period, and the instant at its end. Month ends, its own present, two in the future of what was
/// recorded, and some that fall anywhere; one of those between a refund and the day on which its debit settles.
const INSTANTS: [(&str, &str); 8] = [
    ("2026-01-20T00:00:00Z", "2026-02-01T00:00:00Z"),
    ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
    ("2026-04-17T03:21:09.876543Z", "2026-06-11T17:45:12.345678Z"),
    ("2026-08-31T23:59:59.999999Z", "2026-10-01T00:00:00Z"),
    ("2026-01-01T00:00:00Z", "2026-12-13T08:00:00.000001Z"),
    ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ("2026-12-24T18:30:00Z", "2027-01-16T04:05:06.07Z"),
    ("2027-01-01T00:00:00Z", "2027-06-30T00:00:00Z"),
];

const STATEMENTS: [&str; 5] = [
    include_str!("recount/users.sql"),
    include_str!("recount/revenue.sql"),
    include_str!("recount/subscriptions.sql"),
    include_str!("recount/commissions.sql"),
    include_str!("recount/restatements.sql"),
];

/// Figures by instant and name: counts, and money in cents. What is nothing is left out.
type Counted = BTreeMap<(usize, String), i64>;

#[tokio::test]
async fn the_database_counts_what_the_server_answers() {
    let database = TestDatabase::migrated().await;
    let seed = ["seed", "--users", USERS, "--seed", "7", "--days", "365", "--until", UNTIL];
    Program::new(database.url(), seed).within(SEEDING).run().expect(0);

    let by_sql = counted_by_sql(database.url()).await;
    let app = TestApp::on(database, |_| {});
    let key = app.with_key(&["read_metrics"]).await;
    let mut answered = Counted::new();
    for (n, (start, end)) in INSTANTS.into_iter().enumerate() {
        app.clock.set(end);
        add_shown(&mut answered, n, &key).await;
        add_named(&mut answered, n, &app, start, end).await;
    }
    add_restated(&mut answered, &key).await;
    answered.retain(|_, value| *value != 0);

    assert!(by_sql.len() > 1_000, "{} figures", by_sql.len());
    let differs = |(name, value): &(&(usize, String), &i64)| answered.get(*name) != Some(*value);
    let wrong: Vec<_> =
        by_sql.iter().filter(differs).map(|(n, v)| (n, v, answered.get(n))).collect();
    assert!(wrong.is_empty(), "the database counts, the server answers: {wrong:#?}");
    let extra: Vec<_> = answered.keys().filter(|name| !by_sql.contains_key(*name)).collect();
    assert!(extra.is_empty(), "only the server knows of {extra:#?}");
}

async fn counted_by_sql(url: &str) -> Counted {
    let instants: Vec<String> = INSTANTS.iter().enumerate().map(instant_row).collect();
    let mut counted = Counted::new();
    for statement in STATEMENTS {
        let query = statement
            .replace("{{instants}}", &instants.join(", "))
            .replace("{{ends_at}}", &instant_in_body("ends_at"))
            .replace("{{payable_at}}", &instant_in_body("payable_at"))
            .replace("{{minute}}", if is_postgres() { "interval '1 minute'" } else { "60000000" })
            .replace("{{places}}", PLACES);
        for row in sql::rows(url, &query).await {
            if row.value != 0 {
                counted.insert((usize::try_from(row.n).unwrap(), row.figure), row.value);
            }
        }
    }
    counted
}

/// Number, start of the period, starts of the last seven, thirty and sixty days, and the first instant
/// that no longer counts.
fn instant_row((n, (start, end)): (usize, &(&str, &str))) -> String {
    let (start, end) = (Timestamp::parse(start).unwrap(), Timestamp::parse(end).unwrap());
    let ago = |days: u64| end.floor_to_minute().minus(Duration::from_secs(days * 86_400));
    let instants = [start, ago(7), ago(30), ago(60), just_after(end)].map(|instant| {
        if is_postgres() {
            format!("timestamptz '{instant}'")
        } else {
            instant.micros().to_string()
        }
    });
    format!("({n}, {})", instants.join(", "))
}

fn just_after(instant: Timestamp) -> Timestamp {
    instant.plus(Duration::from_micros(1))
}

/// An instant that a fact's body tells, as a column tells one: SQLite's are whole microseconds.
fn instant_in_body(name: &str) -> String {
    let text = format!("(body ->> '{name}')");
    if is_postgres() {
        return format!("CAST({text} AS timestamptz)");
    }
    let fraction = format!("substr(substr(rtrim({text}, 'Z'), 21) || '000000', 1, 6)");
    format!("(unixepoch({text}) * 1000000 + CAST({fraction} AS bigint))")
}

/// What the three sync endpoints and the dashboard answer.
async fn add_shown(answered: &mut Counted, n: usize, key: &Key) {
    let mut add = |name: String, value: i64| {
        answered.insert((n, name), value);
    };
    let users = key.get("/api/devops/sync/users").await.expect(200).json();
    add("total_users".to_owned(), count(&users["total_users"]));
    add("recent_signups".to_owned(), count(&users["recent_signups"]));
    for group in ["users_by_role", "users_by_status"] {
        for (name, value) in users[group].as_object().unwrap() {
            add(format!("{group} {name}"), count(value));
        }
    }

    let revenue = key.get("/api/devops/sync/revenue").await.expect(200).json();
    add("total_revenue".to_owned(), cents(&revenue["total_revenue"]));
    add("mrr".to_owned(), cents(&revenue["monthly_recurring_revenue"]));
    add("active_subscriptions".to_owned(), count(&revenue["active_subscriptions"]));
    for (tier, figures) in revenue["subscription_breakdown"].as_object().unwrap() {
        add(format!("active of tier {tier}"), count(&figures["count"]));
        add(format!("revenue of tier {tier}"), cents(&figures["revenue"]));
        add(format!("mrr of tier {tier}"), cents(&figures["mrr"]));
    }

    let commissions = key.get("/api/devops/sync/commissions").await.expect(200).json();
    add("total_commissions".to_owned(), cents(&commissions["total_commissions"]));
    add("total_transactions".to_owned(), count(&commissions["total_transactions"]));
    for (state, sum) in commissions["states"].as_object().unwrap() {
        add(format!("commissions_{state}"), cents(sum));
    }
    for (tier, figures) in commissions["commission_by_tier"].as_object().unwrap() {
        add(format!("commissions of tier {tier}"), cents(&figures["total"]));
        add(format!("commissions counted of tier {tier}"), count(&figures["count"]));
    }
    for (place, best) in (1..).zip(commissions["top_performers"].as_array().unwrap()) {
        let name = best["username"].as_str().unwrap();
        add(format!("place {place} is {name}"), cents(&best["total_commission"]));
        add(format!("sales of place {place}, {name}"), count(&best["transaction_count"]));
    }

    let dashboard = key.get("/api/devops/dashboard").await.expect(200).json();
    for part in ["users", "revenue"] {
        // One decimal: what reads as cents is ten times too much.
        add(format!("growth of {part}"), cents(&dashboard[part]["growthRate"]) / 10);
    }
}

/// The named figures of the period.
async fn add_named(answered: &mut Counted, n: usize, app: &TestApp, start: &str, end: &str) {
    let instants =
        vec![Timestamp::parse(start).unwrap(), just_after(Timestamp::parse(end).unwrap())];
    let spans = app.store().spans(instants, Account::ALL.to_vec(), true).await.unwrap();
    let mut end = spans.start.clone();
    end.add_all(&spans.changes[0]);
    let span = Span { start: &spans.start, end: &end, churned: spans.churned[0] };
    for metric in METRICS {
        let value = serde_json::to_value(metric.value(&span)).unwrap();
        let value = match metric.unit {
            _ if value.is_null() => continue,
            Unit::Count => count(&value),
            Unit::Money | Unit::Percent => cents(&value),
        };
        let before = answered.insert((n, metric.name.to_owned()), value);
        assert!(before.is_none_or(|before| before == value), "{} at {n}", metric.name);
    }
    for (account, group, sum) in end.iter().filter(|(account, ..)| *account != Account::Affiliates)
    {
        let place = format!("{account} {}", group.replace('\t', " "));
        let amount = i64::try_from(sum.amount).unwrap();
        answered.insert((n, format!("count of {place}")), sum.count);
        answered.insert((n, format!("amount of {place}")), amount);
    }
    answered.insert((n, "churned of those at the start".to_owned()), spans.churned[0]);
}

/// What late beginnings moved, all pages together.
async fn add_restated(answered: &mut Counted, key: &Key) {
    let mut cursor = String::new();
    loop {
        let path = format!("/api/devops/restatements?limit=1000{cursor}");
        let page = key.get(&path).await.expect(200).json();
        for row in page["restatements"].as_array().unwrap() {
            let account = row["account"].as_str().unwrap();
            let group: Vec<&str> =
                row["group"].as_array().into_iter().flatten().flat_map(Value::as_str).collect();
            if account != "accruals" && group.last() != Some(&"captured") {
                continue;
            }
            let place = format!("{account} {}", group.join(" "));
            let facts = answered.entry((0, format!("facts that restate {place}"))).or_default();
            *facts += count(&row["facts"]);
            let amount = answered.entry((0, format!("restated amount of {place}"))).or_default();
            *amount += cents(&row["amount"]);
        }
        let Some(next) = page["next_cursor"].as_str() else { return };
        cursor = format!("&cursor={next}");
    }
}

fn count(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no count"))
}

/// Cents of a number with up to two decimals.
fn cents(value: &Value) -> i64 {
    let text = value.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    assert!(decimals.len() <= 2, "{text}");
    format!("{whole}{decimals:0<2}").parse().unwrap()
}

//! The named figures: now, at past instants, period by period, and in their forms.

use rr_domain::Timestamp;
use rr_sync::metrics::{Kind, METRICS};
use rr_tests::app::{Key, TestApp};
use rr_tests::database::TestDatabase;
use rr_tests::process::Program;
use serde_json::{Value, json};

const METRICS_PATH: &str = "/api/devops/metrics";

/// A server on an invented history of a hundred days before 2026, and a key that reads its figures.
pub(crate) async fn with_history() -> (TestApp, Key) {
    let database = TestDatabase::migrated().await;
    let seed = [
        "seed",
        "--users",
        "60",
        "--seed",
        "7",
        "--days",
        "100",
        "--until",
        "2026-01-01T00:00:00Z",
    ];
    Program::new(database.url(), seed).run().expect(0);
    let app = TestApp::on(database, |_| {});
    let key = app.with_key(&["read_metrics"]).await;
    (app, key)
}

/// An amount as it is written, in hundredths; nothing where the figure is undefined.
#[track_caller]
pub(crate) fn hundredths(value: &Value) -> i128 {
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    assert!(fraction.len() <= 2 && !text.contains('e'), "{text}");
    format!("{whole}{fraction:0<2}").parse().unwrap_or_else(|_| panic!("{text}"))
}

async fn value(key: &Key, name: &str, query: &str) -> Value {
    key.get(&format!("{METRICS_PATH}/{name}{query}")).await.json()["value"].clone()
}

async fn values(key: &Key, name: &str, query: &str) -> Vec<Value> {
    let answer = key.get(&format!("{METRICS_PATH}/{name}?{query}")).await.json();
    answer["points"].as_array().unwrap().iter().map(|point| point["value"].clone()).collect()
}

#[tokio::test]
async fn the_catalogue_names_every_figure_and_each_has_a_value() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let seq = app.store().facts_version().await.unwrap();
    let catalogue = key.get(METRICS_PATH).await.json();
    let listed = catalogue["metrics"].as_array().unwrap();
    assert_eq!(listed.len(), METRICS.len());
    for metric in listed {
        let name = metric["name"].as_str().unwrap();
        for member in ["unit", "kind", "definition", "source"] {
            assert!(metric[member].as_str().is_some_and(|text| !text.is_empty()), "{metric}");
        }
        let answer = key.get(&format!("{METRICS_PATH}/{name}")).await.json();
        for member in ["name", "unit", "kind", "currency"] {
            assert_eq!(answer[member], metric[member], "{name}");
        }
        assert_eq!(answer["currency"].is_null(), answer["unit"] != "money", "{name}");
        assert!(answer.get("value").is_some(), "{answer}");
        assert_eq!(answer["as_of"], app.clock.now().to_string(), "{name}");
        assert_eq!(answer["seq"], seq, "{name}");
    }
    let problem = key.get("/api/devops/metrics/happiness").await.problem(404, "not_found");
    assert!(problem["detail"].as_str().unwrap().contains(METRICS_PATH), "{problem}");
}

/// The demo: two users of the first days of 2024, a membership of 47 and its commission, held for 30 days.
#[tokio::test]
async fn the_demo_is_told_to_the_cent_at_every_instant() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    for (name, query, expected) in [
        ("mrr", "", json!(47)),
        ("arr", "", json!(564)),
        ("revenue", "", json!(47)),
        ("arpu", "", json!(47)),
        ("commissions", "", json!(23.5)),
        ("mrr", "?as_of=2024-01-01T23:59:59.999999Z", json!(0)),
        ("mrr", "?as_of=2024-01-02T00:00:00Z", json!(47)),
        ("total_users", "?as_of=2024-01-01T12:00:00%2B01:00", json!(1)),
        ("total_users", "?as_of=2023-12-31T00:00:00Z", json!(0)),
        ("commissions_on_hold", "?as_of=2024-01-31T23:59:59Z", json!(23.5)),
        ("commissions_payable", "?as_of=2024-01-31T23:59:59Z", json!(0)),
        ("commissions_on_hold", "?as_of=2024-02-01T00:00:00Z", json!(0)),
        ("commissions_payable", "?as_of=2024-02-01T00:00:00Z", json!(23.5)),
        // Nobody was there thirty days before, and later nobody left.
        ("nrr", "?as_of=2024-01-20T00:00:00Z", json!(null)),
        ("customer_churn", "?as_of=2024-03-20T00:00:00Z", json!(0)),
        ("nrr", "?as_of=2024-03-20T00:00:00Z", json!(100)),
        ("ltv", "?as_of=2024-03-20T00:00:00Z", json!(null)),
    ] {
        assert_eq!(value(&key, name, query).await, expected, "{name}{query}");
    }
    let year = "from=2023-12-01T00:00:00Z&to=2024-03-01T00:00:00Z&step=month";
    for (name, expected) in [
        ("signups", json!([0, 2, 0])),
        ("revenue", json!([0, 47, 0])),
        ("mrr", json!([0, 47, 47])),
        ("mrr_new", json!([0, 47, 0])),
        ("gross_mrr_churn", json!([null, null, 0])),
        ("commissions_on_hold", json!([0, 23.5, 0])),
    ] {
        assert_eq!(json!(values(&key, name, year).await), expected, "{name}");
    }
}

#[tokio::test]
async fn periods_follow_the_zone_and_the_unfinished_one_says_so() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    app.clock.set("2026-03-30T09:30:00Z");
    let days = "from=2026-03-28T00:00:00%2B01:00&tz=europe/berlin";
    let answer = key.get(&format!("{METRICS_PATH}/signups?{days}")).await.json();
    let point = |start: &str, end: &str, partial: bool| json!({"start": start, "end": end, "partial": partial, "value": 0});
    assert_eq!(
        answer,
        json!({
            "name": "signups", "unit": "count", "kind": "flow", "step": "day", "tz": "Europe/Berlin",
            "points": [
                point("2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", false),
                point("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", false),
                point("2026-03-29T22:00:00Z", "2026-03-30T09:30:00Z", true),
            ],
            "as_of": "2026-03-30T09:30:00Z",
            "seq": app.store().facts_version().await.unwrap(),
        })
    );
}

/// What the periods say adds up to what the instants say, for every figure, on an invented history with
/// refunds, cancellations and holds.
#[tokio::test]
async fn series_and_instants_agree() {
    let (_app, key) = with_history().await;
    let (from, to) = ("2025-11-30T23:00:00Z", "2026-01-10T11:17:31.5Z");
    let before = |instant: &Value| {
        let instant = Timestamp::parse(instant.as_str().unwrap()).unwrap();
        instant.minus(std::time::Duration::from_micros(1))
    };
    let mut moved = 0;
    for metric in METRICS {
        let query = format!("from={from}&to={to}&step=week&tz=Asia/Kolkata");
        let answer = key.get(&format!("{METRICS_PATH}/{}?{query}", metric.name)).await.json();
        let points = answer["points"].as_array().unwrap();
        assert_eq!(points.len(), 6);
        let mut ran = json!(0);
        for point in points {
            let ask = async |instant: &Value| {
                value(&key, metric.name, &format!("?as_of={}", before(instant))).await
            };
            match metric.kind {
                Kind::Stock => assert_eq!(point["value"], ask(&point["end"]).await, "{point}"),
                Kind::Flow => {
                    let end = hundredths(&ask(&point["end"]).await);
                    let grown = end - hundredths(&ask(&point["start"]).await);
                    // Two roundings of a twelfth may differ from one.
                    let off = (hundredths(&point["value"]) - grown).abs();
                    assert!(off <= 1, "{}: {point}, {grown}", metric.name);
                }
                Kind::Rate => {}
            }
            moved += usize::from(point["value"] != ran);
            ran = point["value"].clone();
        }
    }
    assert!(moved > 40, "the history is too quiet to prove anything: {moved}");
}

#[tokio::test]
async fn a_parameter_that_makes_no_sense_is_named() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let now = app.clock.now();
    let later = now.plus(std::time::Duration::from_secs(1));
    for (query, name) in [
        (format!("as_of={later}"), "as_of"),
        (format!("from={now}&to={later}"), "to"),
        (format!("from={later}"), "from"),
        ("from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z".to_owned(), "from"),
        ("to=2025-01-01T00:00:00Z".to_owned(), "from"),
        ("step=day".to_owned(), "from"),
        ("format=csv".to_owned(), "from"),
        ("from=2025-01-01T00:00:00Z&as_of=2025-01-01T00:00:00Z".to_owned(), "as_of"),
        ("from=2025-01-01T00:00:00Z&tz=Mars/Olympus".to_owned(), "tz"),
        ("from=2025-01-01T00:00:00Z&step=fortnight".to_owned(), "step"),
        ("from=2025-01-01T00:00:00Z&step=hour".to_owned(), "step"),
        ("from=0001-01-01T00:00:00Z&step=month".to_owned(), "step"),
        ("from=2025-01-01T00:00:00Z&format=xlsx".to_owned(), "format"),
    ] {
        let problem = key.get(&format!("{METRICS_PATH}/mrr?{query}")).await;
        let problem = problem.problem(422, "unusable_parameter");
        assert_eq!(problem["errors"][0]["pointer"], name, "{query}: {problem}");
    }
    for (query, name) in [
        ("as_of=yesterday", "as_of"),
        ("from=", "from"),
        ("from=2025-01-01T00:00:00Z&to=2025-13-01T00:00:00Z", "to"),
        ("from=2025-01-01T00:00:00Z&from=2025-01-01T00:00:00Z", "from"),
        ("since=2025-01-01T00:00:00Z", "since"),
        ("from=2025-01-01T00:00:00Z&tz=%00", "tz"),
    ] {
        let problem = key.get(&format!("{METRICS_PATH}/mrr?{query}")).await;
        let problem = problem.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], name, "{query}: {problem}");
    }
    let hours = "from=2025-01-01T00:00:00Z&to=2025-03-25T08:00:00Z&step=hour";
    assert_eq!(values(&key, "mrr", hours).await.len(), 2_000, "as many as there may be");
}

#[tokio::test]
async fn a_series_comes_as_a_table_or_as_lines() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let seq = app.store().facts_version().await.unwrap();
    let path = |name: &str| {
        let range = "from=2023-12-01T00:00:00Z&to=2024-02-01T00:00:00Z&step=month";
        format!("{METRICS_PATH}/{name}?{range}")
    };
    let row = |start: &str, end: &str, value: &str| {
        format!(
            "mrr,money,stock,USD,{start}T00:00:00Z,{end}T00:00:00Z,false,{value},2024-02-01T00:00:00Z,{seq}\r\n"
        )
    };
    let table = "name,unit,kind,currency,start,end,partial,value,as_of,seq\r\n".to_owned()
        + &row("2023-12-01", "2024-01-01", "0")
        + &row("2024-01-01", "2024-02-01", "47");
    for call in [
        key.get(&path("mrr")).header("accept", "text/csv"),
        key.get(&(path("mrr") + "&format=csv")),
    ] {
        let answer = call.await.expect(200);
        assert_eq!(answer.text(), table);
        assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
        assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"mrr.csv\""));
        assert!(answer.header("vary").unwrap().to_ascii_lowercase().contains("accept"));
    }
    // Nothing to divide by is an empty cell, and null in a line.
    let undefined = key.get(&(path("nrr") + "&format=csv")).await.expect(200).text();
    assert!(undefined.contains(",false,,2024-02-01"), "{undefined}");
    for call in [
        key.get(&path("nrr")).header("accept", "application/x-ndjson"),
        key.get(&(path("nrr") + "&format=ndjson")).header("accept", "text/csv"),
    ] {
        let answer = call.await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
        let lines: Vec<Value> =
            answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[1],
            json!({
                "name": "nrr", "unit": "percent", "kind": "rate",
                "start": "2024-01-01T00:00:00Z", "end": "2024-02-01T00:00:00Z",
                "partial": false, "value": null, "as_of": "2024-02-01T00:00:00Z", "seq": seq,
            })
        );
    }
}

/// What speaks of the past changes with the ledger alone; a late fact may change it.
#[tokio::test]
async fn what_is_known_already_is_not_sent_again() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let range = "?from=2024-01-01T00:00:00Z&to=2024-02-01T00:00:00Z";
    let paths: Vec<String> =
        ["", "?as_of=2024-01-02T00:00:00Z", range, &format!("{range}&format=csv")]
            .iter()
            .map(|query| format!("{METRICS_PATH}/mrr{query}"))
            .collect();
    let mut tags = Vec::new();
    for path in &paths {
        let tag = key.get(path).await.expect(200).header("etag").expect("an ETag").to_owned();
        let again = key.get(path).header("if-none-match", &tag).await.expect(304);
        assert!(again.body.is_empty(), "{path}");
        tags.push(tag);
    }
    assert_ne!(tags[2], tags[3], "the forms of a series are not each other's");
    app.create_user("new@example.com", "member", None).await;
    for (path, tag) in paths.iter().zip(&tags) {
        key.get(path).header("if-none-match", tag).await.expect(200);
    }
}

/// What time moves is another as soon as it says something else, and not before: neither the clock alone nor
/// the edge of a window that nothing passes make it one.
#[tokio::test]
async fn what_time_moves_is_sent_again_when_it_says_something_else() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    // Of the customers of thirty days before nobody left; the one there is began on 2024-01-02.
    app.clock.set("2024-01-31T12:00:00Z");
    let paths = [
        "/nrr",
        "/arpu",
        "/mrr?from=2024-01-01T00:00:00Z&step=week",
        "/mrr?from=2024-01-01T00:00:00Z&step=week&format=csv",
        "/nrr?from=2024-01-01T00:00:00Z&step=week&format=ndjson",
    ]
    .map(|path| format!("{METRICS_PATH}{path}"));
    let tags = async || {
        let mut tags = Vec::new();
        for path in &paths {
            let answer = key.get(path).await.expect(200);
            let tag = answer.header("etag").expect("an ETag").to_owned();
            let again = key.get(path).header("if-none-match", &tag).await.expect(304);
            assert!(again.body.is_empty(), "{path}");
            tags.push(tag);
        }
        tags
    };
    let first = tags().await;
    assert_ne!(first[2], first[3], "the forms of a series are not each other's");
    app.clock.advance(std::time::Duration::from_secs(3_601));
    assert_eq!(tags().await, first, "an hour in which nothing happened");

    // Two days on the customer is one of thirty days before, so the rate has a value.
    app.clock.set("2024-02-02T00:00:00Z");
    let later = tags().await;
    assert_ne!(later[0], first[0]);
    assert_eq!(later[1..], first[1..], "the same week, and nothing happened in it");
    // Another week has begun.
    app.clock.set("2024-02-05T00:00:00.000001Z");
    let next_week = tags().await;
    assert_eq!(next_week[..2], later[..2]);
    for series in 2..5 {
        assert_ne!(next_week[series], later[series], "{}", paths[series]);
    }
    // A fact of this very moment is in the next answer.
    let email = "new@example.com";
    app.create_user(email, "member", None).await;
    let last = tags().await;
    assert!(last.iter().zip(&next_week).all(|(now, before)| now != before), "{last:?}");
}

#[tokio::test]
async fn a_series_that_goes_on_tells_what_was_recorded_just_now() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let from = app.clock.now().floor_to_minute();
    let path = format!("{METRICS_PATH}/signups?from={from}&step=hour");
    let mut tag = "\"none\"".to_owned();
    for round in 0..5 {
        if round > 0 {
            app.create_user(&format!("user{round}@example.com"), "member", None).await;
            app.clock.advance(std::time::Duration::from_micros(1));
        } else {
            app.clock.advance(std::time::Duration::from_secs(1));
        }
        let answer = key.get(&path).header("if-none-match", &tag).await.expect(200);
        answer.header("etag").expect("an ETag").clone_into(&mut tag);
        assert_eq!(answer.json()["points"][0]["value"], round, "round {round}");
    }
}

/// The catalogue changes with the build, the list of restatements with the ledger and with who asks.
#[tokio::test]
async fn lists_that_are_known_already_are_not_sent_again() {
    const RESTATEMENTS: &str = "/api/devops/restatements";
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    let knows_names = app.with_key(&["read_metrics", "read_users"]).await;
    let mut tags = Vec::new();
    for (caller, path) in [(&key, METRICS_PATH), (&key, RESTATEMENTS), (&knows_names, RESTATEMENTS)]
    {
        let tag = caller.get(path).await.expect(200).header("etag").expect("an ETag").to_owned();
        let again = caller.get(path).header("if-none-match", &tag).await.expect(304);
        assert!(again.body.is_empty(), "{path}");
        tags.push(tag);
    }
    // Nobody's browser keeps who earned what.
    let kept = async |caller: &Key| {
        let answer = caller.get(RESTATEMENTS).await.expect(200);
        answer.header("cache-control").unwrap().to_owned()
    };
    assert_eq!(kept(&key).await, "private, no-cache");
    assert_eq!(kept(&knows_names).await, "no-store");
    let with_names = |answer: &Value| answer.to_string().contains("affiliate1");
    let told = key.get(RESTATEMENTS).header("if-none-match", &tags[2]).await.json();
    assert!(!with_names(&told), "{told}");
    let told = knows_names.get(RESTATEMENTS).header("if-none-match", &tags[1]).await.json();
    assert!(with_names(&told), "{told}");
    assert_eq!(told["as_of"], app.clock.now().to_string());
    assert_eq!(told["seq"], app.store().facts_version().await.unwrap());

    app.create_user("new@example.com", "member", None).await;
    app.clock.advance(std::time::Duration::from_secs(90));
    key.get(METRICS_PATH).header("if-none-match", &tags[0]).await.expect(304);
    let later = key.get(RESTATEMENTS).header("if-none-match", &tags[1]).await.json();
    assert_eq!(later["seq"], app.store().facts_version().await.unwrap());
    assert_eq!(later["as_of"], app.clock.now().to_string());
}

/// A page of entries, or of affiliates, is made of figures too. Whoever may know whose fact an entry is has
/// another page than those who may not.
#[tokio::test]
async fn pages_that_are_known_already_are_not_sent_again() {
    let (app, key) = with_history().await;
    let knows_names = app.with_key(&["read_metrics", "read_users"]).await;
    let explain = format!("{METRICS_PATH}/revenue/explain?limit=2");
    let payout = "/api/devops/commissions/payout?limit=1".to_owned();
    let mut paths = vec![explain, payout];
    for first in paths.clone() {
        let page = knows_names.get(&first).await.json();
        let cursor = page["next_cursor"].as_str().expect("another page");
        paths.push(format!("{first}&cursor={cursor}"));
    }
    let mut tags = Vec::new();
    for path in &paths {
        let answer = knows_names.get(path).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        tags.push(answer.header("etag").expect("an ETag").to_owned());
    }
    key.get(&paths[0]).header("if-none-match", &tags[0]).await.expect(200);
    assert_ne!(tags[0], tags[2], "pages are not each other's");
    app.clock.advance(std::time::Duration::from_secs(90));
    for (path, tag) in paths.iter().zip(&tags) {
        let again = knows_names.get(path).header("if-none-match", tag).await.expect(304);
        assert_eq!(again.header("cache-control"), Some("no-store"), "{path}");
        assert!(again.body.is_empty(), "{path}");
    }
    app.create_user("new@example.com", "member", None).await;
    for (path, tag) in paths.iter().zip(&tags).take(2) {
        knows_names.get(path).header("if-none-match", tag).await.expect(200);
    }
    for (path, tag) in paths.iter().zip(&tags).skip(2) {
        knows_names.get(path).header("if-none-match", tag).await.expect(304);
    }
}

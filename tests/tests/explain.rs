//! What stands behind a figure: the entries that add up to it, what late facts moved, and whether all of it
//! agrees with the facts.

mod on_postgres;

use std::time::Duration;

use rr_domain::{Fact, FactKind, Label, Product, Timestamp, new_id};
use rr_sync::metrics::{Kind, METRICS};
use rr_tests::app::{Key, TestApp};
use rr_tests::client::Client;
use rr_tests::sql;
use rr_tests::typo::mistyped;
use serde_json::{Value, json};

use crate::metrics::{hundredths, with_history};

fn path(name: &str, query: &str) -> String {
    format!("/api/devops/metrics/{name}/explain{query}")
}

/// The head of a stream, its entries, and its last line.
async fn stream(key: &Client, name: &str, query: &str) -> (Value, Vec<Value>, Value) {
    let call = key.get(&path(name, query)).header("accept", "application/x-ndjson");
    let answer = call.await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let text = answer.text();
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (end, head) = (lines.pop().unwrap(), lines.remove(0));
    (head, lines, end)
}

/// All pages of an answer, one after the other.
async fn pages(key: &Client, name: &str, query: &str, limit: usize) -> Vec<Value> {
    let with = |more: &str| match query {
        "" => format!("?{more}"),
        _ => format!("{query}&{more}"),
    };
    let mut pages = vec![key.get(&path(name, &with(&format!("limit={limit}")))).await.json()];
    while let Some(cursor) = pages.last().unwrap()["next_cursor"].as_str() {
        let next = with(&format!("limit={limit}&cursor={cursor}"));
        pages.push(key.get(&path(name, &next)).await.json());
    }
    pages
}

fn entries(page: &Value) -> &[Value] {
    page["entries"].as_array().unwrap()
}

/// Whatever adds up, at any instant and in any period: the running total begins where it should, moves by
/// every entry and ends at the figure, page by page and in one go.
#[tokio::test]
async fn the_entries_behind_a_figure_add_up_to_it() {
    let (_app, key) = with_history().await;
    let value = async |name: &str, as_of: &str| {
        let answer = key.get(&format!("/api/devops/metrics/{name}?as_of={as_of}")).await.json();
        hundredths(&answer["value"])
    };
    let mut told = 0;
    for metric in METRICS.iter().filter(|metric| metric.kind != Kind::Rate) {
        let name = metric.name;
        for query in [
            "",
            "?as_of=2025-12-01T00:00:00Z",
            "?from=2025-11-01T00:00:00Z&to=2025-12-15T03:04:05Z",
        ] {
            let (head, lines, end) = stream(&key, name, query).await;
            let mut running = hundredths(&head["opening"]);
            let mut last = Timestamp::EPOCH;
            for line in &lines {
                // A twelfth of a year is rounded alone here and with all before it there.
                let off =
                    (running + hundredths(&line["adds"]) - hundredths(&line["running"])).abs();
                assert!(off <= 1, "{name}{query}: {line} after {running}");
                let at = Timestamp::parse(line["at"].as_str().unwrap()).unwrap();
                assert!(at >= last, "{name}{query}: {line} after {last}");
                running = hundredths(&line["running"]);
                last = at;
            }
            assert_eq!(running, hundredths(&end["total"]), "{name}{query}");
            assert_eq!(head["total"], end["total"], "{name}{query}");
            assert_eq!(end["entries"], lines.len(), "{name}{query}");
            told += lines.len();

            let (until, since) = match query {
                "" => (head["as_of"].as_str().unwrap().to_owned(), None),
                _ if query.contains("as_of") => ("2025-12-01T00:00:00Z".to_owned(), None),
                _ => {
                    ("2025-12-15T03:04:04.999999Z".to_owned(), Some("2025-10-31T23:59:59.999999Z"))
                }
            };
            let mut expected = value(name, &until).await;
            if let (Some(since), Kind::Flow) = (since, metric.kind) {
                expected -= value(name, since).await;
            }
            let off = (expected - running).abs();
            assert!(
                off <= i128::from(metric.kind == Kind::Flow),
                "{name}{query}: {expected}, {running}"
            );

            let pages = pages(&key, name, query, 7).await;
            let paged: Vec<&Value> = pages.iter().flat_map(entries).collect();
            assert_eq!(paged, lines.iter().collect::<Vec<_>>(), "{name}{query}");
            let mut opening = head["opening"].clone();
            for page in &pages {
                assert_eq!(page["opening"], opening, "{name}{query}");
                assert_eq!(page["total"], head["total"], "{name}{query}");
                if let Some(last) = entries(page).last() {
                    opening = last["running"].clone();
                }
            }
        }
    }
    assert!(told > 500, "the history is too short to prove anything: {told}");
}

/// Later pages are of the version of the first, whatever is recorded in between.
#[tokio::test]
async fn a_walk_through_pages_does_not_see_what_comes_meanwhile() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    // An instant holds what is dated at it.
    let sale = key.get(&path("mrr", "?as_of=2024-01-02T00:00:00Z")).await.json();
    assert_eq!(entries(&sale)[0]["running"], 47, "{sale}");

    let first = key.get(&path("signups", "?limit=1")).await.json();
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    app.create_user("new@example.com", "member", None).await;
    let second = key.get(&path("signups", &format!("?limit=1&cursor={cursor}"))).await.json();
    for member in ["total", "seq", "as_of"] {
        assert_eq!(second[member], first[member]);
    }
    assert_eq!(second["total"], 2);
    assert_eq!(entries(&second)[0]["running"], 2);
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(key.get(&path("signups", "")).await.json()["total"], 3);

    // A place means something in the answer to its own question alone.
    for (name, query) in [
        ("total_users", format!("?cursor={cursor}")),
        ("signups", format!("?cursor={cursor}&from=2024-01-01T00:00:00Z")),
        ("signups", format!("?cursor={}", mistyped(&cursor))),
    ] {
        let problem = key.get(&path(name, &query)).await.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["pointer"], "cursor", "{name}{query}");
    }
    for query in ["?format=ndjson&limit=5".to_owned(), format!("?format=ndjson&cursor={cursor}")] {
        key.get(&path("signups", &query)).await.problem(422, "unusable_parameter");
    }
    key.get(&path("signups", "?format=csv")).await.problem(422, "unusable_parameter");
    let wish = key.get(&path("signups", "")).header("accept", "text/csv").await;
    assert_eq!(wish.json()["total"], 3, "a wish that cannot be met is no fault");
    for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Rate) {
        let rate = key.get(&path(metric.name, "")).await.problem(422, "unusable_parameter");
        let why = rate["errors"][0]["detail"].as_str().unwrap();
        for part in metric.made_of {
            assert!(why.contains(part), "{rate}");
            key.get(&path(part, "")).await.expect(200);
        }
    }
}

fn affiliates(app: &TestApp, at: Timestamp) -> Vec<Fact> {
    let id = || new_id(app.clock.now(), &app.state.random);
    let membership = Label::MEMBERSHIP;
    let kinds = [
        FactKind::PaymentCaptured {
            payment: id(),
            product: Product::Subscription(membership.clone()),
            amount: 4_700,
        },
        FactKind::CommissionAccrued {
            commission: id(),
            affiliate: "Jane Roe".to_owned(),
            tier: membership,
            sale: 4_700,
            amount: 2_350,
            payable_at: at.plus(Duration::from_secs(30 * 86_400)),
        },
    ];
    kinds.into_iter().map(|kind| Fact { id: id(), occurred_at: at, kind }).collect()
}

async fn restatements(key: &Client) -> Vec<Value> {
    let answer = key.get("/api/devops/restatements").await.json();
    assert_eq!(answer["next_cursor"], Value::Null);
    answer["restatements"].as_array().unwrap().clone()
}

/// A late fact changes a closed month, and says so; a fact in time does not.
#[tokio::test]
async fn what_a_late_fact_moved_is_listed() {
    let app = TestApp::init().await;
    let key = app.with_key(&["read_metrics"]).await;
    let december =
        "/api/devops/metrics/revenue?from=2025-12-01T00:00:00Z&to=2026-01-01T00:00:00Z&step=month";
    let before = key.get(december).await.expect(200);
    assert_eq!(before.json()["points"][0]["value"], 0);
    app.store().append_facts(affiliates(&app, app.clock.now()), app.audit()).await.unwrap();
    assert_eq!(restatements(&key).await, Vec::<Value>::new());

    let late = Timestamp::parse("2025-12-24T10:00:00Z").unwrap();
    app.store().append_facts(affiliates(&app, late), app.audit()).await.unwrap();
    let tag = before.header("etag").unwrap();
    let after = key.get(december).header("if-none-match", tag).await.json();
    assert_eq!(after["points"][0]["value"], 47);
    let listed = restatements(&key).await;
    let revenue = listed.iter().find(|one| one["account"] == "revenue").unwrap();
    assert_eq!(
        *revenue,
        json!({
            "seq": 4, "account": "revenue", "group": ["subscription", "membership", "captured"],
            "metrics": ["revenue", "subscription_revenue"], "from": late.to_string(),
            "until": late.to_string(), "count": 1, "amount": 47,
            "gained": {"count": 1, "amount": 47}, "lost": {"count": 0, "amount": 0},
            "facts": 1, "recorded_at": app.clock.now().to_string(),
        })
    );
    let mut accounts: Vec<&str> =
        listed.iter().map(|one| one["account"].as_str().unwrap()).collect();
    accounts.sort_unstable();
    assert_eq!(accounts, ["accruals", "affiliates", "commissions", "revenue"]);

    // Page by page the same.
    let (mut paged, mut query) = (Vec::new(), String::from("?limit=1"));
    loop {
        let page = key.get(&format!("/api/devops/restatements{query}")).await.json();
        paged.extend(page["restatements"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=1&cursor={cursor}");
    }
    assert_eq!(paged, listed);
}

/// Who somebody is, and which fact is theirs, is told to those who may list users.
#[tokio::test]
async fn personal_data_is_for_those_who_may_read_it() {
    let app = TestApp::demo().await;
    let late = Timestamp::parse("2025-12-24T10:00:00Z").unwrap();
    app.store().append_facts(affiliates(&app, late), app.audit()).await.unwrap();
    let admin = app.as_admin().await;
    let plain: Key = app.with_key(&["read_metrics"]).await;
    let trusted: Key = app.with_key(&["read_metrics", "read_users"]).await;
    let callers: [(&Client, bool); 3] = [(&plain, false), (&trusted, true), (&admin, true)];
    for (caller, may) in callers {
        let listed = caller.get("/api/devops/restatements").await.json();
        let listed = listed["restatements"].as_array().unwrap();
        let affiliate = listed.iter().find(|one| one["account"] == "affiliates").unwrap();
        assert_eq!(affiliate["group"], if may { json!(["Jane Roe"]) } else { Value::Null });
        assert_eq!(listed.iter().any(|one| one.to_string().contains("Jane")), may);
        for metric in METRICS.iter().filter(|metric| metric.kind != Kind::Rate) {
            let (_, lines, _) = stream(caller, metric.name, "").await;
            for line in &lines {
                assert_eq!(line.get("fact").is_some(), may, "{line}");
                assert!(!line.to_string().contains("Jane"), "{line}");
            }
        }
    }
}

#[tokio::test]
async fn a_verification_compares_everything_one_at_a_time() {
    let (app, key) = with_history().await;
    let admin = app.as_admin().await;
    let seq = app.store().facts_version().await.unwrap();
    let gauge = async |name: &str| {
        let text = key.get("/metrics").await.expect(200).text();
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        value.map(str::to_owned)
    };
    assert_eq!(gauge("rr_ledger_verified_faults").await, None);
    assert_eq!(gauge("rr_ledger_seq").await, Some(seq.to_string()));
    let answer = admin.get("/api/devops/verify").await.json();
    assert_eq!(answer["status"], "agrees", "{answer}");
    assert_eq!(answer["faults"], json!([]));
    assert_eq!(answer["seq"], seq);
    assert_eq!(answer["as_of"], app.clock.now().to_string());
    assert!(answer["compared"].as_u64().unwrap() > 50, "{answer}");
    assert_eq!(gauge("rr_ledger_verified_faults").await.as_deref(), Some("0"));
    let at = app.clock.now().seconds().to_string();
    assert_eq!(gauge("rr_ledger_verified_timestamp_seconds").await, Some(at));

    // The running check, of which a round begins somewhere.
    app.store().check_ledger(None, app.clock.now()).await.unwrap();
    assert_eq!(gauge("rr_ledger_checks_total").await.as_deref(), Some("1"));
    assert_eq!(gauge("rr_ledger_faults").await.as_deref(), Some("0"));
}

/// Somebody changed an entry and all that is made of it: no sum shows it, and the facts do.
#[tokio::test]
async fn a_ledger_that_the_facts_do_not_say_is_told_in_the_metrics() {
    let (app, key) = with_history().await;
    let (store, now) = (app.store(), app.clock.now());
    let told = async |name: &str| {
        let text = key.get("/metrics").await.expect(200).text();
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        value.map(str::to_owned)
    };
    let (faults, seq) = ("rr_ledger_check_faults{account=\"revenue\"}", "rr_ledger_check_seq");
    let round = "rr_ledger_check_round_timestamp_seconds";
    assert_eq!(told(faults).await, None, "it has not begun");
    store.check_facts(2, now).await.unwrap();
    assert_eq!(told(seq).await.as_deref(), Some("2"));
    assert_eq!(told(round).await, None);
    while told(round).await.is_none() {
        assert_eq!(store.check_facts(2, now).await.unwrap(), []);
    }
    assert_eq!(told(round).await, Some(now.seconds().to_string()));
    assert_eq!(told(faults).await.as_deref(), Some("0"));

    for table in ["ledger_entries", "ledger_hours", "ledger_counters"] {
        let statement = "SET grp = replace(grp, 'captured', 'stolen') WHERE account = 'revenue'";
        sql::execute(app.database.url(), &format!("UPDATE {table} {statement}")).await;
    }
    let mut found = Vec::new();
    for _ in 0..100 {
        found.extend(store.check_facts(2, now).await.unwrap());
    }
    assert!(found.iter().any(|fault| fault.figure.starts_with("entries of revenue")), "{found:?}");
    assert_ne!(told(faults).await.as_deref(), Some("0"));
}

/// What Prometheus is told is what the API says.
#[tokio::test]
async fn gauges_are_the_figures() {
    let (_app, key) = with_history().await;
    let text = key.get("/metrics").await.expect(200).text();
    for metric in METRICS {
        let start = format!("rr_figure_{}", metric.name);
        let line = text.lines().find(|line| {
            line.strip_prefix(&start).is_some_and(|rest| rest.starts_with([' ', '{']))
        });
        if metric.kind == Kind::Rate {
            assert_eq!(line, None, "{}", metric.name);
            continue;
        }
        let answer = key.get(&format!("/api/devops/metrics/{}", metric.name)).await.json();
        let value = answer["value"].to_string();
        assert_eq!(line.and_then(|line| line.rsplit(' ').next()), Some(value.as_str()), "{start}");
    }
}

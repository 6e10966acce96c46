//! Recording what was paid out: by the list that told what to pay, all of it or nothing, and once.

use std::time::Duration;

use rr_domain::{Fact, FactKind, Label, Timestamp, new_id};
use rr_tests::app::TestApp;
use rr_tests::client::Client;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::metrics::{hundredths, with_history};

const PATH: &str = "/api/devops/commissions/payout";
const AS_OF: &str = "2025-12-20T12:00:00Z";

async fn list(admin: &Client, as_of: &str) -> Value {
    admin.get(&format!("{PATH}?as_of={as_of}&limit=1000")).await.expect(200).json()
}

async fn value(admin: &Client, name: &str, as_of: &str) -> i128 {
    let answer = admin.get(&format!("/api/devops/metrics/{name}?as_of={as_of}")).await.json();
    hundredths(&answer["value"])
}

/// What is sent after lines of a list were paid.
fn body(list: &Value, lines: &[Value]) -> Value {
    json!({"as_of": list["as_of"], "seq": list["seq"], "affiliates": lines})
}

/// The lines of a list by which somebody is paid something.
fn to_pay(list: &Value) -> Vec<Value> {
    let lines = list["affiliates"].as_array().unwrap().iter();
    lines.filter(|line| hundredths(&line["amount"]) > 0).cloned().collect()
}

fn total(lines: &[Value]) -> i128 {
    lines.iter().map(|line| hundredths(&line["amount"])).sum()
}

/// Facts about a commission of some affiliate, each a day after the one before.
fn story(app: &TestApp, affiliate: &str, kinds: &[fn(Uuid) -> FactKind]) -> Vec<Fact> {
    let id = || new_id(app.clock.now(), &app.state.random);
    let (commission, at) = (id(), Timestamp::parse("2025-12-01T00:00:00Z").unwrap());
    let accrued = FactKind::CommissionAccrued {
        commission,
        affiliate: affiliate.to_owned(),
        tier: Label::MEMBERSHIP,
        sale: 4_700,
        amount: 2_350,
        payable_at: at,
    };
    let later = kinds.iter().map(|kind| kind(commission));
    let kinds = std::iter::once(accrued).chain(later).zip(0_u64..);
    let day = |days: u64| at.plus(Duration::from_secs(86_400 * days));
    kinds.map(|(kind, days)| Fact { id: id(), occurred_at: day(days), kind }).collect()
}

#[tokio::test]
async fn a_list_that_was_paid_is_recorded_once() {
    let (app, _) = with_history().await;
    let admin = app.as_admin().await;
    // Late enough that the history has paid nothing since, and early enough to move the past.
    let as_of = &app.clock.now().minus(Duration::from_secs(120)).to_string();
    // One who was paid too much for one commission, and is owed more for two others.
    let mut facts = story(
        &app,
        "Zoe",
        &[
            |commission| FactKind::CommissionPaid { commission, amount: 2_350 },
            |commission| FactKind::CommissionReversed { commission, amount: 1_000 },
        ],
    );
    facts.extend(story(&app, "Zoe", &[]));
    facts.extend(story(&app, "Zoe", &[]));
    app.store().append_facts(facts, app.audit()).await.unwrap();
    let before = list(&admin, as_of).await;
    let lines = to_pay(&before);
    assert!(lines.len() > 2, "the history is too short to prove anything: {before}");
    let zoe = json!({"affiliate": "Zoe", "commissions": 2, "amount": 37});
    assert!(lines.contains(&zoe), "{before}");
    let (amount, paid) = (total(&lines), value(&admin, "commissions_paid", as_of).await);

    let record = || admin.post(PATH, &body(&before, &lines)).header("idempotency-key", "december");
    let answer = record().await.expect(200).json();
    assert_eq!((&answer["as_of"], &answer["currency"]), (&before["as_of"], &json!("USD")));
    let control = &answer["control_total"];
    assert_eq!(hundredths(&control["amount"]), amount);
    assert_eq!(control["affiliates"], lines.len());
    let number: i64 = lines.iter().map(|line| line["commissions"].as_i64().unwrap()).sum();
    assert_eq!(control["commissions"], number);

    // The list, and the figures that it agrees with.
    let after = list(&admin, as_of).await;
    assert_eq!(to_pay(&after), Vec::<Value>::new());
    let left = hundredths(&before["control_total"]["amount"]) - amount;
    assert_eq!(hundredths(&after["control_total"]["amount"]), left);
    assert_eq!(value(&admin, "commissions_payable", as_of).await, left);
    assert_eq!(value(&admin, "commissions_paid", as_of).await, paid + amount);
    assert_eq!(admin.get("/api/devops/verify").await.json()["status"], "agrees");
    let restated = admin.get("/api/devops/restatements").await.json();
    assert_eq!(restated["restatements"][0]["from"], before["as_of"], "{restated}");

    let seq = app.store().facts_version().await.unwrap();
    assert_eq!(record().await.expect(200).json(), answer, "the first answer again");
    let turned: Vec<Value> = lines.iter().rev().cloned().collect();
    let other = admin.post(PATH, &body(&before, &turned)).header("idempotency-key", "december");
    assert_eq!(other.await.expect(200).json(), answer, "the order says nothing");
    let other = admin.post(PATH, &body(&before, &lines[1..])).header("idempotency-key", "december");
    other.await.problem(409, "idempotency_conflict");
    let again = admin.post(PATH, &body(&before, &lines)).await.problem(409, "conflict");
    assert_eq!(again["errors"][0]["pointer"], "/affiliates");
    assert_eq!(app.store().facts_version().await.unwrap(), seq);
    let log = admin.get("/api/devops/activity?limit=100").await.json();
    let rows = log["activity"].as_array().unwrap().iter();
    let rows: Vec<&Value> = rows.filter(|row| row["action"] == "commissions.paid").collect();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row["subject"], format!("payout:{}", answer["payout_id"].as_str().unwrap()));
    assert_eq!(hundredths(&row["detail"]["amount"]), amount);
}

/// One line that is not what is payable, and nobody is paid; the same request is good afterwards.
#[tokio::test]
async fn a_payout_is_recorded_wholly_or_not_at_all() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    for affiliate in ["Ann", "Bob"] {
        app.store().append_facts(story(&app, affiliate, &[]), app.audit()).await.unwrap();
    }
    let line = |affiliate: &str, amount: f64| json!({"affiliate": affiliate, "commissions": 1, "amount": amount});
    let told = list(&admin, AS_OF).await;
    let post = async |lines: &[Value]| {
        admin.post(PATH, &body(&told, lines)).header("idempotency-key", "one").await
    };
    let before = app.counts().await;
    for (lines, place) in [
        ([line("Bob", 23.5), line("Ann", 23.51)], "/affiliates/1"),
        ([line("Bob", 23.49), line("Ann", 23.5)], "/affiliates/0"),
        ([line("Ann", 23.5), line("Nobody", 23.5)], "/affiliates/1"),
    ] {
        let problem = post(&lines).await.problem(409, "conflict");
        assert_eq!(problem["errors"][0]["pointer"], place, "{problem}");
    }
    assert_eq!(app.counts().await, before);
    let good = [line("Ann", 23.5), line("Bob", 23.5)];
    // At once, and under names of their own: one of them pays.
    let calls = (0..4).map(|number| {
        let call = admin.post(PATH, &body(&told, &good));
        call.header("idempotency-key", &format!("{number}")).into_future()
    });
    let answers = futures_util::future::join_all(calls).await;
    let paid = answers.iter().filter(|answer| answer.code() == 200).count();
    assert_eq!(paid, 1, "{:?}", answers.iter().map(|answer| answer.code()).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| [200, 409, 503].contains(&answer.code())));
    assert_eq!(list(&admin, AS_OF).await["affiliates"], json!([]));
    assert_eq!(value(&admin, "commissions_paid", AS_OF).await, 4_700);
}

#[tokio::test]
async fn what_cannot_have_been_paid_is_refused() {
    let app = TestApp::demo().await;
    let admin = app.as_admin().await;
    let line =
        |amount: Value| json!([{"affiliate": "affiliate1", "commissions": 1, "amount": amount}]);
    let lines = |number| Value::from(vec![line(json!(1))[0].clone(); number]);
    let before = app.counts().await;
    for (as_of, affiliates, place) in [
        ("2999-01-01T00:00:00Z", json!([]), "/as_of"),
        ("today", json!([]), "/as_of"),
        (AS_OF, line(json!(0)), "/affiliates/0/amount"),
        (AS_OF, line(json!(-1)), "/affiliates/0/amount"),
        (AS_OF, line(json!(23.505)), "/affiliates/0/amount"),
        (AS_OF, line(json!("23.5")), "/affiliates/0/amount"),
        (AS_OF, line(Value::Null), "/affiliates/0/amount"),
        (AS_OF, lines(2), "/affiliates/1"),
        (AS_OF, lines(1_001), "/affiliates"),
    ] {
        let sent = json!({"as_of": as_of, "seq": 1, "affiliates": affiliates});
        let problem = admin.post(PATH, &sent).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], place, "{problem}");
    }
    for commissions in [-1, 20_001, i64::MAX] {
        let line = json!({"affiliate": "affiliate1", "commissions": commissions, "amount": 1});
        let sent = json!({"as_of": AS_OF, "seq": 1, "affiliates": [line]});
        let problem = admin.post(PATH, &sent).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/affiliates/0/commissions", "{problem}");
    }
    for seq in [-1, 1_000_000] {
        let sent = json!({"as_of": AS_OF, "seq": seq, "affiliates": []});
        let problem = admin.post(PATH, &sent).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/seq", "{problem}");
    }
    assert_eq!(app.counts().await, before);
    let key = app.with_key(&["read_users", "read_metrics", "write_data"]).await;
    key.post(PATH, &json!({"as_of": AS_OF, "seq": 1, "affiliates": []}))
        .await
        .problem(403, "not_administrator");
}

/// The list of Friday holds what that of Monday holds. Whichever is recorded first, the other is not.
#[tokio::test]
async fn what_one_list_has_paid_no_other_pays() {
    const LATER: &str = "2025-12-24T12:00:00Z";
    for order in [[AS_OF, LATER], [LATER, AS_OF]] {
        let app = TestApp::init().await;
        let admin = app.as_admin().await;
        app.store().append_facts(story(&app, "Ann", &[]), app.audit()).await.unwrap();
        let lists = [list(&admin, order[0]).await, list(&admin, order[1]).await];
        let [first, second] = lists.each_ref().map(|list| body(list, &to_pay(list)));
        admin.post(PATH, &first).await.expect(200);
        let problem = admin.post(PATH, &second).await.problem(409, "conflict");
        assert_eq!(problem["errors"][0]["pointer"], "/affiliates", "{order:?}");
        assert_eq!(value(&admin, "commissions_paid", LATER).await, 2_350);
        for as_of in order {
            // An earlier list may say what was not yet paid then, but nothing of it can be recorded again.
            let again = list(&admin, as_of).await;
            let lines = to_pay(&again);
            if !lines.is_empty() {
                admin.post(PATH, &body(&again, &lines)).await.problem(409, "conflict");
            }
        }
    }
}

/// The money is gone: what becomes known afterwards does not keep it from being recorded.
#[tokio::test]
async fn a_list_that_was_paid_is_recorded_whatever_came_late() {
    let app = TestApp::init().await;
    let admin = app.as_admin().await;
    let earned = story(&app, "Ann", &[]);
    app.store().append_facts(earned, app.audit()).await.unwrap();
    let told = list(&admin, AS_OF).await;
    let lines = to_pay(&told);
    // Another commission, and one that was taken back, both before the list and known after it.
    let reversed: fn(Uuid) -> FactKind =
        |commission| FactKind::CommissionReversed { commission, amount: 1_000 };
    let mut late = story(&app, "Ann", &[]);
    late.extend(story(&app, "Ann", &[reversed]));
    app.store().append_facts(late, app.audit()).await.unwrap();
    admin.post(PATH, &body(&told, &lines)).await.expect(200);
    let next = list(&admin, AS_OF).await;
    assert_eq!(to_pay(&next), [json!({"affiliate": "Ann", "commissions": 2, "amount": 37})]);
    admin.post(PATH, &body(&next, &to_pay(&next))).await.expect(200);
    assert_eq!(value(&admin, "commissions_paid", AS_OF).await, 2_350 + 3_700);
}

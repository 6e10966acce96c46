//! What is to be paid out to each affiliate: in every form and page by page the same, and as much as the
//! figure `commissions_payable` says.

use std::time::Duration;

use rr_domain::{Fact, FactKind, Label, Timestamp, new_id};
use rr_tests::app::{Key, TestApp};
use serde_json::{Value, json};

use crate::metrics::{hundredths, with_history};

const PATH: &str = "/api/devops/commissions/payout";
const READS_NAMES: [&str; 2] = ["read_users", "read_metrics"];

fn query(parts: &[String]) -> String {
    let parts: Vec<&str> =
        parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    format!("{PATH}?{}", parts.join("&"))
}

/// All pages of an answer.
async fn pages(key: &Key, as_of: &str, limit: usize) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    loop {
        let cursor = pages.last().map_or(Some(String::new()), |page| {
            page["next_cursor"].as_str().map(|cursor| format!("cursor={cursor}"))
        });
        let Some(cursor) = cursor else { return pages };
        let path = query(&[as_of.to_owned(), format!("limit={limit}"), cursor]);
        pages.push(key.get(&path).await.json());
    }
}

fn affiliates(page: &Value) -> &[Value] {
    page["affiliates"].as_array().unwrap()
}

async fn lines(key: &Key, as_of: &str) -> Vec<Value> {
    let answer =
        key.get(&query(&[as_of.to_owned()])).header("accept", "application/x-ndjson").await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn table(key: &Key, as_of: &str) -> Vec<Vec<String>> {
    let answer = key.get(&query(&[as_of.to_owned(), "format=csv".to_owned()])).await.expect(200);
    let disposition = answer.header("content-disposition");
    assert_eq!(disposition, Some("attachment; filename=\"payout.csv\""));
    let text = answer.text();
    assert!(text.ends_with("\r\n"));
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// On an invented history, at instants before, within and at the end of it.
#[tokio::test]
async fn every_form_adds_up_to_what_is_payable() {
    let (app, _) = with_history().await;
    let key = app.with_key(&READS_NAMES).await;
    let autumn = Timestamp::parse("2025-11-02T03:04:05Z").unwrap();
    let partners = (0..12).map(|number| earned(&app, &format!("partner {number}"), autumn));
    app.store().append_facts(partners.collect(), app.audit()).await.unwrap();
    let mut met = 0;
    for as_of in [
        "",
        "as_of=2025-12-20T12:34:56Z",
        "as_of=2025-11-15T00:00:00Z",
        "as_of=2024-01-01T00:00:00Z",
    ] {
        let figure =
            key.get(&format!("/api/devops/metrics/commissions_payable?{as_of}")).await.json();
        let whole = pages(&key, as_of, 1_000).await;
        let [whole] = whole.as_slice() else { panic!("{} pages", whole.len()) };
        let (all, control) = (affiliates(whole), &whole["control_total"]);
        assert_eq!(hundredths(&control["amount"]), hundredths(&figure["value"]), "{as_of}");
        assert_eq!((&whole["as_of"], &whole["seq"]), (&figure["as_of"], &figure["seq"]), "{as_of}");
        let amount: i128 = all.iter().map(|one| hundredths(&one["amount"])).sum();
        assert_eq!(amount, hundredths(&control["amount"]), "{as_of}");
        let number: i64 = all.iter().map(|one| one["commissions"].as_i64().unwrap()).sum();
        assert_eq!(control["commissions"], number, "{as_of}");
        let names: Vec<&str> = all.iter().map(|one| one["affiliate"].as_str().unwrap()).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        met += names.len();

        for limit in [1, 3] {
            let pages = pages(&key, as_of, limit).await;
            let paged: Vec<&Value> = pages.iter().flat_map(affiliates).collect();
            assert_eq!(paged, all.iter().collect::<Vec<_>>(), "{as_of}");
            assert!(pages.iter().all(|page| page["control_total"] == *control), "{as_of}");
        }

        let mut lines = lines(&key, as_of).await;
        let (end, head) = (lines.pop().unwrap(), lines.remove(0));
        assert_eq!(lines, all, "{as_of}");
        for member in ["currency", "as_of", "seq"] {
            assert_eq!(head[member], whole[member], "{as_of}");
        }
        let expected =
            json!({"affiliates": all.len(), "commissions": number, "amount": control["amount"]});
        assert_eq!(end, json!({"control_total": expected}), "{as_of}");

        let table = table(&key, as_of).await;
        assert_eq!(table.len(), all.len() + 2, "{as_of}");
        let cells = |kind: &str, of: &Value| {
            let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
            let name = of.get("affiliate").map_or(String::new(), text);
            let [commissions, amount] = [&of["commissions"], &of["amount"]].map(text);
            let [currency, as_of, seq] =
                ["currency", "as_of", "seq"].map(|name| text(&whole[name]));
            vec![kind.to_owned(), name, commissions, amount, currency, as_of, seq]
        };
        for (row, one) in table[1..].iter().zip(all) {
            assert_eq!(*row, cells("affiliate", one), "{as_of}");
        }
        assert_eq!(table[table.len() - 1], cells("control_total", control), "{as_of}");
    }
    assert!(met > 30, "the history is too short to prove anything: {met}");
}

fn earned(app: &TestApp, affiliate: &str, at: Timestamp) -> Fact {
    let id = || new_id(app.clock.now(), &app.state.random);
    let kind = FactKind::CommissionAccrued {
        commission: id(),
        affiliate: affiliate.to_owned(),
        tier: Label::MEMBERSHIP,
        sale: 4_700,
        amount: 2_350,
        payable_at: at.plus(Duration::from_secs(86_400)),
    };
    Fact { id: id(), occurred_at: at, kind }
}

#[tokio::test]
async fn a_hold_ends_by_itself_and_later_pages_are_of_the_first_one() {
    let app = TestApp::demo().await;
    let key = app.with_key(&READS_NAMES).await;
    let whole = |page: Value| (page["affiliates"].clone(), page["control_total"].clone());
    let nothing = (json!([]), json!({"commissions": 0, "amount": 0}));
    let sale = json!({"commissions": 1, "amount": 23.5});
    let last = "as_of=2024-01-31T23:59:59.999999Z".to_owned();
    assert_eq!(whole(key.get(&query(&[last])).await.json()), nothing);
    let ends = "as_of=2024-02-01T00:00:00Z".to_owned();
    let payable = json!([{"affiliate": "affiliate1", "commissions": 1, "amount": 23.5}]);
    assert_eq!(whole(key.get(&query(&[ends])).await.json()), (payable, sale));

    let late = Timestamp::parse("2025-12-24T10:00:00Z").unwrap();
    let others = ["Zoe", "=HYPERLINK(1)"].map(|name| earned(&app, name, late));
    app.store().append_facts(others.to_vec(), app.audit()).await.unwrap();
    let first = key.get(&format!("{PATH}?limit=1")).await.json();
    assert_eq!(affiliates(&first)[0]["affiliate"], "=HYPERLINK(1)");
    let more = vec![earned(&app, "Zoe", late), earned(&app, "Yann", late)];
    app.store().append_facts(more, app.audit()).await.unwrap();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = key.get(&format!("{PATH}?limit=5&cursor={cursor}")).await.json();
    let names: Vec<&Value> = affiliates(&second).iter().map(|one| &one["affiliate"]).collect();
    assert_eq!(names, ["Zoe", "affiliate1"]);
    assert_eq!(affiliates(&second)[0]["commissions"], 1);
    for member in ["as_of", "seq", "control_total"] {
        assert_eq!(second[member], first[member]);
    }
    assert_eq!(second["next_cursor"], Value::Null);
    let rows = table(&key, "").await;
    assert_eq!(rows[1][1], "\"'=HYPERLINK(1)\"", "a name is no formula");
}

#[tokio::test]
async fn it_is_for_those_who_may_read_names_and_figures() {
    let app = TestApp::demo().await;
    let names_alone = app.with_key(&["read_users"]).await;
    let problem = names_alone.get(PATH).await.problem(403, "insufficient_scope");
    assert_eq!(problem["missing"], json!(["read_metrics"]));
    let key = app.with_key(&READS_NAMES).await;
    for (parameters, status, code, name) in [
        ("as_of=2999-01-01T00:00:00Z", 422, "unusable_parameter", "as_of"),
        ("as_of=today", 400, "invalid_parameter", "as_of"),
        ("format=xml", 422, "unusable_parameter", "format"),
        ("format=csv&limit=5", 422, "unusable_parameter", "format"),
        ("cursor=00", 400, "invalid_parameter", "cursor"),
        ("limit=0", 400, "invalid_parameter", "limit"),
        ("to=2024-01-01T00:00:00Z", 400, "invalid_parameter", "to"),
    ] {
        let problem = key.get(&format!("{PATH}?{parameters}")).await.problem(status, code);
        assert_eq!(problem["errors"][0]["pointer"], name, "{parameters}");
    }
}

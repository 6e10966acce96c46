//! The named figures group by group.

use std::collections::BTreeMap;

use rr_domain::Timestamp;
use rr_sync::metrics::{Kind, METRICS, Unit};
use rr_tests::app::TestApp;
use serde_json::{Value, json};

use crate::metrics::{hundredths, with_history};

const PATH: &str = "/api/devops/metrics";

/// The groups with something in them. `member` is where a group of the sync endpoints has its number.
fn some(groups: &Value, member: Option<&str>) -> BTreeMap<String, i128> {
    let number = |value: &Value| hundredths(member.map_or(value, |member| &value[member]));
    let groups = groups.as_object().unwrap().iter();
    groups.map(|(name, value)| (name.clone(), number(value))).filter(|(_, n)| *n != 0).collect()
}

/// What the sync endpoints tell by role, status, tier and state, the named figures tell of any instant.
#[tokio::test]
async fn groups_are_those_of_the_sync_endpoints_at_every_instant() {
    let (app, key) = with_history().await;
    let mut moved = 0;
    let instants = ["2025-10-20T00:00:00Z", "2025-12-01T12:34:56.789Z", "2026-01-01T00:00:00Z"];
    let mut told: Vec<(String, Value)> = Vec::new();
    for instant in instants {
        app.clock.set(instant);
        let [users, revenue, commissions] = ["users", "revenue", "commissions"]
            .map(|part| key.get(&format!("/api/devops/sync/{part}")));
        let (users, revenue) = (users.await.json(), revenue.await.json());
        let commissions = commissions.await.json();
        let tiers = &revenue["subscription_breakdown"];
        for (name, by, groups, member) in [
            ("total_users", "role", &users["users_by_role"], None),
            ("total_users", "status", &users["users_by_status"], None),
            ("active_subscriptions", "tier", tiers, Some("count")),
            ("subscription_revenue", "tier", tiers, Some("revenue")),
            ("mrr", "tier", tiers, Some("mrr")),
            ("commissions", "tier", &commissions["commission_by_tier"], Some("total")),
            ("commissions", "state", &commissions["states"], None),
        ] {
            let path = format!("{PATH}/{name}?by={by}");
            let answer = key.get(&path).await.json();
            let expected = some(groups, member);
            assert_eq!(some(&answer["groups"], None), expected, "{path} at {instant}");
            moved += expected.len();
            told.push((format!("{path}&as_of={instant}"), answer["groups"].clone()));
        }
    }
    assert!(moved > 30, "the history is too quiet to prove anything: {moved}");
    // Later they are still those of that time.
    app.clock.set("2026-02-01T00:00:00Z");
    for (path, groups) in told {
        assert_eq!(key.get(&path).await.json()["groups"], groups, "{path}");
    }
}

#[tokio::test]
async fn groups_add_up_to_the_figure() {
    let (_app, key) = with_history().await;
    let catalogue = key.get(PATH).await.json();
    let listed = catalogue["metrics"].as_array().unwrap();
    let now = Timestamp::parse("2025-12-24T18:00:00Z").unwrap();
    for (metric, listed) in METRICS.iter().zip(listed) {
        assert_eq!(listed["by"], json!(metric.dimensions()), "{listed}");
        assert!(metric.kind != Kind::Rate || metric.dimensions().is_empty());
        for by in metric.dimensions() {
            let path = format!("{PATH}/{}?by={by}&as_of={now}", metric.name);
            let answer = key.get(&path).await.json();
            let groups = some(&answer["groups"], None);
            let off = hundredths(&answer["value"]) - groups.values().sum::<i128>();
            // A twelfth is rounded in every group by half a cent at most, and once in all.
            let is_twelfth = metric.unit == Unit::Money && metric.name.ends_with("mrr");
            let most = if is_twelfth { groups.len() as i128 / 2 + 1 } else { 0 };
            assert!(off.abs() <= most, "{path}: {answer}");
        }
    }
}

/// A point of a series has the groups of its end, or of a flow what they gained within.
#[tokio::test]
async fn a_series_by_group_is_what_each_of_its_instants_says() {
    let (_app, key) = with_history().await;
    let mut told = 0;
    for metric in METRICS {
        for by in metric.dimensions() {
            let path = format!("{PATH}/{}?by={by}", metric.name);
            let query =
                "from=2025-11-10T05:00:00Z&to=2025-12-20T12:34:56Z&step=week&tz=Asia/Kolkata";
            let answer = key.get(&format!("{path}&{query}")).await.expect(200);
            let series = answer.json();
            assert_eq!(series["by"], *by);
            let at = async |instant: &Value| {
                let instant = Timestamp::parse(instant.as_str().unwrap()).unwrap();
                let instant = instant.minus(std::time::Duration::from_micros(1));
                let groups = key.get(&format!("{path}&as_of={instant}")).await.json();
                some(&groups["groups"], None)
            };
            let points = series["points"].as_array().unwrap();
            for point in points {
                let mut expected = at(&point["end"]).await;
                if metric.kind == Kind::Flow {
                    for (group, before) in at(&point["start"]).await {
                        *expected.entry(group).or_default() -= before;
                    }
                    expected.retain(|_, gained| *gained != 0);
                }
                assert_eq!(some(&point["groups"], None), expected, "{path}: {point}");
                told += expected.len();
            }

            let table = key.get(&format!("{path}&{query}&format=csv")).await.expect(200).text();
            let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
            assert_eq!(rows.next().unwrap()[7..9], [by, "value"]);
            let rows: Vec<(String, String, i128)> = rows
                .map(|row| {
                    let value = serde_json::from_str(row[8]).unwrap();
                    (row[4].to_owned(), row[7].to_owned(), hundredths(&value))
                })
                .collect();
            let expected = points.iter().flat_map(|point| {
                let start = point["start"].as_str().unwrap().to_owned();
                let groups = some(&point["groups"], None).into_iter();
                groups.map(move |(name, value)| (start.clone(), name, value))
            });
            assert_eq!(rows, expected.collect::<Vec<_>>(), "{path}");

            let tag = answer.header("etag").expect("an ETag");
            let again = key.get(&format!("{path}&{query}")).header("if-none-match", tag);
            again.await.expect(304);
        }
    }
    assert!(told > 100, "the history is too quiet to prove anything: {told}");
    // Of a series that goes on, and as lines.
    let open = key.get(&format!("{PATH}/total_users?by=role&from=2025-12-01T00:00:00Z")).await;
    let line =
        key.get(&format!("{PATH}/total_users?by=role&from=2025-12-01T00:00:00Z&format=ndjson"));
    let line: Value = serde_json::from_str(line.await.text().lines().next().unwrap()).unwrap();
    assert_eq!(line["groups"], open.json()["points"][0]["groups"]);
    assert_eq!(line["by"], "role");
}

#[tokio::test]
async fn groups_are_told_where_there_are_some() {
    let app = TestApp::demo().await;
    let key = app.with_key(&["read_metrics"]).await;
    for (query, expected) in [
        ("total_users?by=role", json!({"admin": 1, "member": 1})),
        ("total_users?by=role&as_of=2023-12-31T00:00:00Z", json!({})),
        ("revenue?by=direction", json!({"captured": 47})),
        ("commissions?by=state&as_of=2024-01-31T23:59:59Z", json!({"on_hold": 23.5})),
        ("commissions?by=state&as_of=2024-02-01T00:00:00Z", json!({"payable": 23.5})),
        ("paused_mrr?by=tier", json!({})),
    ] {
        let path = format!("{PATH}/{query}");
        let answer = key.get(&path).await.expect(200);
        assert_eq!(answer.json()["groups"], expected, "{query}");
        let tag = answer.header("etag").expect("an ETag");
        key.get(&path).header("if-none-match", tag).await.expect(304);
    }
    assert_eq!(key.get(&format!("{PATH}/total_users")).await.json().get("groups"), None);
    for (query, detail) in [
        ("total_users?by=tier", "role or status"),
        ("signups?by=role", "no groups"),
        ("mrr_new?by=tier", "no groups"),
        ("nrr?by=tier", "no groups"),
        ("signups?by=role&from=2024-01-01T00:00:00Z", "no groups"),
        ("nrr?by=tier&from=2024-01-01T00:00:00Z", "no groups"),
    ] {
        let problem = key.get(&format!("{PATH}/{query}")).await.problem(422, "unusable_parameter");
        assert_eq!(problem["errors"][0]["pointer"], "by", "{problem}");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    let explain = format!("{PATH}/mrr/explain?by=tier");
    key.get(&explain).await.problem(400, "invalid_parameter");
}

//! Shapes of bodies that other modules write: problems, and the figures of rr-sync. They are only
//! ever described, never built; a test holds them against what is really written.
#![expect(dead_code, reason = "these types exist for their schemas")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::endpoints::keys::github_alerts::TokenFeedback;
use crate::endpoints::keys::report_leak::{LeakForm, LeakReceipt};
use crate::problem::FieldError;

/// A failed request (RFC 9457).
#[derive(ToSchema)]
pub(crate) struct Problem {
    #[schema(example = "urn:revenue-ripple:problem:not_found")]
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    /// Stable: match on this.
    #[schema(example = "not_found")]
    code: String,
    request_id: String,
    /// The same as `detail`, for older clients.
    error: String,
    /// The fields that are wrong.
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// The permission that was needed.
    #[schema(required = false)]
    required: String,
    /// What of it is missing.
    #[schema(required = false)]
    missing: Vec<String>,
    /// The key that exists already.
    #[schema(required = false)]
    key_id: Uuid,
    /// What is wrong with a webhook's signature, as far as that can be found out.
    #[schema(required = false)]
    signature_hints: Vec<SignatureHint>,
}

/// One thing that is wrong with a signature.
#[derive(ToSchema)]
pub(crate) struct SignatureHint {
    /// Stable: match on this.
    #[schema(example = "final_newline")]
    code: String,
    detail: String,
}

/// A secret that became public, or GitHub's list of those that it found.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum LeakBody {
    One(LeakForm),
    Github(Vec<GithubAlert>),
}

/// A token that GitHub found.
#[derive(Deserialize, ToSchema)]
pub(crate) struct GithubAlert {
    token: String,
    /// What GitHub calls tokens that look like this.
    r#type: String,
    url: Option<String>,
    /// In what kind of text it stood.
    source: Option<String>,
}

/// What whoever reports is told: a receipt, or the feedback that GitHub asks for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum LeakAnswer {
    Received(Box<LeakReceipt>),
    Feedback(Vec<TokenFeedback>),
}

/// Who is here.
#[derive(ToSchema)]
pub(crate) struct UserFigures {
    /// The same as `as_of`.
    #[schema(format = DateTime)]
    timestamp: String,
    total_users: u64,
    users_by_role: BTreeMap<String, u64>,
    users_by_status: BTreeMap<String, u64>,
    /// Users created in the last 7 days.
    recent_signups: u64,
    /// The instant that the figures speak of.
    #[schema(format = DateTime)]
    as_of: String,
    /// The version of the ledger: the number of the last fact in the figures.
    seq: i64,
}

/// What came in, and what comes in every month.
#[derive(ToSchema)]
pub(crate) struct RevenueFigures {
    /// The same as `as_of`.
    #[schema(format = DateTime)]
    timestamp: String,
    #[schema(example = "USD")]
    currency: String,
    total_revenue: f64,
    subscription_revenue: f64,
    tripwire_revenue: f64,
    monthly_recurring_revenue: f64,
    active_subscriptions: u64,
    subscription_breakdown: BTreeMap<String, TierFigures>,
    /// At most 10, newest first.
    recent_transactions: Vec<RecentTransaction>,
    /// The instant that the figures speak of.
    #[schema(format = DateTime)]
    as_of: String,
    /// The version of the ledger: the number of the last fact in the figures.
    seq: i64,
}

/// One tier of the subscription breakdown.
#[derive(ToSchema)]
pub(crate) struct TierFigures {
    count: u64,
    revenue: f64,
    /// What its active subscriptions bring every month, rounded once.
    mrr: f64,
}

/// A movement of money.
#[derive(ToSchema)]
pub(crate) struct RecentTransaction {
    id: Uuid,
    #[schema(example = "subscription")]
    r#type: String,
    tier: String,
    /// Below zero where money went back.
    amount: f64,
    #[schema(format = DateTime)]
    timestamp: String,
}

/// What affiliates earned.
#[derive(ToSchema)]
pub(crate) struct CommissionFigures {
    /// The same as `as_of`.
    #[schema(format = DateTime)]
    timestamp: String,
    total_commissions: f64,
    /// Where that money is; the states sum to `total_commissions`.
    states: CommissionStates,
    total_transactions: u64,
    /// At most 10.
    top_performers: Vec<TopPerformer>,
    commission_by_tier: BTreeMap<String, TierCommissions>,
    /// At most 5, newest first.
    recent_commissions: Vec<RecentCommission>,
    /// The instant that the figures speak of.
    #[schema(format = DateTime)]
    as_of: String,
    /// The version of the ledger: the number of the last fact in the figures.
    seq: i64,
}

/// Commissions by what becomes of their money. What was taken back is in none of them.
#[derive(ToSchema)]
pub(crate) struct CommissionStates {
    /// Net of what was paid out, commissions whose hold has not ended.
    on_hold: f64,
    /// The same of commissions whose hold has ended; below zero where more was paid out than was
    /// left after a refund.
    payable: f64,
    /// What was paid out.
    paid: f64,
}

/// An affiliate and what they earned.
#[derive(ToSchema)]
pub(crate) struct TopPerformer {
    username: String,
    total_commission: f64,
    transaction_count: u64,
}

/// One tier of the commissions.
#[derive(ToSchema)]
pub(crate) struct TierCommissions {
    count: u64,
    total: f64,
}

/// A commission as it was earned.
#[derive(ToSchema)]
pub(crate) struct RecentCommission {
    id: Uuid,
    username: String,
    tier: String,
    amount: f64,
    commission: f64,
    #[schema(format = DateTime)]
    created_at: String,
}

/// The two numbers people look at first.
#[derive(ToSchema)]
pub(crate) struct Dashboard {
    users: UserHeadline,
    revenue: RevenueHeadline,
    /// The instant that the figures speak of.
    #[schema(format = DateTime)]
    as_of: String,
    /// The version of the ledger: the number of the last fact in the figures.
    seq: i64,
}

/// How many, and how that grew.
#[derive(ToSchema)]
pub(crate) struct UserHeadline {
    total: u64,
    /// Percent with one decimal; null where nothing above zero stands to compare with.
    #[schema(rename = "growthRate")]
    growth_rate: Option<f64>,
    trend: Trend,
}

/// How much, and how that grew.
#[derive(ToSchema)]
pub(crate) struct RevenueHeadline {
    total: f64,
    /// Percent with one decimal; null where nothing above zero stands to compare with.
    #[schema(rename = "growthRate")]
    growth_rate: Option<f64>,
    trend: Trend,
}

/// Which way a number points.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Trend {
    Up,
    Down,
    Stable,
    New,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::figures::Body;

    /// What is written must have the described members and no others, all the way down.
    fn check(value: &Value, schema: &Value, document: &Value, place: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = document.pointer(&reference[1..]).unwrap();
            return check(value, target, document, place);
        }
        match value {
            Value::Object(members) => match schema["properties"].as_object() {
                Some(described) => {
                    let names: Vec<_> = members.keys().collect();
                    let expected: Vec<_> = described.keys().collect();
                    assert_eq!(names, expected, "{place}");
                    for (name, member) in members {
                        check(member, &described[name], document, &format!("{place}/{name}"));
                    }
                }
                None => {
                    for (name, member) in members {
                        let inner = &schema["additionalProperties"];
                        check(member, inner, document, &format!("{place}/{name}"));
                    }
                }
            },
            Value::Array(items) => {
                assert!(!items.is_empty(), "{place} must be tried with something in it");
                check(&items[0], &schema["items"], document, &format!("{place}/0"));
            }
            _ => {}
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let described = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let fits = |name: &&str| *name == kind || (*name == "integer" && kind == "number");
        assert!(described.iter().any(fits), "{place}: {value} is no {described:?}");
    }

    /// The figures of delivery with something in every list.
    fn delivery() -> rr_sync::dora::Dora {
        let at = |text: &str| rr_domain::Timestamp::parse(text).unwrap();
        let told = [
            json!({"kind": "deployment", "service": "shop", "result": "succeeded"}),
            json!({"kind": "incident", "service": "shop", "state": "detected"}),
        ];
        let told = (1..).zip(told).map(|(seq, meaning)| rr_sync::dora::Told {
            seq,
            event: uuid::Uuid::nil(),
            at: at("2026-02-10T10:00:00Z"),
            meaning: serde_json::from_value(meaning).unwrap(),
        });
        let (from, to) = (at("2026-02-01T00:00:00Z"), at("2026-03-01T00:00:00Z"));
        rr_sync::dora::dora(&told.collect::<Vec<_>>(), rr_sync::dora::Window { from, to })
    }

    #[test]
    fn the_described_figures_are_those_that_are_written() {
        let document = serde_json::to_value(crate::openapi::openapi()).unwrap();
        let facts = rr_sync::demo::facts();
        let later = rr_domain::Timestamp::parse("2024-01-03T00:00:00Z").unwrap();
        let figures = rr_sync::compute(&facts, later);
        let written = |figures: Value| -> Value {
            let body = Body::of(&figures, 7).unwrap();
            serde_json::from_slice(&body.at(later)).unwrap()
        };
        for (name, body) in [
            ("UserFigures", written(json!(figures.users))),
            ("RevenueFigures", written(json!(figures.revenue))),
            ("CommissionFigures", written(json!(figures.commissions))),
            ("Dashboard", written(json!(figures.dashboard))),
            ("DeliveryFigures", json!(delivery())),
        ] {
            let schema = &document["components"]["schemas"][name];
            check(&body, schema, &document, name);
        }
    }

    #[test]
    fn a_problem_has_the_described_members() {
        let document = serde_json::to_value(crate::openapi::openapi()).unwrap();
        let described = &document["components"]["schemas"]["Problem"]["properties"];
        let hint = rr_webhooks::SignatureHint { code: "c", detail: "d".to_owned() };
        let problem = crate::Problem::missing_permission("p", vec!["p".to_owned()])
            .at("/x")
            .key_id(uuid::Uuid::nil())
            .signature_hints(vec![hint]);
        let body: serde_json::Value = serde_json::from_slice(&problem.body("r")).unwrap();
        let names: Vec<_> = body.as_object().unwrap().keys().collect();
        let described: Vec<_> = described.as_object().unwrap().keys().collect();
        assert_eq!(names, described);
    }
}

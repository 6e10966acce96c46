//! The figures of delivery: stories, and laws against a slow recomputation.

mod oracle;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rr_domain::{
    Change, Commit, Deployment, Incident, IncidentState, Meaning, Progress, Timestamp, Trigger,
};
use serde_json::{Value, json};

use super::{at, id};
use crate::dora::{Asked, Commits, Relevance, Told, Window, dora, dora_of};

fn deployment(name: Option<&str>, finished: &str) -> Deployment {
    Deployment {
        id: name.map(str::to_owned),
        service: "shop".to_owned(),
        environment: Some("production".to_owned()),
        result: Progress::Succeeded,
        started_at: None,
        finished_at: Some(at(finished)),
        artifact: None,
        commits: Vec::new(),
        previous: None,
        trigger: Trigger::Planned,
        rolls_back: None,
        chain: None,
    }
}

fn incident(name: &str, detected: &str, resolved: Option<&str>) -> Incident {
    Incident {
        id: Some(name.to_owned()),
        service: Some("shop".to_owned()),
        environment: None,
        severity: None,
        state: if resolved.is_some() { IncidentState::Resolved } else { IncidentState::Detected },
        detected_at: Some(at(detected)),
        acknowledged_at: None,
        resolved_at: resolved.map(at),
        caused_by: None,
        artifact: None,
        chain: None,
    }
}

fn commit(sha: &str, made: Option<&str>) -> Commit {
    Commit { sha: sha.to_owned(), committed_at: made.map(at) }
}

/// Events in this order; each speaks of the last instant that it names.
fn told(meanings: impl IntoIterator<Item = Meaning>) -> Vec<Told> {
    let tell = |(seq, meaning): (i64, Meaning)| Told {
        seq,
        event: id(u128::try_from(seq).unwrap()),
        at: meaning.times().max().unwrap(),
        meaning,
    };
    (1..).zip(meanings).map(tell).collect()
}

/// Four weeks.
const FEBRUARY: (&str, &str) = ("2026-02-01", "2026-03-01");

fn figures(told: &[Told]) -> Value {
    let window = Window { from: at(FEBRUARY.0), to: at(FEBRUARY.1) };
    let read = dora(told, window);
    assert_eq!(read, oracle::dora(told, window));
    serde_json::to_value(&read).unwrap()
}

#[test]
fn no_data_is_no_figure() {
    let nothing = figures(&[]);
    assert_eq!(nothing["services"], json!([]));
    // A failed deployment is known, and says nothing about speed or stability.
    let failed = Deployment { result: Progress::Failed, ..deployment(None, "2026-02-03") };
    let read = figures(&told([Meaning::Deployment(failed)]));
    let shop = &read["services"][0];
    assert_eq!((&shop["deployments"], &shop["failed_deployments"]), (&json!(0), &json!(1)));
    for figure in [
        "deployment_days_per_week",
        "change_lead_time_s",
        "change_fail_rate",
        "recovery_time_s",
        "rework_rate",
    ] {
        assert_eq!(shop[figure], json!(null), "{figure}");
    }
}

#[test]
fn days_are_counted_once_and_the_weeks_of_silence_count() {
    let on = |moment| Meaning::Deployment(deployment(None, moment));
    let all = told([
        on("2026-02-27T01:00:00Z"),
        on("2026-02-27T23:00:00Z"),
        on("2026-02-28T12:00:00Z"),
        on("2026-02-20T12:00:00Z"),
        on("2026-01-31T12:00:00Z"),
        on("2026-03-01T00:00:00Z"),
    ]);
    let shop = &figures(&all)["services"][0];
    assert_eq!(shop["deployments"], 4);
    // Two days, one day, none, none.
    assert_eq!(shop["deployment_days_per_week"].to_string(), "0.5");
    let weeks = shop["weeks"].as_array().unwrap();
    let days: Vec<&serde_json::Value> = weeks.iter().map(|week| &week["deployment_days"]).collect();
    assert_eq!(days, [&json!(0), &json!(0), &json!(1), &json!(2)], "the earliest first");
    assert_eq!(
        (&weeks[3]["start"], &weeks[3]["deployments"]),
        (&json!("2026-02-22T00:00:00Z"), &json!(3))
    );
}

#[test]
fn an_incident_goes_to_the_deployment_that_the_best_evidence_names() {
    let mut first = deployment(Some("d1"), "2026-02-10T10:00:00Z");
    first.artifact = Some("shop:1".to_owned());
    first.chain = Some("chain".to_owned());
    let second = deployment(Some("d2"), "2026-02-10T11:00:00Z");
    let mut back = deployment(Some("d3"), "2026-02-10T13:00:00Z");
    back.trigger = Trigger::Rollback;
    back.rolls_back = Some("d1".to_owned());
    let trouble = incident("i", "2026-02-10T12:00:00Z", Some("2026-02-10T14:00:00Z"));
    let link = |trouble: Incident, with_rollback: bool| {
        let mut meanings =
            vec![Meaning::Deployment(first.clone()), Meaning::Deployment(second.clone())];
        meanings.push(Meaning::Incident(trouble));
        meanings.extend(with_rollback.then(|| Meaning::Deployment(back.clone())));
        let read = figures(&told(meanings));
        let link = &read["services"][0]["links"][0];
        let deployment = link["deployment"].as_str().unwrap_or("none").to_owned();
        (deployment, link["link"].clone(), link["confidence"].clone())
    };
    let (one, two) = (id(1).to_string(), id(2).to_string());
    let is =
        |deployment: &str, link: &str, how: &str| (deployment.to_owned(), json!(link), json!(how));
    assert_eq!(link(trouble.clone(), false), is(&two, "time", "low"));
    assert_eq!(link(trouble.clone(), true), is(&one, "rollback", "medium"));
    let artifact = Incident { artifact: Some("shop:1".to_owned()), ..trouble.clone() };
    assert_eq!(link(artifact.clone(), false), is(&one, "artifact", "medium"));
    let chain = Incident { chain: Some("chain".to_owned()), ..artifact };
    assert_eq!(link(chain.clone(), true), is(&one, "chain", "high"));
    for name in ["d2".to_owned(), two.clone()] {
        let named = Incident { caused_by: Some(name), ..chain.clone() };
        assert_eq!(link(named, true), is(&two, "id", "high"));
    }
    let late = incident("i", "2026-02-12", None);
    assert_eq!(link(late, false).0, "none", "a day is the limit of suspicion");
    let elsewhere = Incident { environment: Some("staging".to_owned()), ..trouble };
    assert_eq!(link(elsewhere, false).0, "none");
}

#[test]
fn rates_never_pass_a_hundred_and_rework_follows_an_incident() {
    let meanings = [
        Meaning::Deployment(deployment(Some("d1"), "2026-02-10T10:00:00Z")),
        Meaning::Incident(incident("i1", "2026-02-10T11:00:00Z", None)),
        Meaning::Incident(incident("i2", "2026-02-10T11:30:00Z", Some("2026-02-10T12:30:00Z"))),
        Meaning::Incident(incident("i1", "2026-02-10T11:00:00Z", Some("2026-02-10T13:00:00Z"))),
    ];
    let shop = &figures(&told(meanings.clone()))["services"][0];
    assert_eq!(shop["change_fail_rate"], 100, "two incidents, one deployment");
    assert_eq!(shop["recovery_time_s"], 5_400, "the mean of an hour and two");
    assert_eq!((&shop["rework_rate"], &shop["incidents"]["by_time"]), (&json!(0), &json!(2)));
    let hotfix =
        Deployment { trigger: Trigger::Hotfix, ..deployment(Some("d2"), "2026-02-10T12:00:00Z") };
    let mended = meanings.into_iter().chain([Meaning::Deployment(hotfix.clone())]);
    let shop = &figures(&told(mended))["services"][0];
    assert_eq!((&shop["change_fail_rate"], &shop["rework_rate"]), (&json!(50), &json!(50)));
    let alone = &figures(&told([Meaning::Deployment(hotfix)]))["services"][0];
    assert_eq!(alone["rework_rate"], 0, "nothing had happened before");
}

#[test]
fn a_commit_waits_until_it_first_runs() {
    let push = |previous: &str, commits: &[(&str, &str)], merged: &str| {
        Meaning::Change(Change {
            id: None,
            service: "shop-repository".to_owned(),
            reference: None,
            commits: commits.iter().map(|(sha, made)| commit(sha, Some(made))).collect(),
            previous: Some(previous.to_owned()),
            merged_at: Some(at(merged)),
        })
    };
    let standing_at = |sha: &str, finished: &str| {
        let commits = vec![commit(sha, None)];
        Meaning::Deployment(Deployment { commits, ..deployment(None, finished) })
    };
    let all = told([
        push("c0", &[("c1", "2026-02-01T00:00:00Z"), ("c2", "2026-02-01T01:00:00Z")], "2026-02-02"),
        push("c2", &[("c3", "2026-02-01T02:00:00Z")], "2026-02-03"),
        standing_at("c1", "2026-02-04T00:00:00Z"),
        standing_at("c3", "2026-02-05T00:00:00Z"),
        standing_at("c1", "2026-02-06T00:00:00Z"),
    ]);
    let shop = &figures(&all)["services"][0];
    // 72 h for c1; 95 h and 94 h for c2 and c3, which came together; c1 runs again, not anew.
    assert_eq!(shop["change_lead_time_s"], 94 * 3_600);
    let unbounded = &figures(&all[1..4])["services"][0];
    assert_eq!(unbounded["change_lead_time_s"], 94 * 3_600, "c2 may have run for long");
}

#[test]
fn what_happens_later_changes_nothing_and_what_arrives_late_does() {
    let mut all = told([
        Meaning::Deployment(deployment(Some("d1"), "2026-02-10T10:00:00Z")),
        Meaning::Incident(incident("i1", "2026-02-28T23:00:00Z", None)),
    ]);
    let before = figures(&all);
    assert_eq!(before["services"][0]["incidents"]["open"], 1);
    all.extend(told([Meaning::Incident(incident(
        "i1",
        "2026-02-28T23:00:00Z",
        Some("2026-03-02"),
    ))]));
    all[2].seq = 3;
    assert_eq!(figures(&all), before, "it was on when February ended");
    all.extend(told([Meaning::Deployment(deployment(Some("d0"), "2026-02-28T22:00:00Z"))]));
    all[3].seq = 4;
    assert_eq!(figures(&all)["services"][0]["change_fail_rate"], 50);
}

/// An hour of a month that the window holds the middle of.
fn moment() -> impl Strategy<Value = Timestamp> {
    (0..40_i64 * 24).prop_map(|hour| {
        Timestamp::from_seconds(at("2026-01-25").seconds() + hour * 3_600).unwrap()
    })
}

fn one_of(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    (0..names.len()).prop_map(|index| names[index].to_owned())
}

const SERVICES: &[&str] = &["shop", "till"];
const PLACES: &[&str] = &["prod", "Production", "staging"];
/// Deployments have these names, or are known by the number of their event.
const NAMES: &[&str] = &["d1", "d2", "d3", "00000000-0000-0000-0000-000000000002"];
const SHAS: &[&str] = &["c1", "c2", "c3", "c4", "c5"];
const CHAINS: &[&str] = &["x", "y"];

fn commits() -> impl Strategy<Value = Vec<Commit>> {
    let commit = (one_of(SHAS), option::of(moment()));
    vec(commit.prop_map(|(sha, committed_at)| Commit { sha, committed_at }), 0..4)
}

fn a_deployment() -> impl Strategy<Value = Meaning> {
    let who = (option::of(one_of(NAMES)), one_of(SERVICES), option::of(one_of(PLACES)));
    let result = prop_oneof![
        4 => Just(Progress::Succeeded),
        1 => Just(Progress::Running),
        1 => Just(Progress::Failed),
        1 => Just(Progress::Cancelled)
    ];
    let trigger =
        prop_oneof![Just(Trigger::Planned), Just(Trigger::Hotfix), Just(Trigger::Rollback)];
    let times = (option::of(moment()), option::of(moment()));
    let ties = (option::of(one_of(CHAINS)), option::of(one_of(CHAINS)), option::of(one_of(NAMES)));
    let code = (commits(), option::of(one_of(SHAS)));
    (who, result, trigger, times, ties, code).prop_map(
        |(
            (id, service, environment),
            result,
            trigger,
            (started_at, finished_at),
            (artifact, chain, rolls_back),
            (commits, previous),
        )| {
            Meaning::Deployment(Deployment {
                id,
                service,
                environment,
                result,
                started_at,
                finished_at,
                artifact,
                commits,
                previous,
                trigger,
                rolls_back,
                chain,
            })
        },
    )
}

fn an_incident() -> impl Strategy<Value = Meaning> {
    let who = (
        option::of(one_of(&["i1", "i2", "i3"])),
        option::of(one_of(SERVICES)),
        option::of(one_of(PLACES)),
    );
    let state = prop_oneof![
        Just(IncidentState::Detected),
        Just(IncidentState::Resolved),
        Just(IncidentState::Updated)
    ];
    let times = (option::of(moment()), option::of(moment()));
    let ties = (option::of(one_of(NAMES)), option::of(one_of(CHAINS)), option::of(one_of(CHAINS)));
    (who, state, times, ties).prop_map(
        |(
            (id, service, environment),
            state,
            (detected_at, resolved_at),
            (caused_by, artifact, chain),
        )| {
            Meaning::Incident(Incident {
                id,
                service,
                environment,
                severity: None,
                state,
                detected_at,
                acknowledged_at: None,
                resolved_at,
                caused_by,
                artifact,
                chain,
            })
        },
    )
}

fn a_change() -> impl Strategy<Value = Meaning> {
    (commits(), option::of(one_of(SHAS))).prop_map(|(commits, previous)| {
        let service = "repository".to_owned();
        let (id, reference, merged_at) = (None, None, None);
        Meaning::Change(Change { id, service, reference, commits, previous, merged_at })
    })
}

/// Events that tell of anything at all, with times of their own that need not fit what they say.
fn anything() -> impl Strategy<Value = Vec<Told>> {
    let meaning = prop_oneof![4 => a_deployment(), 3 => an_incident(), 1 => a_change()];
    vec((meaning, moment()), 0..14).prop_map(|all| {
        let tell = |(seq, (meaning, arrival)): (i64, (Meaning, Timestamp))| Told {
            seq,
            event: id(u128::try_from(seq).unwrap()),
            at: meaning.times().max().unwrap_or(arrival),
            meaning,
        };
        (1..).zip(all).map(tell).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_figures_are_those_of_the_slow_way(told in anything()) {
        let window = Window { from: at(FEBRUARY.0), to: at(FEBRUARY.1) };
        prop_assert_eq!(dora(&told, window), oracle::dora(&told, window));
    }

    #[test]
    fn the_order_of_arrival_changes_nothing(told in anything(), turn in 0..14_usize) {
        let window = Window { from: at(FEBRUARY.0), to: at(FEBRUARY.1) };
        let mut other = told.clone();
        other.reverse();
        if !other.is_empty() {
            let by = turn % other.len();
            other.rotate_left(by);
        }
        prop_assert_eq!(dora(&told, window), dora(&other, window));
    }

    /// Asking for less reads less and finds the same.
    #[test]
    fn a_place_has_the_same_figures_when_it_is_asked_for_alone(
        told in anything(),
        service in option::of(one_of(SERVICES)),
        environment in option::of(one_of(PLACES)),
    ) {
        let window = Window { from: at(FEBRUARY.0), to: at(FEBRUARY.1) };
        let asked = Asked::new(service, environment.as_deref());
        let mut all = dora(&told, window);
        all.services.retain(|one| asked.holds(&one.service, &one.environment));

        let is = |kind: &'static str| move |told: &&Told| told.meaning.kind() == Some(kind);
        let mut held: Vec<Told> = told.iter().filter(is("incident")).cloned().collect();
        let mut relevance = Relevance::new(asked.clone(), &held);
        told.iter().filter(is("deployment")).for_each(|told| relevance.look(told));
        held.extend(told.iter().filter(|told| relevance.keeps(told)).cloned());
        let mut changes: Vec<&Told> = told.iter().filter(is("change")).collect();
        changes.sort_unstable_by_key(|told| (told.at, told.seq));
        let mut commits = Commits::default();
        told.iter().filter(is("deployment")).for_each(|one| commits.tell(one));
        changes.into_iter().filter(|one| one.at < window.to).for_each(|one| commits.tell(one));
        prop_assert_eq!(dora_of(&held, &commits, window, &asked), all);
    }
}

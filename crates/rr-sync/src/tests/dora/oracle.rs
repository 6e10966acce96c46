//! The same figures the slow way: every question is answered by looking at everything again.

mod blame;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rr_domain::{Deployment, Incident, IncidentState, Meaning, Progress, Timestamp, Trigger};
use uuid::Uuid;

use crate::Percent;
use crate::dora::{
    Delivery, Dora, Evidence, Halves, IncidentCounts, Link, Told, Week, Window, environment_name,
};

use blame::{cause, undoes};

const HOUR: Duration = Duration::from_secs(3_600);

/// A deployment that is over, or an incident, as all that was told of it.
#[derive(Clone)]
struct Ship {
    events: Vec<Uuid>,
    seq: i64,
    place: (String, String),
    done: Timestamp,
    began: Timestamp,
    good: bool,
    last: Deployment,
}

#[derive(Clone)]
struct Harm {
    event: Uuid,
    seq: i64,
    environment: String,
    from: Timestamp,
    to: Option<Timestamp>,
    last: Incident,
}

pub(super) fn dora(told: &[Told], window: Window) -> Dora {
    let ships = ships(told, window.to);
    let harms = harms(told, window.to);
    let mut places: BTreeSet<(String, String)> =
        ships.iter().map(|ship| ship.place.clone()).collect();
    places.extend(harms.iter().filter_map(own_place));
    let lost = harms.iter().filter(|harm| place_of(harm, &ships).is_none());
    Dora {
        window,
        incidents_without_service: lost.filter(|harm| within(harm.from, window)).count(),
        services: places
            .into_iter()
            .filter_map(|place| delivery(place, window, told, &ships, &harms))
            .collect(),
    }
}

fn within(at: Timestamp, window: Window) -> bool {
    at >= window.from && at < window.to
}

fn delivery(
    place: (String, String),
    window: Window,
    told: &[Told],
    ships: &[Ship],
    harms: &[Harm],
) -> Option<Delivery> {
    let own: Vec<&Ship> = ships.iter().filter(|ship| ship.place == place).collect();
    let here: Vec<&Ship> =
        own.iter().copied().filter(|s| s.good && within(s.done, window)).collect();
    let failed = own.iter().filter(|ship| !ship.good && within(ship.done, window)).count();
    let mut hurt: Vec<&Harm> =
        harms.iter().filter(|harm| place_of(harm, ships).as_ref() == Some(&place)).collect();
    let all_hurt = hurt.clone();
    hurt.retain(|harm| within(harm.from, window));
    hurt.sort_by_key(|harm| (harm.from, harm.seq));
    if here.is_empty() && failed == 0 && hurt.is_empty() {
        return None;
    }
    let is_bad = |ship: &Ship| {
        let blamed =
            harms.iter().any(|harm| cause(harm, ships).is_some_and(|(c, _)| c.seq == ship.seq));
        blamed || ships.iter().any(|other| undoes(other, ships).is_some_and(|u| u.seq == ship.seq))
    };
    let bad = here.iter().filter(|ship| is_bad(ship));
    let rework = here.iter().filter(|ship| {
        ship.last.trigger != Trigger::Planned
            && all_hurt.iter().any(|harm| {
                let fresh = harm.from.plus(24 * HOUR) >= ship.done;
                harm.from <= ship.done && (fresh || harm.to.is_none_or(|to| to >= ship.began))
            })
    });
    let (bad, rework) = (bad.count(), rework.count());
    let ended = hurt.iter().filter_map(|harm| Some((harm.from, harm.to?)));
    let waits = ended.filter(|(from, to)| from <= to).map(|(from, to)| to.micros() - from.micros());
    let evidence = |wanted: Option<Evidence>| {
        hurt.iter().filter(|harm| cause(harm, ships).map(|(_, how)| how) == wanted).count()
    };
    let links = hurt.iter().rev().filter_map(|harm| {
        let (ship, link) = cause(harm, ships)?;
        Some(Link {
            incident: harm.event,
            detected_at: harm.from,
            deployment: ship.events[0],
            deployed_at: ship.done,
            link,
            confidence: link.confidence(),
        })
    });
    Some(Delivery {
        service: place.0,
        environment: place.1,
        deployments: here.len(),
        failed_deployments: failed,
        harmful_deployments: bad,
        unplanned_deployments: rework,
        deployment_days_per_week: days(&here, window),
        change_lead_time_s: seconds(waited(&own, told, window)),
        change_fail_rate: percent(bad, here.len()),
        recovery_time_s: seconds(waits.collect()),
        rework_rate: percent(rework, here.len()),
        incidents: IncidentCounts {
            total: hurt.len(),
            open: hurt.iter().filter(|harm| harm.to.is_none()).count(),
            by_id: evidence(Some(Evidence::Id)),
            by_chain: evidence(Some(Evidence::Chain)),
            by_artifact: evidence(Some(Evidence::Artifact)),
            by_rollback: evidence(Some(Evidence::Rollback)),
            by_time: evidence(Some(Evidence::Time)),
            unlinked: evidence(None),
        },
        weeks: weeks(&here, window, is_bad),
        links: links.take(20).collect(),
    })
}

/// What was told later and says anything wins.
fn over(old: &mut Option<String>, new: Option<&String>) {
    if let Some(new) = new {
        *old = Some(new.clone());
    }
}

fn ships(told: &[Told], end: Timestamp) -> Vec<Ship> {
    let mut steps: Vec<(Timestamp, i64, Uuid, &Deployment)> = Vec::new();
    for event in told {
        if let Meaning::Deployment(said) = &event.meaning {
            let over = said.result != Progress::Running;
            let at = if over { said.finished_at } else { said.started_at }.unwrap_or(event.at);
            if at < end {
                steps.push((at, event.seq, event.event, said));
            }
        }
    }
    steps.sort_by_key(|step| (step.0, step.1));
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, (_, _, event, said)) in steps.iter().enumerate() {
        let key = match &said.id {
            Some(id) => {
                let akin =
                    steps.iter().filter(|(.., s)| s.id == said.id && s.service == said.service);
                let others: Vec<String> = akin
                    .filter_map(|(.., s)| s.environment.as_deref())
                    .map(|name| environment_name(Some(name)))
                    .collect();
                let is_lonely = others.iter().all(|name| *name == others[0]);
                let environment = match (&said.environment, others.first()) {
                    (None, Some(other)) if is_lonely => other.clone(),
                    (own, _) => environment_name(own.as_deref()),
                };
                format!("{} named {id} in {environment}", said.service)
            }
            None => format!("{} alone {event}", said.service),
        };
        kinds.entry(key).or_default().push(index);
    }
    let mut ships = Vec::new();
    for indices in kinds.into_values() {
        let mut whole = steps[indices[0]].3.clone();
        let (mut done, mut began) = (None, None::<Timestamp>);
        for index in &indices {
            let (at, _, _, said) = &steps[*index];
            over(&mut whole.environment, said.environment.as_ref());
            over(&mut whole.artifact, said.artifact.as_ref());
            over(&mut whole.previous, said.previous.as_ref());
            over(&mut whole.rolls_back, said.rolls_back.as_ref());
            over(&mut whole.chain, said.chain.as_ref());
            if !said.commits.is_empty() {
                whole.commits.clone_from(&said.commits);
            }
            if said.trigger != Trigger::Planned {
                whole.trigger = said.trigger;
            }
            if said.result != Progress::Running {
                done = Some((*at, said.result));
            }
            if let Some(at) = said.started_at {
                began = Some(began.map_or(at, |before| before.min(at)));
            }
        }
        let mut events: Vec<(i64, Uuid)> =
            indices.iter().map(|index| (steps[*index].1, steps[*index].2)).collect();
        events.sort_unstable();
        let Some((done, result)) = done else { continue };
        if result == Progress::Cancelled {
            continue;
        }
        ships.push(Ship {
            seq: events[0].0,
            events: events.into_iter().map(|(_, event)| event).collect(),
            place: (whole.service.clone(), environment_name(whole.environment.as_deref())),
            done,
            began: began.unwrap_or(done),
            good: result == Progress::Succeeded,
            last: whole,
        });
    }
    ships
}

fn harms(told: &[Told], end: Timestamp) -> Vec<Harm> {
    let mut steps: Vec<(&Told, &Incident)> = Vec::new();
    for event in told {
        if let Meaning::Incident(said) = &event.meaning {
            steps.push((event, said));
        }
    }
    steps.sort_by_key(|(event, _)| (event.at, event.seq));
    let keys_of = |(event, said): &(&Told, &Incident)| -> Vec<String> {
        let Some(id) = &said.id else { return vec![format!("alone {}", event.event)] };
        let akin: Vec<&Incident> =
            steps.iter().map(|(_, other)| *other).filter(|other| other.id == said.id).collect();
        let begins = |other: &Incident| other.state == IncidentState::Detected;
        let someone_begins = akin.iter().any(|other| begins(other));
        let named: BTreeSet<&String> =
            akin.iter().filter_map(|other| other.service.as_ref()).collect();
        let first_word = |service: &String| {
            let own = akin.iter().find(|other| other.service.as_ref() == Some(service));
            own.is_some_and(|first| begins(first) || !someone_begins)
        };
        let services: Vec<&String> =
            named.into_iter().filter(|service| first_word(service)).collect();
        if services.len() < 2 {
            return vec![format!("named {id}")];
        }
        let is_about =
            |service: &&&String| said.service.as_ref().is_none_or(|own| own == **service);
        services.iter().filter(is_about).map(|service| format!("named {id} of {service}")).collect()
    };
    let keys: BTreeSet<String> = steps.iter().flat_map(keys_of).collect();
    let mut harms = Vec::new();
    for wanted in keys {
        let own: Vec<_> = steps.iter().filter(|step| keys_of(step).contains(&wanted)).collect();
        let mut whole = own[0].1.clone();
        let (mut from, mut to) = (None::<Timestamp>, None::<Timestamp>);
        for (event, said) in &own {
            over(&mut whole.service, said.service.as_ref());
            over(&mut whole.environment, said.environment.as_ref());
            over(&mut whole.caused_by, said.caused_by.as_ref());
            over(&mut whole.artifact, said.artifact.as_ref());
            over(&mut whole.chain, said.chain.as_ref());
            let untold = |state| (said.state == state).then_some(event.at);
            let starts = said.detected_at.or(untold(IncidentState::Detected));
            if let Some(at) = starts.filter(|at| *at < end) {
                from = Some(from.map_or(at, |before| before.min(at)));
            }
            let ends = said.resolved_at.or(untold(IncidentState::Resolved));
            if let Some(at) = ends.filter(|at| *at < end) {
                to = Some(to.map_or(at, |before| before.max(at)));
            }
        }
        for (event, said) in &own {
            let again = said.state == IncidentState::Detected && event.at < end;
            if again && to.is_some_and(|to| event.at > to) {
                to = None;
            }
        }
        let Some(from) = from else { continue };
        let (seq, event) = own.iter().map(|(event, _)| (event.seq, event.event)).min().unwrap();
        let environment = environment_name(whole.environment.as_deref());
        harms.push(Harm { event, seq, environment, from, to, last: whole });
    }
    harms
}

fn own_place(harm: &Harm) -> Option<(String, String)> {
    Some((harm.last.service.clone()?, harm.environment.clone()))
}

fn place_of(harm: &Harm, ships: &[Ship]) -> Option<(String, String)> {
    cause(harm, ships).map(|(ship, _)| ship.place.clone()).or_else(|| own_place(harm))
}

/// Backwards, day by day.
fn weeks(here: &[&Ship], window: Window, is_bad: impl Fn(&Ship) -> bool) -> Vec<Week> {
    let mut weeks = Vec::new();
    let mut end = window.to;
    while end.minus(7 * 24 * HOUR) >= window.from {
        let mut week =
            Week { start: end, deployments: 0, deployment_days: 0, harmful_deployments: 0 };
        for _ in 0..7 {
            let day = Window { from: end.minus(24 * HOUR), to: end };
            let done: Vec<_> = here.iter().filter(|ship| within(ship.done, day)).collect();
            week.deployments += done.len();
            week.deployment_days += usize::from(!done.is_empty());
            week.harmful_deployments += done.iter().filter(|ship| is_bad(ship)).count();
            end = day.from;
        }
        weeks.insert(0, Week { start: end, ..week });
    }
    weeks
}

fn days(here: &[&Ship], window: Window) -> Option<Halves> {
    let mut weeks = Vec::new();
    let mut end = window.to;
    while end.minus(7 * 24 * HOUR) >= window.from {
        let mut count = 0_u64;
        for _ in 0..7 {
            let day = Window { from: end.minus(24 * HOUR), to: end };
            count += u64::from(here.iter().any(|ship| within(ship.done, day)));
            end = day.from;
        }
        weeks.push(count);
    }
    weeks.sort_unstable();
    if here.is_empty() || weeks.is_empty() {
        return None;
    }
    let half = weeks.len() / 2;
    let odd = weeks.len() % 2 == 1;
    Some(Halves(if odd { 2 * weeks[half] } else { weeks[half - 1] + weeks[half] }))
}

/// Microseconds that commits waited which first ran in the window.
fn waited(own: &[&Ship], told: &[Told], window: Window) -> Vec<i64> {
    let mut good: Vec<&&Ship> = own.iter().filter(|ship| ship.good).collect();
    good.sort_by_key(|ship| (ship.done, ship.seq));
    let mut known: Vec<String> = Vec::new();
    let mut waits = Vec::new();
    for ship in good {
        let mut brought: BTreeSet<String> =
            ship.last.commits.iter().map(|commit| commit.sha.clone()).collect();
        if let Some(head) = ship.last.commits.last() {
            let mut path = Vec::new();
            let mut at = Some(head.sha.clone());
            while let Some(sha) = at.take() {
                if known.contains(&sha) || ship.last.previous.as_ref() == Some(&sha) {
                    brought.extend(path);
                    break;
                }
                // Walked in a circle: it will never get there.
                if path.contains(&sha) {
                    break;
                }
                at = parent(&sha, told, window.to);
                path.push(sha);
            }
        }
        for sha in brought {
            if known.contains(&sha) {
                continue;
            }
            if let Some(made) = made(&sha, told, window.to).filter(|made| *made <= ship.done)
                && within(ship.done, window)
            {
                waits.push(ship.done.micros() - made.micros());
            }
            known.push(sha);
        }
        known.extend(ship.last.previous.clone());
    }
    waits
}

fn parent(sha: &str, told: &[Told], end: Timestamp) -> Option<String> {
    let mut pairs = Vec::new();
    for event in told {
        let Meaning::Change(change) = &event.meaning else { continue };
        if event.at >= end {
            continue;
        }
        let names = change.commits.iter().map(|commit| &commit.sha);
        let line: Vec<&String> = change.previous.iter().chain(names).collect();
        for (place, pair) in line.windows(2).enumerate() {
            if pair[1] == sha {
                pairs.push((event.at, event.seq, place, pair[0].clone()));
            }
        }
    }
    pairs.into_iter().min().map(|(.., parent)| parent)
}

fn made(sha: &str, told: &[Told], end: Timestamp) -> Option<Timestamp> {
    let lists = told.iter().filter_map(|event| match &event.meaning {
        Meaning::Change(change) if event.at < end => Some(&change.commits),
        Meaning::Deployment(said) => Some(&said.commits),
        _ => None,
    });
    lists.flatten().filter(|commit| commit.sha == sha).filter_map(|c| c.committed_at).min()
}

fn seconds(mut spans: Vec<i64>) -> Option<i64> {
    spans.sort_unstable();
    let half = spans.len() / 2;
    match spans.len() {
        0 => None,
        odd if odd % 2 == 1 => Some((spans[half] + 500_000) / 1_000_000),
        _ => Some((spans[half - 1] + spans[half] + 1_000_000) / 2_000_000),
    }
}

fn percent(part: usize, whole: usize) -> Option<Percent> {
    let (part, whole) = (i128::try_from(part).unwrap(), i128::try_from(whole).unwrap());
    (whole > 0).then(|| Percent::from_hundredths((20_000 * part + whole) / (2 * whole)))
}

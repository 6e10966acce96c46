//! Deployments, put together from the steps that events told of.

use std::collections::{BTreeMap, BTreeSet};

use rr_domain::{Commit, Deployment, Meaning, Progress, Timestamp, Trigger};
use uuid::Uuid;

use super::{Told, environment_name};

/// A deployment that is over.
#[derive(Debug)]
pub(super) struct Rollout<'a> {
    /// Everything that told of it, the first first.
    pub(super) events: Vec<Uuid>,
    pub(super) seq: i64,
    pub(super) id: Option<&'a str>,
    pub(super) place: Place,
    pub(super) succeeded: bool,
    pub(super) started_at: Timestamp,
    pub(super) finished_at: Timestamp,
    pub(super) artifact: Option<&'a str>,
    pub(super) commits: &'a [Commit],
    pub(super) previous: Option<&'a str>,
    pub(super) trigger: Trigger,
    pub(super) rolls_back: Option<&'a str>,
    pub(super) chain: Option<&'a str>,
}

/// A service in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) service: String,
    pub(super) environment: String,
}

/// What the steps of one deployment share beside the environment: its service and id, or the event that is all
/// of it.
type Key<'a> = (&'a str, Option<&'a str>, Option<Uuid>);

/// A step: when it happened, who told, what.
type Step<'a> = (Timestamp, &'a Told, &'a Deployment);

impl Rollout<'_> {
    /// What decides which of two is the later one.
    pub(super) fn order(&self) -> (Timestamp, i64) {
        (self.finished_at, self.seq)
    }

    /// Whether somebody who says `name` means it.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.id == Some(name) || self.events.iter().any(|event| event.to_string() == name)
    }
}

/// The deployments that were over before `end`, the oldest first. One that was given up is none.
pub(super) fn rollouts(told: &[Told], end: Timestamp) -> Vec<Rollout<'_>> {
    // Without an id each step is a deployment of its own.
    let mut groups: BTreeMap<Key<'_>, Vec<Step<'_>>> = BTreeMap::new();
    for told in told {
        let Meaning::Deployment(said) = &told.meaning else { continue };
        let moment = match said.result {
            Progress::Running => said.started_at,
            Progress::Succeeded | Progress::Failed | Progress::Cancelled => said.finished_at,
        };
        let moment = moment.unwrap_or(told.at);
        if moment < end {
            let alone = said.id.is_none().then_some(told.event);
            let key = (said.service.as_str(), said.id.as_deref(), alone);
            groups.entry(key).or_default().push((moment, told, said));
        }
    }
    let places = groups.into_values().flat_map(by_environment);
    let mut rollouts: Vec<_> =
        places.filter_map(|(environment, steps)| together(environment, steps)).collect();
    rollouts.sort_unstable_by_key(Rollout::order);
    rollouts
}

/// One id may go through several environments, and is a deployment in each. A step that names none belongs to
/// the only one that others name, and otherwise to the one that such a step means.
fn by_environment(steps: Vec<Step<'_>>) -> BTreeMap<String, Vec<Step<'_>>> {
    let said =
        |(.., said): &Step<'_>| said.environment.as_deref().map(|n| environment_name(Some(n)));
    let named: BTreeSet<String> = steps.iter().filter_map(said).collect();
    let mut named = named.into_iter();
    let unnamed = match (named.next(), named.next()) {
        (Some(only), None) => only,
        _ => environment_name(None),
    };
    let mut places: BTreeMap<String, Vec<Step<'_>>> = BTreeMap::new();
    for step in steps {
        places.entry(said(&step).unwrap_or_else(|| unnamed.clone())).or_default().push(step);
    }
    places
}

/// The last step that ended it says how, and of everything else the last that says anything counts.
fn together(environment: String, mut steps: Vec<Step<'_>>) -> Option<Rollout<'_>> {
    steps.sort_unstable_by_key(|(moment, told, _)| (*moment, told.seq));
    let (finished_at, ending) = steps
        .iter()
        .rev()
        .find(|(.., said)| said.result != Progress::Running)
        .map(|(moment, _, said)| (*moment, said.result))?;
    if ending == Progress::Cancelled {
        return None;
    }
    let first = steps.iter().map(|(_, told, _)| *told).min_by_key(|told| told.seq)?;
    let mut events: Vec<(i64, Uuid)> =
        steps.iter().map(|(_, told, _)| (told.seq, told.event)).collect();
    events.sort_unstable();
    let (.., any) = steps.first()?;
    let latest = |part: fn(&Deployment) -> Option<&str>| {
        steps.iter().rev().find_map(|(.., said)| part(said))
    };
    let triggers = steps.iter().rev().map(|(.., said)| said.trigger);
    Some(Rollout {
        events: events.into_iter().map(|(_, event)| event).collect(),
        seq: first.seq,
        id: any.id.as_deref(),
        place: Place { service: any.service.clone(), environment },
        succeeded: ending == Progress::Succeeded,
        started_at: steps
            .iter()
            .filter_map(|(.., said)| said.started_at)
            .min()
            .unwrap_or(finished_at),
        finished_at,
        artifact: latest(|said| said.artifact.as_deref()),
        commits: steps
            .iter()
            .rev()
            .map(|(.., said)| said.commits.as_slice())
            .find(|commits| !commits.is_empty())
            .unwrap_or_default(),
        previous: latest(|said| said.previous.as_deref()),
        trigger: triggers.into_iter().find(|t| *t != Trigger::Planned).unwrap_or_default(),
        rolls_back: latest(|said| said.rolls_back.as_deref()),
        chain: latest(|said| said.chain.as_deref()),
    })
}

/// Which deployment each one takes back: the one that it names, or the last one before it.
pub(super) fn taken_back(rollouts: &[Rollout<'_>]) -> Vec<Option<usize>> {
    let target = |(index, rollout): (usize, &Rollout<'_>)| {
        if rollout.trigger != Trigger::Rollback || !rollout.succeeded {
            return None;
        }
        let earlier = rollouts.get(..index)?;
        let same = |other: &Rollout<'_>| other.succeeded && other.place == rollout.place;
        earlier.iter().rposition(|other| {
            same(other) && rollout.rolls_back.is_none_or(|name| other.is_called(name))
        })
    };
    rollouts.iter().enumerate().map(target).collect()
}

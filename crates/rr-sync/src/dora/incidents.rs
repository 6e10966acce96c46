//! Incidents, put together from the steps that events told of.

use std::collections::BTreeMap;

use rr_domain::{Incident, IncidentState, Meaning, Timestamp};
use uuid::Uuid;

use super::{Told, environment_name};

/// An incident whose beginning is known.
#[derive(Debug)]
pub(super) struct Trouble<'a> {
    pub(super) event: Uuid,
    pub(super) seq: i64,
    pub(super) service: Option<&'a str>,
    pub(super) environment: String,
    pub(super) detected_at: Timestamp,
    /// None while it is not over.
    pub(super) resolved_at: Option<Timestamp>,
    pub(super) caused_by: Option<&'a str>,
    pub(super) artifact: Option<&'a str>,
    pub(super) chain: Option<&'a str>,
}

/// A step: who told, and what.
type Step<'a> = (&'a Told, &'a Incident);

/// The incidents that began before `end`, as they stood then, the oldest first.
pub(super) fn incidents(told: &[Told], end: Timestamp) -> Vec<Trouble<'_>> {
    let mut groups: BTreeMap<(Option<&str>, Option<Uuid>), Vec<Step<'_>>> = BTreeMap::new();
    for told in told {
        let Meaning::Incident(said) = &told.meaning else { continue };
        let alone = said.id.is_none().then_some(told.event);
        groups.entry((said.id.as_deref(), alone)).or_default().push((told, said));
    }
    let services = groups.into_values().flat_map(by_service);
    let mut all: Vec<_> = services.filter_map(|steps| together(steps, end)).collect();
    all.sort_unstable_by_key(|trouble| (trouble.detected_at, trouble.seq));
    all
}

/// Two services may count their incidents alike. One that begins under several of them is one in each; one that
/// begins under a single service, or under none that is named, stays one wherever it moves, and also when it begins
/// again there: a service begins one of its own with its very first word. Where nobody tells of a beginning, every
/// service that is named has its own. A step that names none is about each of them.
fn by_service(mut steps: Vec<Step<'_>>) -> Vec<Vec<Step<'_>>> {
    steps.sort_unstable_by_key(|(told, _)| (told.at, told.seq));
    let mut first_words: BTreeMap<&str, &Incident> = BTreeMap::new();
    for (_, said) in &steps {
        if let Some(service) = said.service.as_deref() {
            first_words.entry(service).or_insert(said);
        }
    }
    let begins = |said: &Incident| said.state == IncidentState::Detected;
    let is_told = steps.iter().any(|(_, said)| begins(said));
    let own = first_words.iter().filter(|(_, first)| begins(first) || !is_told);
    let services: Vec<&str> = own.map(|(service, _)| *service).collect();
    if services.len() < 2 {
        return vec![steps];
    }
    let of = |service: &str| {
        let is_its = |said: &Incident| said.service.as_deref().is_none_or(|own| own == service);
        steps.iter().filter(|(_, said)| is_its(said)).copied().collect()
    };
    services.into_iter().map(of).collect()
}

fn together<'a>(mut steps: Vec<Step<'a>>, end: Timestamp) -> Option<Trouble<'a>> {
    steps.sort_unstable_by_key(|(told, _)| (told.at, told.seq));
    // Who tells of a beginning or an end without its time means the event's own.
    let began = |(told, said): &Step<'_>| {
        let own = (said.state == IncidentState::Detected).then_some(told.at);
        said.detected_at.or(own).filter(|at| *at < end)
    };
    let over = |(told, said): &Step<'_>| {
        let own = (said.state == IncidentState::Resolved).then_some(told.at);
        said.resolved_at.or(own).filter(|at| *at < end)
    };
    let detected_at = steps.iter().filter_map(began).min()?;
    let last_end = steps.iter().filter_map(over).max();
    // One that begins again after its end is not over.
    let again = steps.iter().any(|(told, said)| {
        let began = said.state == IncidentState::Detected && told.at < end;
        began && last_end.is_some_and(|over| told.at > over)
    });
    // What was first told after the end says nothing about how it stood then, but who it is about.
    let first = steps.iter().map(|(told, _)| *told).min_by_key(|told| told.seq)?;
    let latest =
        |part: fn(&Incident) -> Option<&str>| steps.iter().rev().find_map(|(_, said)| part(said));
    Some(Trouble {
        event: first.event,
        seq: first.seq,
        service: latest(|said| said.service.as_deref()),
        environment: environment_name(latest(|said| said.environment.as_deref())),
        detected_at,
        resolved_at: last_end.filter(|_| !again),
        caused_by: latest(|said| said.caused_by.as_deref()),
        artifact: latest(|said| said.artifact.as_deref()),
        chain: latest(|said| said.chain.as_deref()),
    })
}

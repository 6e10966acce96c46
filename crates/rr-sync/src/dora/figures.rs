//! The figures, place by place.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rr_domain::{Meaning, Timestamp, Trigger};

use super::incidents::{Trouble, incidents};
use super::leads::{Commits, leads};
use super::links::{SUSPICION, cause};
use super::numbers::{median_count, median_seconds, share};
use super::rollouts::{Place, Rollout, rollouts, taken_back};
use super::{
    Asked, Delivery, Dora, Evidence, IncidentCounts, Link, MOST_LINKS, Told, Week, Window,
};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A deployment that is taken for a cause, and why.
type Cause<'a> = (&'a Rollout<'a>, Evidence);

/// Everything known about one place.
#[derive(Default)]
struct Found<'a> {
    rollouts: Vec<(usize, &'a Rollout<'a>)>,
    troubles: Vec<(&'a Trouble<'a>, Option<Cause<'a>>)>,
}

/// Computes the figures of a window from all that was told, in any order. Who tells more of the time
/// before the window gets more commits and incidents tied to it.
pub fn dora(told: &[Told], window: Window) -> Dora {
    let is_change =
        |told: &&Told| matches!(told.meaning, Meaning::Change(_)) && told.at < window.to;
    let mut changes: Vec<&Told> = told.iter().filter(is_change).collect();
    changes.sort_unstable_by_key(|told| (told.at, told.seq));
    let mut commits = Commits::default();
    changes.into_iter().for_each(|told| commits.tell(told));
    let is_deployment = |told: &&Told| matches!(told.meaning, Meaning::Deployment(_));
    told.iter().filter(is_deployment).for_each(|told| commits.tell(told));
    dora_of(told, &commits, window, &Asked::default())
}

/// The same from deployments and incidents, in any order, and from what all changes and all deployments told of
/// commits, for the places that are asked for.
pub fn dora_of(told: &[Told], commits: &Commits, window: Window, asked: &Asked) -> Dora {
    let rollouts = rollouts(told, window.to);
    let taken_back = taken_back(&rollouts);
    let troubles = incidents(told, window.to);

    let mut places: BTreeMap<Place, Found<'_>> = BTreeMap::new();
    for (index, rollout) in rollouts.iter().enumerate() {
        places.entry(rollout.place.clone()).or_default().rollouts.push((index, rollout));
    }
    let mut harmful: BTreeSet<usize> = taken_back.iter().copied().flatten().collect();
    let mut incidents_without_service = 0;
    for trouble in &troubles {
        let cause = cause(trouble, &rollouts, &taken_back);
        harmful.extend(cause.map(|(index, _)| index));
        let found = cause.and_then(|(index, how)| Some((rollouts.get(index)?, how)));
        let own = trouble.service.map(|service| Place {
            service: service.to_owned(),
            environment: trouble.environment.clone(),
        });
        match found.map(|(rollout, _)| rollout.place.clone()).or(own) {
            Some(place) => places.entry(place).or_default().troubles.push((trouble, found)),
            None if window.holds(trouble.detected_at) => incidents_without_service += 1,
            None => {}
        }
    }
    let services = places
        .into_iter()
        .filter(|(place, _)| asked.holds(&place.service, &place.environment))
        .filter_map(|(place, found)| found.delivery(place, window, &harmful, commits))
        .collect();
    Dora { window, services, incidents_without_service }
}

impl Window {
    /// Whether it holds this instant.
    pub fn holds(&self, at: Timestamp) -> bool {
        (self.from..self.to).contains(&at)
    }
}

impl<'a> Found<'a> {
    /// None where the window holds nothing.
    fn delivery(
        self,
        place: Place,
        window: Window,
        harmful: &BTreeSet<usize>,
        commits: &'a Commits,
    ) -> Option<Delivery> {
        let held = |rollout: &Rollout<'_>| window.holds(rollout.finished_at);
        let good: Vec<&Rollout<'_>> =
            self.rollouts.iter().map(|(_, one)| *one).filter(|one| one.succeeded).collect();
        let in_window = || good.iter().copied().filter(|one| held(one));
        let deployments = in_window().count();
        let failed_deployments =
            self.rollouts.iter().filter(|(_, one)| !one.succeeded && held(one)).count();
        let counts = self.incident_counts(window);
        if deployments + failed_deployments + counts.total == 0 {
            return None;
        }
        let harmful_deployments = self
            .rollouts
            .iter()
            .filter(|(index, one)| one.succeeded && held(one) && harmful.contains(index))
            .count();
        let unplanned_deployments = in_window().filter(|one| self.is_rework(one)).count();
        let lead_times = leads(&good, commits).into_iter().filter(|(at, _)| window.holds(*at));
        let weeks = self.weeks(window, harmful);
        let days = weeks.iter().map(|week| u64::try_from(week.deployment_days).unwrap_or(7));
        Some(Delivery {
            service: place.service,
            environment: place.environment,
            deployments,
            failed_deployments,
            harmful_deployments,
            unplanned_deployments,
            deployment_days_per_week: median_count(days.collect()).filter(|_| deployments > 0),
            change_lead_time_s: median_seconds(lead_times.map(|(_, lead)| lead).collect()),
            change_fail_rate: share(harmful_deployments, deployments),
            recovery_time_s: self.recovery(window),
            rework_rate: share(unplanned_deployments, deployments),
            incidents: counts,
            weeks,
            links: self.links(window),
        })
    }

    /// Whole weeks, counted back from the end of the window so that every one has seven days.
    fn weeks(&self, window: Window, harmful: &BTreeSet<usize>) -> Vec<Week> {
        let whole = window.to.since(window.from).as_secs() / WEEK.as_secs();
        let start = |back: u32| window.to.minus(WEEK.saturating_mul(back));
        let weeks = (1..=u32::try_from(whole).unwrap_or(u32::MAX)).rev();
        let week = |back: u32| {
            let span = Window { from: start(back), to: start(back - 1) };
            let held = || self.rollouts.iter().filter(|(_, one)| span.holds(one.finished_at));
            let good = || held().filter(|(_, one)| one.succeeded);
            let day = |done: Timestamp| done.since(span.from).as_secs() / DAY.as_secs();
            let days: BTreeSet<u64> = good().map(|(_, one)| day(one.finished_at)).collect();
            Week {
                start: span.from,
                deployments: good().count(),
                deployment_days: days.len(),
                harmful_deployments: good().filter(|(index, _)| harmful.contains(index)).count(),
            }
        };
        weeks.map(week).collect()
    }

    /// An unplanned deployment that was made while an incident was on, or within a day of its start.
    fn is_rework(&self, rollout: &Rollout<'_>) -> bool {
        let done = rollout.finished_at;
        rollout.trigger != Trigger::Planned
            && self.troubles.iter().any(|(trouble, _)| {
                let on = trouble.resolved_at.is_none_or(|over| over >= rollout.started_at);
                trouble.detected_at <= done && (on || done.since(trouble.detected_at) <= SUSPICION)
            })
    }

    fn recovery(&self, window: Window) -> Option<i64> {
        let began = self.troubles.iter().filter(|(one, _)| window.holds(one.detected_at));
        let over = began.filter_map(|(one, _)| {
            one.resolved_at
                .filter(|over| *over >= one.detected_at)
                .map(|over| over.since(one.detected_at))
        });
        median_seconds(over.collect())
    }

    fn incident_counts(&self, window: Window) -> IncidentCounts {
        let mut counts = IncidentCounts::default();
        for (trouble, cause) in &self.troubles {
            if !window.holds(trouble.detected_at) {
                continue;
            }
            counts.total += 1;
            counts.open += usize::from(trouble.resolved_at.is_none());
            *match cause.map(|(_, how)| how) {
                Some(Evidence::Id) => &mut counts.by_id,
                Some(Evidence::Chain) => &mut counts.by_chain,
                Some(Evidence::Artifact) => &mut counts.by_artifact,
                Some(Evidence::Rollback) => &mut counts.by_rollback,
                Some(Evidence::Time) => &mut counts.by_time,
                None => &mut counts.unlinked,
            } += 1;
        }
        counts
    }

    fn links(&self, window: Window) -> Vec<Link> {
        let newest = self.troubles.iter().rev().filter(|(one, _)| window.holds(one.detected_at));
        let tied = newest.filter_map(|(trouble, cause)| {
            let (rollout, how) = (*cause)?;
            Some(Link {
                incident: trouble.event,
                detected_at: trouble.detected_at,
                deployment: *rollout.events.first()?,
                deployed_at: rollout.finished_at,
                link: how,
                confidence: how.confidence(),
            })
        });
        tied.take(MOST_LINKS).collect()
    }
}

//! Which deployment an incident came from.

use std::time::Duration;

use rr_domain::Timestamp;

use super::Evidence;
use super::incidents::Trouble;
use super::rollouts::Rollout;

/// For how long a deployment is suspected of what happens next, and an incident of causing what is
/// deployed next.
pub(super) const SUSPICION: Duration = Duration::from_secs(24 * 3_600);

/// The deployment, by its place in the list, and what speaks for it: the first kind of evidence that
/// finds one decides, and of several deployments the last.
pub(super) fn cause(
    trouble: &Trouble<'_>,
    rollouts: &[Rollout<'_>],
    taken_back: &[Option<usize>],
) -> Option<(usize, Evidence)> {
    let last = |is_it: &dyn Fn(usize, &Rollout<'_>) -> bool| {
        let found = rollouts.iter().enumerate().rfind(|(at, one)| one.succeeded && is_it(*at, one));
        found.map(|(index, _)| index)
    };
    let own_service = |one: &Rollout<'_>| trouble.service.is_none_or(|s| s == one.place.service);
    let here = |one: &Rollout<'_>| own_service(one) && one.place.environment == trouble.environment;
    let before = |one: &Rollout<'_>| one.finished_at <= trouble.detected_at;
    let named = |one: &Rollout<'_>| trouble.caused_by.is_some_and(|name| one.is_called(name));

    // An id may mean something in two places: then it is the incident's own that is meant.
    last(&|_, one| named(one) && here(one))
        .or_else(|| last(&|_, one| named(one) && own_service(one)))
        .or_else(|| last(&|_, one| named(one)))
        .map(|index| (index, Evidence::Id))
        .or_else(|| {
            let same = |one: &Rollout<'_>| trouble.chain.is_some() && one.chain == trouble.chain;
            last(&|_, one| same(one) && before(one)).map(|index| (index, Evidence::Chain))
        })
        .or_else(|| {
            let same =
                |one: &Rollout<'_>| trouble.artifact.is_some() && one.artifact == trouble.artifact;
            last(&|_, one| same(one) && here(one) && before(one))
                .map(|index| (index, Evidence::Artifact))
        })
        .or_else(|| {
            trouble.service?;
            last(&|at, one| here(one) && before(one) && undone(trouble, at, rollouts, taken_back))
                .map(|index| (index, Evidence::Rollback))
        })
        .or_else(|| {
            trouble.service?;
            let since = trouble.detected_at.minus(SUSPICION);
            last(&|_, one| here(one) && before(one) && one.finished_at >= since)
                .map(|index| (index, Evidence::Time))
        })
}

/// Whether the deployment was taken back while the incident was on, or soon after it began.
fn undone(
    trouble: &Trouble<'_>,
    index: usize,
    rollouts: &[Rollout<'_>],
    taken_back: &[Option<usize>],
) -> bool {
    let until: Timestamp =
        trouble.resolved_at.unwrap_or_else(|| trouble.detected_at.plus(SUSPICION));
    rollouts.iter().zip(taken_back).any(|(rollout, target)| {
        *target == Some(index) && (trouble.detected_at..=until).contains(&rollout.finished_at)
    })
}

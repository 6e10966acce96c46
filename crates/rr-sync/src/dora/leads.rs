//! How long commits waited until they ran.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rr_domain::{Meaning, Timestamp};

use super::Told;
use super::rollouts::Rollout;

/// What is known about commits: when each was made, and which came before it.
pub(super) struct Commits<'a> {
    made: HashMap<&'a str, Timestamp>,
    parents: HashMap<&'a str, &'a str>,
}

/// How far back a deployment's commits are followed.
const MOST_STEPS: usize = 10_000;

impl<'a> Commits<'a> {
    /// Reads the changes, and what deployments say about their own commits. Of two that disagree about
    /// a commit, the earlier time counts, and the order that was told first.
    pub(super) fn read(told: &'a [Told], end: Timestamp) -> Commits<'a> {
        let mut in_order: Vec<&Told> = told.iter().collect();
        in_order.sort_unstable_by_key(|told| (told.at, told.seq));
        let mut commits = Commits { made: HashMap::new(), parents: HashMap::new() };
        for told in in_order {
            let (list, previous) = match &told.meaning {
                Meaning::Change(change) if told.at < end => {
                    (&change.commits, change.previous.as_deref())
                }
                Meaning::Deployment(said) => (&said.commits, None),
                _ => continue,
            };
            for commit in list {
                if let Some(at) = commit.committed_at {
                    let made = commits.made.entry(&commit.sha).or_insert(at);
                    *made = at.min(*made);
                }
            }
            if matches!(told.meaning, Meaning::Change(_)) {
                let mut before = previous;
                for commit in list {
                    if let Some(parent) = before {
                        commits.parents.entry(&commit.sha).or_insert(parent);
                    }
                    before = Some(&commit.sha);
                }
            }
        }
        commits
    }

    /// The commits that a deployment brings: those it names, and those between the one it stands at and
    /// one that ran before, where the changes tell of all of them.
    fn of(&self, rollout: &Rollout<'a>, deployed: &HashSet<&'a str>) -> HashSet<&'a str> {
        let mut own: HashSet<&str> =
            rollout.commits.iter().map(|commit| commit.sha.as_str()).collect();
        let Some(head) = rollout.commits.last() else { return own };
        let (mut at, mut between) = (head.sha.as_str(), Vec::new());
        for _ in 0..MOST_STEPS {
            if deployed.contains(at) || rollout.previous == Some(at) {
                own.extend(between);
                break;
            }
            between.push(at);
            let Some(parent) = self.parents.get(at) else { break };
            at = parent;
        }
        own
    }
}

/// For each deployment of one place, the oldest first, how long the commits took that it is the first
/// to bring. A clock that went backwards says nothing.
pub(super) fn leads<'a>(
    rollouts: &[&Rollout<'a>],
    commits: &Commits<'a>,
) -> Vec<(Timestamp, Duration)> {
    let mut deployed: HashSet<&str> = HashSet::new();
    let mut leads = Vec::new();
    for rollout in rollouts {
        let new = commits.of(rollout, &deployed);
        for sha in new {
            let made = commits.made.get(sha).filter(|made| **made <= rollout.finished_at);
            if let Some(made) = made.filter(|_| !deployed.contains(sha)) {
                leads.push((rollout.finished_at, rollout.finished_at.since(*made)));
            }
            deployed.insert(sha);
        }
        deployed.extend(rollout.previous);
    }
    leads
}

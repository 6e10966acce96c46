//! How long commits waited until they ran.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rr_domain::{Commit, Meaning, Timestamp};

use super::Told;
use super::rollouts::Rollout;

/// What is known about commits: when each was made, and which came before it. Of a change nothing else is
/// kept: there are many more of them than of deployments.
#[derive(Debug, Default)]
pub struct Commits(HashMap<Arc<str>, Known>);

/// What is known about one commit.
#[derive(Debug, Default)]
struct Known {
    made: Option<Timestamp>,
    parent: Option<Arc<str>>,
}

/// How far back a deployment's commits are followed.
const MOST_STEPS: usize = 10_000;

impl Commits {
    /// Reads a change that was told of before the end of the window, or what a deployment says about its own
    /// commits. Of two that disagree about a commit, the earlier time counts, and the order that was told
    /// first: changes are to be told in the order of their times.
    pub fn tell(&mut self, told: &Told) {
        match &told.meaning {
            Meaning::Change(change) => {
                let mut before = change.previous.as_deref().map(Arc::from);
                for commit in &change.commits {
                    let (sha, known) = self.know(commit);
                    if let Some(parent) = before.replace(sha) {
                        known.parent.get_or_insert(parent);
                    }
                }
            }
            Meaning::Deployment(said) => {
                for commit in &said.commits {
                    self.know(commit);
                }
            }
            _ => {}
        }
    }

    /// How many commits are known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn know(&mut self, commit: &Commit) -> (Arc<str>, &mut Known) {
        let there = self.0.get_key_value(commit.sha.as_str()).map(|(sha, _)| Arc::clone(sha));
        let sha = there.unwrap_or_else(|| Arc::from(commit.sha.as_str()));
        let known = self.0.entry(Arc::clone(&sha)).or_default();
        if let Some(at) = commit.committed_at {
            known.made = Some(known.made.map_or(at, |made| made.min(at)));
        }
        (sha, known)
    }

    fn made(&self, sha: &str) -> Option<Timestamp> {
        self.0.get(sha)?.made
    }

    fn parent(&self, sha: &str) -> Option<&str> {
        self.0.get(sha)?.parent.as_deref()
    }

    /// The commits that a deployment brings: those it names, and those between the one it stands at and
    /// one that ran before, where the changes tell of all of them.
    fn of<'a>(&'a self, rollout: &Rollout<'a>, deployed: &HashSet<&'a str>) -> HashSet<&'a str> {
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
            let Some(parent) = self.parent(at) else { break };
            at = parent;
        }
        own
    }
}

/// For each deployment of one place, the oldest first, how long the commits took that it is the first
/// to bring. A clock that went backwards says nothing.
pub(super) fn leads<'a>(
    rollouts: &[&Rollout<'a>],
    commits: &'a Commits,
) -> Vec<(Timestamp, Duration)> {
    let mut deployed: HashSet<&str> = HashSet::new();
    let mut leads = Vec::new();
    for rollout in rollouts {
        let new = commits.of(rollout, &deployed);
        for sha in new {
            let made = commits.made(sha).filter(|made| *made <= rollout.finished_at);
            if let Some(made) = made.filter(|_| !deployed.contains(sha)) {
                leads.push((rollout.finished_at, rollout.finished_at.since(made)));
            }
            deployed.insert(sha);
        }
        deployed.extend(rollout.previous);
    }
    leads
}

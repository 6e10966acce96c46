//! The places that figures are asked for, and which deployments bear on them.

use std::collections::HashSet;

use rr_domain::{Deployment, Meaning};

use super::{Told, environment_name};

/// Which places: all, or those of one service, of one environment, or of both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    service: Option<String>,
    environment: Option<String>,
}

impl Asked {
    /// Reads what somebody calls them.
    pub fn new(service: Option<String>, environment: Option<&str>) -> Asked {
        Asked { service, environment: environment.map(|name| environment_name(Some(name))) }
    }

    /// Whether a place is among them; its environment is named as the figures name it.
    pub(crate) fn holds(&self, service: &str, environment: &str) -> bool {
        self.service.as_ref().is_none_or(|asked| asked == service)
            && self.environment.as_ref().is_none_or(|asked| asked == environment)
    }

    fn is_all(&self) -> bool {
        *self == Asked::default()
    }
}

/// Tells the deployments that bear on the asked places from all others: those of the places, and those that
/// an incident names, because an incident counts where the deployment was that caused it. Every step of a
/// deployment has to be looked at before it is known which of them to keep.
#[derive(Debug)]
pub struct Relevance {
    asked: Asked,
    /// Names of causes, of chains of events and of artifacts.
    named: HashSet<String>,
    /// Service and id of deployments whose steps are kept.
    kept: HashSet<(String, String)>,
}

impl Relevance {
    /// What the incidents tell.
    pub fn new(asked: Asked, incidents: &[Told]) -> Relevance {
        let mut named = HashSet::new();
        for told in incidents {
            if let Meaning::Incident(incident) = &told.meaning {
                let said = [&incident.caused_by, &incident.chain, &incident.artifact];
                named.extend(said.into_iter().flatten().cloned());
            }
        }
        Relevance { asked, named, kept: HashSet::new() }
    }

    /// Whether all deployments are kept, so that none need be looked at.
    pub fn keeps_all(&self) -> bool {
        self.asked.is_all()
    }

    /// Looks at a step of a deployment.
    pub fn look(&mut self, told: &Told) {
        if let Meaning::Deployment(said) = &told.meaning
            && let Some(id) = &said.id
            && self.bears(told, said)
        {
            self.kept.insert((said.service.clone(), id.clone()));
        }
    }

    /// Whether to keep it, once all were looked at.
    pub fn keeps(&self, told: &Told) -> bool {
        let Meaning::Deployment(said) = &told.meaning else { return false };
        self.keeps_all()
            || match &said.id {
                Some(id) => self.kept.contains(&(said.service.clone(), id.clone())),
                None => self.bears(told, said),
            }
    }

    fn bears(&self, told: &Told, said: &Deployment) -> bool {
        let is_named = |name: &str| self.named.contains(name);
        self.asked.holds(&said.service, &environment_name(said.environment.as_deref()))
            || said.id.as_deref().is_some_and(is_named)
            || said.chain.as_deref().is_some_and(is_named)
            || said.artifact.as_deref().is_some_and(is_named)
            || is_named(&told.event.to_string())
    }
}

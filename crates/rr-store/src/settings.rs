//! Switches that the administrator sets.

use serde::{Deserialize, Serialize};

use crate::{Audit, Store, StoreError};

/// Which agents of the DevOps module may run. All may, until somebody says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSwitches {
    /// Revenue tracking.
    pub revenue_tracking: bool,
    /// A/B testing.
    pub ab_testing: bool,
    /// KPI monitoring.
    pub kpi_monitoring: bool,
    /// Deployment.
    pub deployment: bool,
    /// Analytics.
    pub analytics: bool,
}

impl Default for AgentSwitches {
    fn default() -> AgentSwitches {
        AgentSwitches {
            revenue_tracking: true,
            ab_testing: true,
            kpi_monitoring: true,
            deployment: true,
            analytics: true,
        }
    }
}

impl Store {
    /// The switches.
    pub async fn agents(&self) -> Result<AgentSwitches, StoreError> {
        todo!()
    }

    /// Sets the switches.
    pub async fn set_agents(
        &self,
        switches: AgentSwitches,
        audit: Audit,
    ) -> Result<(), StoreError> {
        let _ = (switches, audit);
        todo!()
    }
}

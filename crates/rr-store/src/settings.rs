//! Switches that the administrator sets.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::upsert::excluded;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::conn::on_each;
use crate::schema::settings;
use crate::types::{At, JsonText};
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

const AGENTS: &str = "agents";

impl Store {
    /// The switches.
    pub async fn agents(&self) -> Result<AgentSwitches, StoreError> {
        self.read(|conn| {
            let stored: Option<JsonText> = on_each!(conn, |c| settings::table
                .find(AGENTS)
                .select(settings::value)
                .first(c)
                .optional())?;
            match stored {
                Some(JsonText(text)) => serde_json::from_str(&text)
                    .map_err(|error| Error::DeserializationError(error.into())),
                None => Ok(AgentSwitches::default()),
            }
        })
        .await
    }

    /// Sets the switches.
    pub async fn set_agents(
        &self,
        switches: AgentSwitches,
        audit: Audit,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            let row = SettingRecord {
                name: AGENTS,
                value: JsonText(json!(switches).to_string()),
                updated_at: At(audit.at),
            };
            on_each!(conn, |c| diesel::insert_into(settings::table)
                .values(&row)
                .on_conflict(settings::name)
                .do_update()
                .set((
                    settings::value.eq(excluded(settings::value)),
                    settings::updated_at.eq(excluded(settings::updated_at)),
                ))
                .execute(c))?;
            audit.record(conn, "settings.agents_set", None, &json!(switches))
        })
        .await
    }
}

#[derive(Insertable)]
#[diesel(table_name = settings, treat_none_as_default_value = false)]
struct SettingRecord {
    name: &'static str,
    value: JsonText,
    updated_at: At,
}

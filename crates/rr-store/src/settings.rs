//! Switches that the administrator sets.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::result::Error;
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
            stored.map_or_else(|| Ok(AgentSwitches::default()), parse)
        })
        .await
    }

    /// Changes the switches and returns them as they are then. Of two changes made at once, each
    /// starts from what the other left.
    pub async fn change_agents(
        &self,
        change: impl Fn(&mut AgentSwitches) + Send + 'static,
        audit: Audit,
    ) -> Result<AgentSwitches, StoreError> {
        self.write(move |conn| {
            let row = SettingRecord {
                name: AGENTS,
                value: text(AgentSwitches::default()),
                updated_at: At(audit.at),
            };
            on_each!(conn, |c| diesel::insert_into(settings::table)
                .values(&row)
                .on_conflict_do_nothing()
                .execute(c))?;
            // An update that only touches the row locks it until the end of the transaction.
            let stored: JsonText =
                on_each!(conn, |c| diesel::update(settings::table.find(AGENTS))
                    .set(settings::updated_at.eq(At(audit.at)))
                    .returning(settings::value)
                    .get_result(c))?;
            let mut switches = parse(stored)?;
            change(&mut switches);
            on_each!(conn, |c| diesel::update(settings::table.find(AGENTS))
                .set(settings::value.eq(text(switches)))
                .execute(c))?;
            audit.record(conn, "settings.agents_set", None, &json!(switches))?;
            Ok(switches)
        })
        .await
    }
}

fn parse(JsonText(text): JsonText) -> QueryResult<AgentSwitches> {
    serde_json::from_str(&text).map_err(|error| Error::DeserializationError(error.into()))
}

fn text(switches: AgentSwitches) -> JsonText {
    JsonText(json!(switches).to_string())
}

#[derive(Insertable)]
#[diesel(table_name = settings, treat_none_as_default_value = false)]
struct SettingRecord {
    name: &'static str,
    value: JsonText,
    updated_at: At,
}

//! `/api/devops/config`: the switches of the DevOps module's agents, and where things are. Never a
//! secret of a third party: its script runs in browsers.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rr_store::AgentSwitches;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Administrator, Allowed, ReadMetrics};
use crate::body::Body;
use crate::problem::Outcome;
use crate::settings::HttpSettings;
use crate::state::AppState;

/// The configuration, as the script expects it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Config {
    #[schema(example = "success")]
    status: &'static str,
    data: ConfigData,
}

/// What is configured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfigData {
    enabled: bool,
    agents: Agents,
    site_url: String,
    admin_url: String,
}

/// Which agents may run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agents {
    revenue_tracking: bool,
    ab_testing: bool,
    kpi_monitoring: bool,
    deployment: bool,
    analytics: bool,
}

/// Changes to the configuration; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigChange {
    agents: AgentsChange,
}

/// Changes to the switches; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentsChange {
    revenue_tracking: Option<bool>,
    ab_testing: Option<bool>,
    kpi_monitoring: Option<bool>,
    deployment: Option<bool>,
    analytics: Option<bool>,
}

/// The switches and addresses.
#[utoipa::path(get, path = "/api/devops/config", operation_id = "show_config", tag = "config",
    responses((status = 200, description = "The configuration", body = Config)))]
pub(crate) async fn get(_: Allowed<ReadMetrics>, state: Data<AppState>) -> Outcome<HttpResponse> {
    let agents = state.store.agents().await?;
    Ok(HttpResponse::Ok().json(config(agents, &state.settings)))
}

/// Sets switches.
#[utoipa::path(patch, path = "/api/devops/config", operation_id = "change_config", tag = "config", request_body = ConfigChange,
    responses((status = 200, description = "The configuration now", body = Config)))]
pub(crate) async fn patch(
    who: Administrator,
    request: HttpRequest,
    state: Data<AppState>,
    body: Body,
) -> Outcome<HttpResponse> {
    let change: ConfigChange = body.json().await?;
    let audit = state.audit(&who.caller, &request);
    let apply = move |agents: &mut AgentSwitches| change.agents.apply(agents);
    let agents = state.store.change_agents(apply, audit).await?;
    Ok(HttpResponse::Ok().json(config(agents, &state.settings)))
}

impl AgentsChange {
    fn apply(&self, agents: &mut AgentSwitches) {
        let set = |switch: &mut bool, change: Option<bool>| *switch = change.unwrap_or(*switch);
        set(&mut agents.revenue_tracking, self.revenue_tracking);
        set(&mut agents.ab_testing, self.ab_testing);
        set(&mut agents.kpi_monitoring, self.kpi_monitoring);
        set(&mut agents.deployment, self.deployment);
        set(&mut agents.analytics, self.analytics);
    }
}

fn config(agents: AgentSwitches, settings: &HttpSettings) -> Config {
    let AgentSwitches { revenue_tracking, ab_testing, kpi_monitoring, deployment, analytics } =
        agents;
    // Never what the request calls the server: that is the caller's choice.
    let site = settings.public_url.as_ref().unwrap_or(&settings.listen_url).trim_end_matches('/');
    Config {
        status: "success",
        data: ConfigData {
            enabled: true,
            agents: Agents { revenue_tracking, ab_testing, kpi_monitoring, deployment, analytics },
            site_url: site.to_owned(),
            admin_url: format!("{site}/admin/embedded-widget"),
        },
    }
}

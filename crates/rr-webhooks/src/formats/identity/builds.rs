//! Builds, and runs of pipelines.

use proptest::prelude::*;
use rr_domain::{Build, Meaning, Progress};
use serde_json::{Value, json};

use super::{cdevent, free, gitlab_time, name, number, progress, read, sha, time, word};

prop_compose! {
    fn build()(
        id in 1_u64..1_000_000_000, service in name(), pipeline in name(), commit in sha(),
        result in progress(), started_at in time(), finished in time(),
    ) -> Build {
        Build {
            id: Some(id.to_string()), service, name: Some(pipeline), commit: Some(commit), result,
            started_at: Some(started_at), finished_at: result.end(Some(finished)), chain: None,
        }
    }
}

/// What CDEvents can say: no commit, and one time, when it happened.
fn of_cdevents(built: Build, chain: String) -> Build {
    let started_at = built.started_at.filter(|_| built.result == Progress::Running);
    Build { commit: None, started_at, chain: Some(chain), ..built }
}

/// The event that a step of it is.
fn step(subject: &str, built: &Build, content: Value) -> Value {
    let predicate = if built.result == Progress::Running { "started" } else { "finished" };
    let at = built.started_at.or(built.finished_at);
    let whole = json!({"id": built.id, "content": content});
    cdevent(&format!("{subject}.{predicate}"), at, &built.chain, whole)
}

proptest! {
    #[test]
    fn a_run_of_github(built in build()) {
        let conclusion = (built.result != Progress::Running).then(|| word(built.result));
        let body = json!({
            "action": "completed",
            "workflow_run": {
                "id": number(&built.id), "name": built.name, "head_sha": built.commit,
                "conclusion": conclusion, "run_started_at": built.started_at,
                "updated_at": built.finished_at.or(built.started_at),
            },
            "repository": {"name": built.service},
        });
        let meaning = read(&[("x-github-event", b"workflow_run")], &body);
        prop_assert_eq!(meaning, Meaning::Build(built));
    }

    #[test]
    fn a_pipeline_of_gitlab(built in build()) {
        let body = json!({
            "object_kind": "pipeline",
            "object_attributes": {
                "id": number(&built.id), "name": built.name, "sha": built.commit,
                "status": word(built.result), "created_at": gitlab_time(built.started_at),
                "finished_at": gitlab_time(built.finished_at),
            },
            "project": {"name": built.service},
        });
        let meaning = read(&[("x-gitlab-event", b"Pipeline Hook")], &body);
        prop_assert_eq!(meaning, Meaning::Build(built));
    }

    #[test]
    fn a_run_of_cdevents(built in build(), chain in name()) {
        let service = built.name.clone().unwrap();
        let built = Build { service, ..of_cdevents(built, chain) };
        let content = json!({"pipelineName": built.name, "outcome": word(built.result)});
        prop_assert_eq!(read(&[], &step("pipelinerun", &built, content)), Meaning::Build(built));
    }

    #[test]
    fn a_build_of_cdevents(built in build(), chain in name()) {
        // It has no name, and its end says nothing about how it ended.
        let (service, name) = (built.id.clone().unwrap(), None);
        let result = match built.result {
            Progress::Running => Progress::Running,
            _ => Progress::Succeeded,
        };
        let built = Build { service, name, result, ..of_cdevents(built, chain) };
        prop_assert_eq!(read(&[], &step("build", &built, json!({}))), Meaning::Build(built));
    }

    #[test]
    fn a_build_in_free_form(built in build(), below in any::<bool>()) {
        let members = json!({
            "id": number(&built.id), "service": built.service, "pipeline": built.name,
            "commit": built.commit, "status": word(built.result),
            "started_at": built.started_at, "finished_at": built.finished_at,
        });
        let meaning = read(&[], &free("build", members, below));
        prop_assert_eq!(meaning, Meaning::Build(built));
    }
}

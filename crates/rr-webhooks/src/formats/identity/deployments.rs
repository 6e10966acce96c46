//! Deployments.

use proptest::prelude::*;
use rr_domain::{Commit, Deployment, Meaning, Progress, Trigger};
use serde_json::{Value, json};

use super::{
    cdevent, commits, free, gitlab_time, name, number, progress, read, relation, sha, time, word,
};

prop_compose! {
    /// A deployment as most formats carry it.
    fn deployment()(
        id in 1_u64..1_000_000_000, service in name(), environment in name(), result in progress(),
        started_at in time(), finished in time(), artifact in name(), sha in sha(),
    ) -> Deployment {
        Deployment {
            id: Some(id.to_string()), service, environment: Some(environment), result,
            started_at: Some(started_at), finished_at: result.end(Some(finished)),
            artifact: Some(artifact), commits: vec![Commit { sha, committed_at: None }],
            previous: None, trigger: Trigger::Planned, rolls_back: None, chain: None,
        }
    }
}

prop_compose! {
    /// Why it was made, in the formats that say so.
    fn reason()(back in prop::option::of(name()), hotfix in any::<bool>()) -> (Trigger, Option<String>) {
        match back {
            Some(id) => (Trigger::Rollback, Some(id)),
            None if hotfix => (Trigger::Hotfix, None),
            None => (Trigger::Planned, None),
        }
    }
}

/// What both of GitHub's events about a deployment hold.
fn github(built: &Deployment) -> Value {
    json!({
        "action": "created",
        "deployment": {
            "id": number(&built.id), "sha": built.commits[0].sha, "ref": built.artifact,
            "task": built.trigger, "environment": built.environment,
            "created_at": built.started_at, "payload": {"rolls_back": built.rolls_back},
        },
        "repository": {"name": built.service, "full_name": "octo/x"},
    })
}

proptest! {
    #[test]
    fn a_deployment_of_github(built in deployment(), (trigger, rolls_back) in reason()) {
        let result = Progress::Running;
        let built = Deployment { result, finished_at: None, trigger, rolls_back, ..built };
        let meaning = read(&[("x-github-event", b"deployment")], &github(&built));
        prop_assert_eq!(meaning, Meaning::Deployment(built));
    }

    #[test]
    fn a_status_of_a_deployment_of_github(built in deployment(), (trigger, rolls_back) in reason()) {
        let built = Deployment { trigger, rolls_back, ..built };
        let mut body = github(&built);
        body["deployment"]["environment"] = json!("as planned");
        body["deployment_status"] = json!({
            "state": word(built.result), "environment": built.environment,
            "created_at": built.finished_at,
        });
        let meaning = read(&[("x-github-event", b"deployment_status")], &body);
        prop_assert_eq!(meaning, Meaning::Deployment(built));
    }

    #[test]
    fn a_deployment_of_gitlab(built in deployment()) {
        let started_at = if built.result == Progress::Running { built.started_at } else { None };
        let built = Deployment { started_at, ..built };
        let body = json!({
            "object_kind": "deployment", "status": word(built.result),
            "status_changed_at": gitlab_time(built.started_at.or(built.finished_at)),
            "deployment_id": number(&built.id), "environment": built.environment,
            "project": {"name": built.service}, "ref": built.artifact,
            "commit_url": format!("https://gitlab.example.com/-/commit/{}", built.commits[0].sha),
        });
        let meaning = read(&[("x-gitlab-event", b"Deployment Hook")], &body);
        prop_assert_eq!(meaning, Meaning::Deployment(built));
    }

    #[test]
    fn a_sync_of_argo_cd(built in deployment()) {
        let id = Some(format!("{}@{}", built.service, built.started_at.unwrap()));
        let built = Deployment { id, artifact: None, ..built };
        let body = json!({"app": {
            "metadata": {"name": built.service},
            "spec": {"destination": {"namespace": built.environment}},
            "status": {"operationState": {
                "phase": word(built.result), "startedAt": built.started_at,
                "finishedAt": built.finished_at,
                "syncResult": {"revision": built.commits[0].sha},
            }},
        }});
        // Application names are short; a longer one makes an id that is no name, and then none.
        prop_assert_eq!(read(&[], &body), Meaning::Deployment(built));
    }

    #[test]
    fn a_deployment_of_cdevents(built in deployment(), predicate in 0..3_usize, chain in name()) {
        let predicate = ["deployed", "upgraded", "rolledback"][predicate];
        let back = predicate == "rolledback";
        let built = Deployment {
            result: Progress::Succeeded, started_at: None, finished_at: built.started_at,
            commits: Vec::new(), chain: Some(chain),
            trigger: if back { Trigger::Rollback } else { Trigger::Planned },
            rolls_back: back.then(|| "the one before".to_owned()),
            ..built
        };
        let subject = json!({"id": built.service, "content": {
            "environment": {"id": built.environment}, "artifactId": built.artifact,
        }});
        let kind = format!("service.{predicate}");
        let mut body = cdevent(&kind, built.finished_at, &built.chain, subject);
        body["context"]["id"] = json!(built.id);
        body["context"]["links"] = relation("ROLLBACK", &built.rolls_back);
        prop_assert_eq!(read(&[], &body), Meaning::Deployment(built));
    }

    #[test]
    fn a_deployment_in_free_form(
        built in deployment(), (trigger, rolls_back) in reason(), previous in sha(),
        list in prop::collection::vec((sha(), time()), 1..4), below in any::<bool>(),
    ) {
        let list =
            list.into_iter().map(|(sha, at)| Commit { sha, committed_at: Some(at) }).collect();
        let built = Deployment {
            trigger, rolls_back, previous: Some(previous), commits: list, ..built
        };
        let members = json!({
            "id": number(&built.id), "service": built.service,
            "environment": built.environment, "status": word(built.result),
            "started_at": built.started_at, "finished_at": built.finished_at,
            "version": built.artifact, "commits": commits(&built.commits),
            "previous_commit": built.previous, "trigger": built.trigger,
            "rolls_back": built.rolls_back,
        });
        let meaning = read(&[], &free("deployment", members, below));
        prop_assert_eq!(meaning, Meaning::Deployment(built));
    }
}

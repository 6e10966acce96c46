//! Pushes, merges and releases.

use proptest::prelude::*;
use rr_domain::{Change, Commit, Meaning};
use serde_json::json;

use super::{cdevent, commits, gitlab_time, name, read, sha, time};

prop_compose! {
    fn change()(
        service in name(), reference in name(), previous in sha(),
        commits in prop::collection::vec((sha(), time()), 1..5),
    ) -> Change {
        let commits: Vec<Commit> = commits
            .into_iter()
            .map(|(sha, at)| Commit { sha, committed_at: Some(at) })
            .collect();
        let last = commits.last().unwrap().clone();
        Change {
            id: Some(last.sha), service, reference: Some(reference), commits,
            previous: Some(previous), merged_at: last.committed_at,
        }
    }
}

prop_compose! {
    fn release()(service in name(), tag in name(), at in time()) -> Change {
        Change {
            reference: Some(format!("refs/tags/{tag}")), id: Some(tag), service,
            commits: Vec::new(), previous: None, merged_at: Some(at),
        }
    }
}

proptest! {
    #[test]
    fn a_push(built in change(), gitlab in any::<bool>()) {
        let body = json!({
            "object_kind": "push", "ref": built.reference, "before": built.previous,
            "after": built.id, "commits": commits(&built.commits),
            "head_commit": {"timestamp": built.merged_at},
            "repository": {"name": built.service}, "project": {"name": built.service},
        });
        let fields: [(&str, &[u8]); 1] =
            if gitlab { [("x-gitlab-event", b"Push Hook")] } else { [("x-github-event", b"push")] };
        prop_assert_eq!(read(&fields, &body), Meaning::Change(built));
    }

    #[test]
    fn a_release_of_github(built in release()) {
        let body = json!({
            "action": "published",
            "release": {"tag_name": built.id, "published_at": built.merged_at},
            "repository": {"name": built.service},
        });
        prop_assert_eq!(read(&[("x-github-event", b"release")], &body), Meaning::Change(built));
    }

    #[test]
    fn a_release_of_gitlab(built in release(), sha in sha(), at in time()) {
        let built = Change { commits: vec![Commit { sha, committed_at: Some(at) }], ..built };
        let body = json!({
            "object_kind": "release", "action": "create", "tag": built.id,
            "released_at": gitlab_time(built.merged_at), "commit": commits(&built.commits)[0],
            "project": {"name": built.service},
        });
        let meaning = read(&[("x-gitlab-event", b"Release Hook")], &body);
        prop_assert_eq!(meaning, Meaning::Change(built));
    }

    #[test]
    fn a_change_of_cdevents(id in name(), service in name(), at in time()) {
        let subject = json!({"id": id, "content": {"repository": {"id": service}}});
        let built = Change {
            id: Some(id), service, reference: None, commits: Vec::new(), previous: None,
            merged_at: Some(at),
        };
        let body = cdevent("change.merged", built.merged_at, &None, subject);
        prop_assert_eq!(read(&[], &body), Meaning::Change(built));
    }
}

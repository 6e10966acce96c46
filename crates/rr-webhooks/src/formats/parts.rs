//! The parts of a meaning, over what the tools really send.

use serde_json::{Value, json};

use super::vectors::{
    ALERTS, BARE_CDEVENT, GITHUB_DEPLOYMENT, GITHUB_PUSH, GITHUB_RUN, PAGERDUTY, UNKNOWN, event,
    events, meaning,
};
use crate::Meaning;

/// The parts say what the whole says.
#[test]
fn kind_subject_service_and_state_are_those_of_the_whole() {
    let one = [GITHUB_DEPLOYMENT, BARE_CDEVENT, GITHUB_RUN, GITHUB_PUSH, PAGERDUTY];
    let all = one.into_iter().map(event).chain(events(ALERTS));
    let mut kinds = std::collections::BTreeSet::new();
    for event in all {
        let (whole, read) = (meaning(&event), &event.meaning);
        let state = if whole["result"].is_null() { &whole["state"] } else { &whole["result"] };
        assert_eq!(json!(read.kind()), whole["kind"]);
        assert_eq!(json!(read.subject()), whole["id"]);
        assert_eq!(json!(read.service()), whole["service"]);
        assert_eq!(json!(read.environment()), whole["environment"]);
        assert_eq!(json!(read.state()), *state);
        let ends = |name: &&String| name.ends_with("_at");
        let times = whole.as_object().unwrap().keys().filter(ends).count();
        assert_eq!(read.times().count(), times, "{whole}");
        kinds.extend(read.kind());
    }
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    let other = event(UNKNOWN).meaning;
    assert_eq!((other.kind(), other.times().count()), (None, 0));
}

/// They are kept as JSON, so each has to come back as it was.
#[test]
fn a_meaning_reads_back() {
    for sent in [GITHUB_DEPLOYMENT, BARE_CDEVENT, GITHUB_RUN, GITHUB_PUSH, PAGERDUTY, UNKNOWN] {
        let meaning = event(sent).meaning;
        let kept: Value = serde_json::to_value(&meaning).unwrap();
        assert_eq!(serde_json::from_value::<Meaning>(kept).unwrap(), meaning);
    }
}

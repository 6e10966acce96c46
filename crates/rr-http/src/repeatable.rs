//! What an answer about a wrong request repeats of it.

/// A name that a client has sent, as far as an answer repeats it. One that is longer than any of ours may be
/// a secret in the wrong place.
pub(crate) fn repeatable(name: &str) -> &str {
    const LONGEST: usize = 32;
    if name.len() <= LONGEST && !name.contains(char::is_control) { name } else { "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_ours_can_be_repeated() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut waiting = vec![&document];
        let mut names = Vec::new();
        while let Some(value) = waiting.pop() {
            let members = value["properties"].as_object().into_iter().flat_map(|own| own.keys());
            names.extend(members.map(String::as_str));
            names.extend(value["in"].as_str().and(value["name"].as_str()));
            waiting.extend(value.as_object().into_iter().flat_map(|own| own.values()));
            waiting.extend(value.as_array().into_iter().flatten());
        }
        assert!(names.len() > 100);
        for name in names {
            assert_eq!(repeatable(name), name);
        }
    }
}

//! Where a setting comes from: flag, environment, file, in this order, else its default.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::secret::Secret;

/// The name of one setting: its key in the file and its environment variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// Dotted path in the file, such as `http.bind`.
    pub(crate) key: &'static str,
    /// Environment variable, such as `RR_BIND`.
    pub(crate) variable: &'static str,
}

impl Setting {
    /// A setting with both its names.
    pub(crate) const fn new(key: &'static str, variable: &'static str) -> Setting {
        Setting { key, variable }
    }
}

/// A configuration that cannot be used; its text is one line that names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ConfigError(pub(crate) String);

/// Everything that was configured, not yet typed.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The file that was read, if there was one.
    pub(crate) file: Option<PathBuf>,
    values: BTreeMap<String, Vec<String>>,
    environment: BTreeMap<String, String>,
    flags: BTreeMap<&'static str, (&'static str, String)>,
    known: BTreeSet<String>,
}

/// The values of one setting and where they stood.
struct Found {
    values: Vec<String>,
    origin: Origin,
}

/// Where a value stood.
enum Origin {
    Flag(&'static str),
    Environment(&'static str),
    File(PathBuf, String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) => write!(f, "--{name}"),
            Origin::Environment(name) => f.write_str(name),
            Origin::File(path, key) => write!(f, "{}: {key}", path.display()),
        }
    }
}

impl Sources {
    /// Takes the environment. Variables that are set to nothing count as not set, because that is
    /// how a template of variables leaves what it does not use.
    pub(crate) fn new(environment: impl IntoIterator<Item = (String, String)>) -> Sources {
        let environment =
            environment.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        Sources { environment, ..Sources::default() }
    }

    /// Sets what a flag says; `name` is the flag without its dashes.
    pub(crate) fn flag(&mut self, setting: Setting, name: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.flags.insert(setting.key, (name, value));
        }
    }

    /// Reads the file's text.
    pub(crate) fn file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| {
                1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
            });
            let reason = error.message().lines().next().unwrap_or("not TOML");
            ConfigError(format!("{}:{line}: {reason}", path.display()))
        })?;
        flatten(path, "", &table, &mut self.values)?;
        self.file = Some(path.to_path_buf());
        Ok(())
    }

    /// A setting read by `parse`, or `default` when it stands nowhere.
    pub(crate) fn parse<T, E: fmt::Display>(
        &mut self,
        setting: Setting,
        default: T,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        Ok(self.optional(setting, parse)?.unwrap_or(default))
    }

    /// A setting read by `parse`, if it stands anywhere.
    pub(crate) fn optional<T, E: fmt::Display>(
        &mut self,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(found) = self.find(setting) else { return Ok(None) };
        let [value] = found.values.as_slice() else {
            return Err(ConfigError(format!(
                "{}: one value is expected, not a list",
                found.origin
            )));
        };
        let value = value.trim();
        parse(value)
            .map(Some)
            .map_err(|reason| ConfigError(format!("{}: {value:?} {reason}", found.origin)))
    }

    /// Like [`Sources::optional`], for a value that may carry a password: an error does not
    /// repeat it.
    pub(crate) fn private<T, E: fmt::Display>(
        &mut self,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(found) = self.find(setting) else { return Ok(None) };
        let value = found.values.concat();
        parse(value.trim())
            .map(Some)
            .map_err(|reason| ConfigError(format!("{}: {reason}", found.origin)))
    }

    /// A list: an array in the file, separated by commas elsewhere.
    pub(crate) fn list<T, E: fmt::Display>(
        &mut self,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        let Some(found) = self.find(setting) else { return Ok(Vec::new()) };
        found
            .values
            .iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(|value| {
                parse(value)
                    .map_err(|reason| ConfigError(format!("{}: {value:?} {reason}", found.origin)))
            })
            .collect()
    }

    /// A secret. Its value is never repeated in an error.
    pub(crate) fn secret(&mut self, setting: Setting) -> Result<Option<Secret>, ConfigError> {
        let Some(found) = self.find(setting) else { return Ok(None) };
        match found.values.as_slice() {
            [value] if !value.chars().any(char::is_control) => {
                Ok(Some(Secret::new(value.trim()))) // a trailing newline comes with `$(cat file)`
            }
            [_] => {
                Err(ConfigError(format!("{}: control characters are not allowed", found.origin)))
            }
            _ => Err(ConfigError(format!("{}: one value is expected, not a list", found.origin))),
        }
    }

    /// A list of which an error names the place of a value, and never the value.
    pub(crate) fn secret_list<T, E: fmt::Display>(
        &mut self,
        setting: Setting,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        let Some(found) = self.find(setting) else { return Ok(Vec::new()) };
        let values = found.values.iter().flat_map(|value| value.split(','));
        let values = values.map(str::trim).filter(|value| !value.is_empty());
        (1..)
            .zip(values)
            .map(|(place, value)| {
                parse(value).map_err(|reason| {
                    ConfigError(format!("{}: value {place} of the list {reason}", found.origin))
                })
            })
            .collect()
    }

    /// Secrets under names that are not known beforehand: every key below `prefix` in the file and
    /// every variable that starts with `variables`. The environment wins.
    pub(crate) fn family(&mut self, prefix: &str, variables: &str) -> BTreeMap<String, String> {
        let mut family = BTreeMap::new();
        for (key, values) in &self.values {
            if let Some(name) = key.strip_prefix(prefix) {
                family.insert(name.to_lowercase(), values.join(","));
                self.known.insert(key.clone());
            }
        }
        for (variable, value) in &self.environment {
            if let Some(name) = variable.strip_prefix(variables) {
                family.insert(name.to_lowercase(), value.trim().to_owned());
            }
        }
        family
    }

    /// Refuses a file with a key that nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), ConfigError> {
        match self.values.keys().find(|key| !self.known.contains(*key)) {
            Some(key) => {
                let path = self.file.as_deref().unwrap_or(Path::new("configuration"));
                let near = nearest(key, &self.known)
                    .map(|known| format!("; did you mean {known}?"))
                    .unwrap_or_default();
                Err(ConfigError(format!("{}: unknown key {key}{near}", path.display())))
            }
            None => Ok(()),
        }
    }

    fn find(&mut self, setting: Setting) -> Option<Found> {
        self.known.insert(setting.key.to_owned());
        if let Some((name, value)) = self.flags.get(setting.key) {
            return Some(Found { values: vec![value.clone()], origin: Origin::Flag(name) });
        }
        if let Some(value) = self.environment.get(setting.variable) {
            let origin = Origin::Environment(setting.variable);
            return Some(Found { values: vec![value.clone()], origin });
        }
        let values = self.values.get(setting.key)?.clone();
        let path = self.file.clone().unwrap_or_default();
        Some(Found { values, origin: Origin::File(path, setting.key.to_owned()) })
    }
}

/// Nested tables become dotted keys.
fn flatten(
    path: &Path,
    prefix: &str,
    table: &toml::Table,
    into: &mut BTreeMap<String, Vec<String>>,
) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let unreadable = || {
            ConfigError(format!(
                "{}: {key}: a text, a whole number, true or false, or a list of texts is expected",
                path.display()
            ))
        };
        let values = match value {
            toml::Value::Table(inner) => {
                flatten(path, &key, inner, into)?;
                continue;
            }
            toml::Value::Array(items) => {
                items.iter().map(scalar).collect::<Option<Vec<_>>>().ok_or_else(unreadable)?
            }
            single => vec![scalar(single).ok_or_else(unreadable)?],
        };
        into.insert(key, values);
    }
    Ok(())
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The known key that a mistyped one was probably meant to be: the same last word in another
/// table, or one that differs in few letters.
fn nearest<'a>(key: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    known
        .iter()
        .map(|candidate| {
            let same_word = last(candidate) == last(key);
            (if same_word { 1 } else { distance(key, candidate) }, candidate.as_str())
        })
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or exchanged.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
        for (j, b) in right.iter().enumerate() {
            let above = row[j + 1];
            let changed = diagonal + usize::from(a != *b);
            row[j + 1] = changed.min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: Setting = Setting::new("http.port", "RR_PORT");

    fn sources(file: &str, environment: &[(&str, &str)]) -> Sources {
        let pairs = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut sources = Sources::new(pairs);
        sources.file(Path::new("rr.toml"), file).unwrap();
        sources
    }

    fn port(sources: &mut Sources) -> Result<u16, String> {
        sources
            .parse(PORT, 1, |text| text.parse::<u16>().map_err(|_| "is not a port"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
        for (file, environment, flag, expected) in [
            ("", None, None, 1),
            ("http.port = 2", None, None, 2),
            ("[http]\nport = \"2\"", Some("3"), None, 3),
            ("[http]\nport = 2", Some("3"), Some("4"), 4),
            ("http.port = 2", Some("  "), None, 2),
        ] {
            let environment: Vec<_> =
                environment.map(|value| ("RR_PORT", value)).into_iter().collect();
            let mut sources = sources(file, &environment);
            sources.flag(PORT, "port", flag.map(str::to_owned));
            assert_eq!(port(&mut sources), Ok(expected), "{file} {environment:?} {flag:?}");
        }
    }

    #[test]
    fn an_error_is_one_line_that_names_the_setting() {
        assert_eq!(
            port(&mut sources("http.port = 99999", &[])).unwrap_err(),
            "rr.toml: http.port: \"99999\" is not a port"
        );
        assert_eq!(
            port(&mut sources("", &[("RR_PORT", "x")])).unwrap_err(),
            "RR_PORT: \"x\" is not a port"
        );
        assert_eq!(
            port(&mut sources("http.port = [1, 2]", &[])).unwrap_err(),
            "rr.toml: http.port: one value is expected, not a list"
        );
        let mut flagged = sources("", &[]);
        flagged.flag(PORT, "port", Some("-1".into()));
        assert_eq!(port(&mut flagged).unwrap_err(), "--port: \"-1\" is not a port");
    }

    #[test]
    fn a_file_with_unknown_keys_or_bad_syntax_is_refused() {
        let mut misspelt = sources("[http]\nprot = 1", &[]);
        port(&mut misspelt).unwrap();
        assert_eq!(
            misspelt.finish().unwrap_err().to_string(),
            "rr.toml: unknown key http.prot; did you mean http.port?"
        );
        let error = Sources::default().file(Path::new("rr.toml"), "a = 1\nb =").unwrap_err();
        assert!(error.to_string().starts_with("rr.toml:2: "), "{error}");
        let error = Sources::default().file(Path::new("rr.toml"), "a = 1.5").unwrap_err();
        assert!(error.to_string().starts_with("rr.toml: a: a text"), "{error}");
    }

    #[test]
    fn lists_and_families_are_collected() {
        const LIST: Setting = Setting::new("http.list", "RR_LIST");
        let keep = |text: &str| Ok::<_, String>(text.to_owned());
        let mut file = sources("http.list = ['a', 'b,c']\n[p]\nx = '1'\ny = '2'", &[("P_Y", "3")]);
        assert_eq!(file.list(LIST, keep).unwrap(), ["a", "b", "c"]);
        let family: Vec<_> = file.family("p.", "P_").into_iter().collect();
        assert_eq!(family, [("x".into(), "1".into()), ("y".into(), "3".into())]);
        file.finish().unwrap();
        let mut variable = sources("http.list = ['a']", &[("RR_LIST", "d, e ,")]);
        assert_eq!(variable.list(LIST, keep).unwrap(), ["d", "e"]);
    }

    #[test]
    fn a_secret_is_not_repeated_in_its_error() {
        const SECRET: Setting = Setting::new("s", "S");
        let error = sources("", &[("S", "top\nsecret")]).secret(SECRET).unwrap_err().to_string();
        assert_eq!(error, "S: control characters are not allowed");
        let secret = sources("s = 'kept'", &[]).secret(SECRET).unwrap().unwrap();
        assert_eq!(secret.expose(), "kept");
    }
}

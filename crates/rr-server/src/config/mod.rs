//! The configuration: read once, typed, one small struct per concern.
//!
//! Order: defaults, the file (`revenue-ripple.toml` in the working directory, or `--config`), the
//! environment, flags. The file's keys are dotted paths such as `http.bind`; each field's comment
//! names its key, its variable and its default. Relative paths are relative to the working
//! directory. An unknown key in the file or a value that does not parse stops the program with one
//! line that names it.

pub(crate) mod admin;
pub(crate) mod database;
pub(crate) mod exposure;
pub(crate) mod http;
pub(crate) mod keys;
pub(crate) mod leaks;
pub(crate) mod log;
pub(crate) mod origin;
pub(crate) mod secret;
pub(crate) mod services;
pub(crate) mod source;
pub(crate) mod webhook;

use std::path::{Path, PathBuf};

use admin::AdminConfig;
use database::DatabaseConfig;
use http::HttpConfig;
use keys::KeysConfig;
use leaks::LeaksConfig;
use log::LogConfig;
use services::{OpenAiConfig, StripeConfig, SupabaseConfig};
use source::{ConfigError, Sources};
use webhook::WebhookConfig;

/// Everything the program is told.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file that was read, if there was one.
    pub(crate) file: Option<PathBuf>,
    pub(crate) http: HttpConfig,
    pub(crate) database: DatabaseConfig,
    pub(crate) log: LogConfig,
    pub(crate) admin: AdminConfig,
    pub(crate) keys: KeysConfig,
    pub(crate) webhook: WebhookConfig,
    pub(crate) leaks: LeaksConfig,
    pub(crate) stripe: StripeConfig,
    pub(crate) openai: OpenAiConfig,
    pub(crate) supabase: SupabaseConfig,
}

/// What flags say about the configuration; `None` where a flag was not given.
#[derive(Debug, Default, Clone)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) database_url: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) log_format: Option<String>,
    pub(crate) bind: Option<String>,
    pub(crate) public_url: Option<String>,
}

const DEFAULT_FILE: &str = "revenue-ripple.toml";

impl Config {
    /// Reads file, environment and flags.
    pub(crate) fn load(
        flags: Flags,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut sources = Sources::new(environment);
        if let Some((path, text)) = read_file(flags.config.as_deref())? {
            sources.file(&path, &text)?;
        }
        Config::assemble(flags, sources)
    }

    fn assemble(flags: Flags, mut sources: Sources) -> Result<Config, ConfigError> {
        sources.flag(database::URL, "database-url", flags.database_url);
        sources.flag(log::FILTER, "log", flags.log);
        sources.flag(log::FORMAT, "log-format", flags.log_format);
        sources.flag(http::BIND, "bind", flags.bind);
        sources.flag(http::PUBLIC_URL, "public-url", flags.public_url);
        let config = Config {
            http: HttpConfig::read(&mut sources)?,
            database: DatabaseConfig::read(&mut sources)?,
            log: LogConfig::read(&mut sources)?,
            admin: AdminConfig::read(&mut sources)?,
            keys: KeysConfig::read(&mut sources)?,
            webhook: WebhookConfig::read(&mut sources)?,
            leaks: LeaksConfig::read(&mut sources)?,
            stripe: StripeConfig::read(&mut sources)?,
            openai: OpenAiConfig::read(&mut sources)?,
            supabase: SupabaseConfig::read(&mut sources)?,
            file: sources.file.clone(),
        };
        sources.finish()?;
        Ok(config)
    }
}

/// The named file, which must be there, or the usual one, which may be absent.
fn read_file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_path_buf(), text))),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError(format!("{}: cannot be read: {error}", path.display()))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A configuration from a file's text and an environment.
    pub(crate) fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let pairs = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let mut sources = Sources::new(pairs);
        sources.file(Path::new("rr.toml"), file).map_err(|error| error.to_string())?;
        Config::assemble(Flags::default(), sources).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_configured_gives_the_defaults_of_the_contract() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.http.bind.to_string(), "127.0.0.1:5000");
        assert_eq!(config.webhook.max_bytes, 262_144);
        assert_eq!((config.log.filter, config.log.format), (None, log::LogFormat::Text));
        assert!(config.database.url.to_string().contains("data/revenue-ripple.db"));
        assert!(config.webhook.secret.is_none() && config.stripe.secret_key.is_none());
    }

    #[test]
    fn every_setting_is_read_from_its_variable_and_its_key() {
        let file = r#"
            [http]
            bind = "127.0.0.1:1"
            public_url = "https://rr.example.com/"
            allowed_hosts = ["rr.internal"]
            cors_origins = ["https://a.example.com"]
            trusted_proxies = ["10.0.0.0/8", "::1"]
            [database]
            url = "sqlite://elsewhere.db"
            readers = 2
            batch = 8
            queue = 64
            [log]
            filter = "warn,rr_store=debug"
            format = "json"
            [admin]
            email = "Admin@Example.com"
            password = "correct horse"
            [keys]
            peppers = ["2:MTIzNDU2Nzg5MGFiY2RlZg", "1:QUJDREVGR0hJSktMTU5PUA=="]
            plain_hashes = "refuse"
            [webhook]
            secret = "whsec"
            max_bytes = 4096
            [leaks]
            policy = "notify"
            [stripe]
            secret_key = "sk"
            webhook_secret = "wh"
            api_base = "http://127.0.0.1:9/"
            [stripe.prices]
            membership = "price_1"
            [openai]
            api_key = "ok"
            base_url = "http://127.0.0.1:9/v1"
            [supabase]
            url = "https://x.supabase.co"
            jwt_secret = "j"
            service_role_key = "s"
        "#;
        let variables = [
            ("RR_BIND", "127.0.0.1:1"),
            ("RR_PUBLIC_URL", "https://rr.example.com"),
            ("RR_ALLOWED_HOSTS", "RR.internal"),
            ("RR_CORS_ORIGINS", "https://a.example.com"),
            ("RR_TRUSTED_PROXIES", "10.0.0.0/8,::1"),
            ("RR_DATABASE_URL", "sqlite://elsewhere.db"),
            ("RR_DATABASE_READERS", "2"),
            ("RR_DATABASE_BATCH", "8"),
            ("RR_DATABASE_QUEUE", "64"),
            ("RR_LOG", "warn,rr_store=debug"),
            ("RR_LOG_FORMAT", "json"),
            ("RR_ADMIN_EMAIL", "admin@example.com"),
            ("RR_ADMIN_PASSWORD", "correct horse"),
            ("RR_KEY_PEPPERS", "2:MTIzNDU2Nzg5MGFiY2RlZg==, 1:QUJDREVGR0hJSktMTU5PUA"),
            ("RR_KEY_PLAIN_HASHES", "refuse"),
            ("DEVOPS_WEBHOOK_SECRET", "whsec"),
            ("RR_WEBHOOK_MAX_BYTES", "4096"),
            ("RR_LEAK_POLICY", "notify"),
            ("STRIPE_SECRET_KEY", "sk"),
            ("STRIPE_WEBHOOK_SECRET", "wh"),
            ("STRIPE_API_BASE", "http://127.0.0.1:9"),
            ("STRIPE_PRICE_MEMBERSHIP", "price_1"),
            ("OPENAI_API_KEY", "ok"),
            ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
            ("SUPABASE_URL", "https://x.supabase.co"),
            ("SUPABASE_JWT_SECRET", "j"),
            ("SUPABASE_SERVICE_ROLE_KEY", "s"),
        ];
        let mut from_file = load(file, &[]).unwrap();
        let from_variables = load("", &variables).unwrap();
        from_file.file.clone_from(&from_variables.file);
        assert_eq!(format!("{from_file:#?}"), format!("{from_variables:#?}"));
        assert_eq!(from_file.stripe.secret_key.unwrap().expose(), "sk");
        assert_eq!(from_file.admin.email.unwrap().as_str(), "admin@example.com");
    }

    #[test]
    fn what_does_not_parse_stops_the_start_and_names_the_setting() {
        for (variable, value) in [
            ("RR_BIND", "5000"),
            ("RR_BIND", "example.com:80"),
            ("RR_PUBLIC_URL", "rr.example.com"),
            ("RR_CORS_ORIGINS", "*"),
            ("RR_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("RR_DATABASE_URL", "mysql://user:hunter2@host/x"),
            ("RR_DATABASE_READERS", "0"),
            ("RR_DATABASE_BATCH", "0"),
            ("RR_DATABASE_QUEUE", "7"),
            ("RR_LOG", "inof"),
            ("RR_LOG_FORMAT", "xml"),
            ("RR_ADMIN_EMAIL", "nobody"),
            ("RR_ADMIN_PASSWORD", "short"),
            ("RR_WEBHOOK_MAX_BYTES", "-1"),
            ("RR_WEBHOOK_MAX_BYTES", "99999999999999999999"),
            ("RR_KEY_PLAIN_HASHES", "perhaps"),
            ("RR_LEAK_POLICY", "ignore"),
            ("RR_GITHUB_SECRET_SCANNING_KEYS", "no/such/file.json"),
            ("STRIPE_API_BASE", "stripe"),
            ("STRIPE_PRICE_MEMBERSHIP", "two words"),
        ] {
            let error = load("", &[(variable, value)]).unwrap_err();
            assert!(error.starts_with(variable), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let error = load("[http]\nbnid = '127.0.0.1:1'", &[]).unwrap_err();
        assert_eq!(error, "rr.toml: unknown key http.bnid; did you mean http.bind?");
    }

    #[test]
    fn a_named_file_must_be_there() {
        let flags = Flags { config: Some("no/such/file.toml".into()), ..Flags::default() };
        let error = Config::load(flags, []).unwrap_err().to_string();
        assert!(error.starts_with("no/such/file.toml: cannot be read"), "{error}");
    }
}

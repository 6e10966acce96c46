//! The migrations, oldest first. A new one is a folder in both trees and a line here.

/// One migration for both databases.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) sqlite: Scripts,
    pub(super) postgres: Scripts,
}

/// There and back.
pub(super) struct Scripts {
    pub(super) up: &'static str,
    pub(super) down: &'static str,
}

macro_rules! steps {
    ($($name:literal),+ $(,)?) => {
        &[$(Step {
            name: $name,
            sqlite: scripts!("sqlite", $name),
            postgres: scripts!("postgres", $name),
        }),+]
    };
}

macro_rules! scripts {
    ($database:literal, $name:literal) => {
        Scripts {
            up: include_str!(concat!("../../../../migrations/", $database, "/", $name, "/up.sql")),
            down: include_str!(concat!(
                "../../../../migrations/",
                $database,
                "/",
                $name,
                "/down.sql"
            )),
        }
    };
}

pub(super) const MIGRATIONS: &[Step] = steps![
    "0001_users_and_sessions",
    "0002_keys",
    "0003_events",
    "0004_facts",
    "0005_settings_and_activity",
    "0006_ledger",
    "0007_key_usage",
    "0008_key_leaks",
    "0009_meanings",
    "0010_ledger_anew",
    "0011_webhook_sources",
    "0012_payout",
    "0013_turnover",
    "0014_bodies_by_month",
    "0015_lighter_events",
    "0016_key_refusals",
    "0017_rate_limits",
    "0018_pending_secrets",
    "0019_churn_in_time",
    "0020_changed_keys",
    "0021_unsigned_sources",
    "0026_usage_writers",
    "0028_peppers",
    "0030_first_uses",
    "0031_restated_both_ways",
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::MIGRATIONS;

    #[test]
    fn every_folder_of_both_trees_is_listed_in_order() {
        for database in ["sqlite", "postgres"] {
            let folder =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(database);
            let mut found: Vec<String> = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            found.sort();
            let listed: Vec<&str> = MIGRATIONS.iter().map(|step| step.name).collect();
            assert_eq!(found, listed, "{database}");
        }
    }
}

//! The first administrator.

use super::secret::Secret;
use super::source::{ConfigError, Setting, Sources};
use crate::email::Email;

/// `[admin]`: who gets a password as long as nobody can sign in yet.
#[derive(Debug, Clone)]
pub(crate) struct AdminConfig {
    /// `RR_ADMIN_EMAIL`, `admin.email`: the user who is made, or given the password. Default: the
    /// administrator of the demo data when that is there, else nobody.
    pub(crate) email: Option<Email>,
    /// `RR_ADMIN_PASSWORD`, `admin.password`: at least 8 characters. Default: generated where
    /// the demo runs, else none.
    pub(crate) password: Option<Secret>,
}

const EMAIL: Setting = Setting::new("admin.email", "RR_ADMIN_EMAIL");
pub(crate) const PASSWORD: Setting = Setting::new("admin.password", "RR_ADMIN_PASSWORD");

impl AdminConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<AdminConfig, ConfigError> {
        let admin = AdminConfig {
            email: sources.optional(EMAIL, Email::parse)?,
            password: sources.secret(PASSWORD)?,
        };
        match &admin.password {
            Some(password) => rr_http::check_password(password.expose())
                .map(|()| admin.clone())
                .map_err(|reason| ConfigError(format!("{}: {reason}", PASSWORD.variable))),
            None => Ok(admin),
        }
    }
}

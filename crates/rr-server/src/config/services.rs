//! Services outside: Stripe, OpenAI, Supabase. All optional, under the names the old `.env` used.

use std::collections::BTreeMap;

use super::origin;
use super::secret::Secret;
use super::source::{ConfigError, Setting, Sources};

/// `[stripe]`: payments.
#[derive(Debug, Clone)]
pub(crate) struct StripeConfig {
    /// `STRIPE_SECRET_KEY`, `stripe.secret_key`. Default none: payments are off.
    pub(crate) secret_key: Option<Secret>,
    /// `STRIPE_WEBHOOK_SECRET`, `stripe.webhook_secret`: checks the signature of Stripe's events.
    /// Default none.
    pub(crate) webhook_secret: Option<Secret>,
    /// `STRIPE_API_BASE`, `stripe.api_base`. Default `https://api.stripe.com`.
    pub(crate) api_base: String,
    /// `STRIPE_PRICE_*`, `stripe.prices.*`: Stripe's price id per product, by its name in lower
    /// case. Default none.
    pub(crate) prices: BTreeMap<String, String>,
}

/// `[openai]`: the assistant.
#[derive(Debug, Clone)]
pub(crate) struct OpenAiConfig {
    /// `OPENAI_API_KEY`, `openai.api_key`. Default none: the assistant is off.
    pub(crate) api_key: Option<Secret>,
    /// `OPENAI_BASE_URL`, `openai.base_url`. Default `https://api.openai.com/v1`.
    pub(crate) base_url: String,
}

/// `[supabase]`: sign-in with the accounts that are there.
#[derive(Debug, Clone)]
pub(crate) struct SupabaseConfig {
    /// `SUPABASE_URL`, `supabase.url`. Default none.
    pub(crate) url: Option<String>,
    /// `SUPABASE_JWT_SECRET`, `supabase.jwt_secret`. Default none.
    pub(crate) jwt_secret: Option<Secret>,
    /// `SUPABASE_SERVICE_ROLE_KEY`, `supabase.service_role_key`. Default none.
    pub(crate) service_role_key: Option<Secret>,
}

pub(crate) const STRIPE_SECRET_KEY: Setting =
    Setting::new("stripe.secret_key", "STRIPE_SECRET_KEY");
pub(crate) const STRIPE_WEBHOOK_SECRET: Setting =
    Setting::new("stripe.webhook_secret", "STRIPE_WEBHOOK_SECRET");
const STRIPE_API_BASE: Setting = Setting::new("stripe.api_base", "STRIPE_API_BASE");
pub(crate) const OPENAI_API_KEY: Setting = Setting::new("openai.api_key", "OPENAI_API_KEY");
const OPENAI_BASE_URL: Setting = Setting::new("openai.base_url", "OPENAI_BASE_URL");
const SUPABASE_URL: Setting = Setting::new("supabase.url", "SUPABASE_URL");
pub(crate) const SUPABASE_JWT_SECRET: Setting =
    Setting::new("supabase.jwt_secret", "SUPABASE_JWT_SECRET");
pub(crate) const SUPABASE_SERVICE_ROLE_KEY: Setting =
    Setting::new("supabase.service_role_key", "SUPABASE_SERVICE_ROLE_KEY");

impl StripeConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<StripeConfig, ConfigError> {
        let prices = sources.family("stripe.prices.", "STRIPE_PRICE_");
        let is_id =
            |text: &str| !text.is_empty() && text.chars().all(|char| char.is_ascii_graphic());
        if let Some((name, _)) = prices.iter().find(|(_, price)| !is_id(price)) {
            let name = name.to_uppercase();
            return Err(ConfigError(format!("STRIPE_PRICE_{name}: is not the id of a price")));
        }
        Ok(StripeConfig {
            secret_key: sources.secret(STRIPE_SECRET_KEY)?,
            webhook_secret: sources.secret(STRIPE_WEBHOOK_SECRET)?,
            api_base: sources.parse(
                STRIPE_API_BASE,
                "https://api.stripe.com".to_owned(),
                origin::parse_base,
            )?,
            prices,
        })
    }
}

impl OpenAiConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<OpenAiConfig, ConfigError> {
        Ok(OpenAiConfig {
            api_key: sources.secret(OPENAI_API_KEY)?,
            base_url: sources.parse(
                OPENAI_BASE_URL,
                "https://api.openai.com/v1".to_owned(),
                origin::parse_base,
            )?,
        })
    }
}

impl SupabaseConfig {
    pub(crate) fn read(sources: &mut Sources) -> Result<SupabaseConfig, ConfigError> {
        Ok(SupabaseConfig {
            url: sources.optional(SUPABASE_URL, origin::parse_base)?,
            jwt_secret: sources.secret(SUPABASE_JWT_SECRET)?,
            service_role_key: sources.secret(SUPABASE_SERVICE_ROLE_KEY)?,
        })
    }
}

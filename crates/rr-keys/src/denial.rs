//! Why a key does not open the door, in a form that turns into an answer without further thought.

use std::time::Duration;

/// The reason for a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// The text is not a key of this service; nothing was looked up.
    #[error("the key is not valid")]
    Malformed,
    /// A well-formed key that nobody issued.
    #[error("the key is not valid")]
    Unknown,
    /// The key's first instant has not come.
    #[error("the key is not valid yet")]
    NotYetValid,
    /// The key's time is over.
    #[error("the key has expired")]
    Expired,
    /// The key was taken back for good.
    #[error("the key has been revoked")]
    Revoked,
    /// The key is switched off.
    #[error("the key is disabled")]
    Disabled,
    /// This secret of the key has ended: a newer one has replaced it and its grace is over, or it was ended because
    /// it became public.
    #[error("this secret of the key has ended; use the key's present one")]
    Superseded,
    /// The key may not be used from this address.
    #[error("the key may not be used from this address")]
    AddressNotAllowed,
    /// The key is fine and lacks the permission.
    #[error("the key lacks the permission {required}")]
    MissingPermission {
        /// What the request needed.
        required: String,
        /// What of it the key does not grant.
        missing: Vec<String>,
    },
    /// The key has used up its rate.
    #[error("the key has reached its rate limit")]
    RateLimited {
        /// When the next request has a chance.
        retry_after: Duration,
        /// The windows of the key, to be sent as header fields.
        limits: crate::RateLimitStatus,
    },
    /// The key has used up what it may use in this period.
    #[error("the key has used up its quota ({})", period.name())]
    QuotaExceeded {
        /// Of which quota.
        period: crate::QuotaPeriod,
        /// When the next period begins; `None` for a quota without an end.
        retry_after: Option<Duration>,
        /// The windows and quotas of the key, to be sent as header fields.
        limits: crate::RateLimitStatus,
    },
    /// Too many unknown keys came from this address, or from everywhere; no more are looked up for a while.
    #[error("too many unknown keys were tried")]
    TooManyUnknown {
        /// When the next look-up has a chance.
        retry_after: Duration,
    },
}

impl Denial {
    /// Whether the secret was right once and opens nothing any more.
    pub(crate) fn means_dead(&self) -> bool {
        matches!(self, Self::Expired | Self::Revoked | Self::Disabled | Self::Superseded)
    }

    /// A stable word for programs. Malformed and unknown keys share one: the difference would tell a
    /// guesser that he got the check digits right.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed | Self::Unknown => "invalid_key",
            Self::NotYetValid => "key_not_yet_valid",
            Self::Expired => "key_expired",
            Self::Revoked => "key_revoked",
            Self::Disabled => "key_disabled",
            Self::Superseded => "key_superseded",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::MissingPermission { .. } => "insufficient_scope",
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExceeded { .. } => "quota_exceeded",
            Self::TooManyUnknown { .. } => "too_many_attempts",
        }
    }

    /// 401 when the credential is no good, 403 when it is good and does not reach, 429 when it is too early.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Malformed
            | Self::Unknown
            | Self::NotYetValid
            | Self::Expired
            | Self::Revoked
            | Self::Disabled
            | Self::Superseded => 401,
            Self::AddressNotAllowed | Self::MissingPermission { .. } => 403,
            Self::RateLimited { .. } | Self::QuotaExceeded { .. } | Self::TooManyUnknown { .. } => {
                429
            }
        }
    }

    /// How long to wait before trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::TooManyUnknown { retry_after } => {
                Some(*retry_after)
            }
            Self::QuotaExceeded { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The permission that was needed and not granted.
    pub fn required(&self) -> Option<&str> {
        match self {
            Self::MissingPermission { required, .. } => Some(required),
            _ => None,
        }
    }

    /// What of it the key does not grant; empty for every other refusal.
    pub fn missing(&self) -> &[String] {
        match self {
            Self::MissingPermission { missing, .. } => missing,
            _ => &[],
        }
    }

    /// Where the key stands in its windows and quotas, when they are why it was refused.
    pub fn limits(&self) -> Option<&crate::RateLimitStatus> {
        match self {
            Self::RateLimited { limits, .. } | Self::QuotaExceeded { limits, .. } => Some(limits),
            _ => None,
        }
    }
}

//! Quotas of a key on the wire.

use std::num::NonZeroU32;

use rr_keys::{QuotaPeriod, Quotas};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::{Outcome, Problem};

/// At most so many uses in a UTC day, in a calendar month (UTC) and in all; what is left out is not bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuotaLimits {
    #[schema(minimum = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<u32>,
    #[schema(minimum = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    month: Option<u32>,
    #[schema(minimum = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    total: Option<u32>,
}

impl QuotaLimits {
    /// The quotas of a key; `None` without any.
    pub(super) fn of(quotas: &Quotas) -> Option<QuotaLimits> {
        let limit = |period| quotas.limit(period).map(NonZeroU32::get);
        (!quotas.is_empty()).then(|| QuotaLimits {
            day: limit(QuotaPeriod::Day),
            month: limit(QuotaPeriod::Month),
            total: limit(QuotaPeriod::Total),
        })
    }

    /// Quotas that can be kept.
    pub(super) fn parse(self) -> Outcome<Quotas> {
        let wanted = [
            (QuotaPeriod::Day, self.day),
            (QuotaPeriod::Month, self.month),
            (QuotaPeriod::Total, self.total),
        ];
        let mut quotas = Vec::new();
        for (period, limit) in wanted {
            let Some(limit) = limit else { continue };
            let field = format!("/quotas/{}", period.name());
            let limit = NonZeroU32::new(limit)
                .ok_or_else(|| Problem::field(&field, "must be at least 1"))?;
            quotas.push((period, limit));
        }
        Ok(Quotas::new(quotas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_come_back_as_they_were_sent() {
        for body in
            [r#"{"day":10000}"#, r#"{"day":1,"month":2,"total":3}"#, r#"{"total":4294967295}"#]
        {
            let sent: QuotaLimits = serde_json::from_str(body).unwrap();
            let kept = QuotaLimits::of(&sent.parse().unwrap()).unwrap();
            assert_eq!(serde_json::to_string(&kept).unwrap(), body);
        }
        assert_eq!(QuotaLimits::of(&QuotaLimits::default().parse().unwrap()), None);
        for bad in [r#"{"day":-1}"#, r#"{"week":1}"#, r#"{"day":1.5}"#, r#"{"day":4294967296}"#] {
            assert!(serde_json::from_str::<QuotaLimits>(bad).is_err(), "{bad}");
        }
        let none = QuotaLimits { month: Some(0), ..QuotaLimits::default() };
        let problem = none.parse().unwrap_err();
        assert!(String::from_utf8(problem.body("r")).unwrap().contains("/quotas/month"));
    }
}

//! Keys whose secrets became public.

use std::fmt;
use std::sync::Arc;

use rr_store::{Audit, LeakReport};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::detached::detached;
use crate::problem::Outcome;
use crate::state::AppState;

/// Bytes of the place that are kept.
pub(crate) const LONGEST_URL: usize = 2_048;

/// A text that may be a secret of ours, found in public.
pub(crate) struct Finding {
    pub(crate) secret: Zeroizing<String>,
    /// Where.
    pub(crate) url: Option<String>,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finding(redacted)")
    }
}

/// Marks what was found and acts on it by policy. Says for each finding, in their order, whose
/// secret it is; when this returns, this server judges by it. What has no form of a key costs no
/// look-up, and what is not ours no write.
pub(crate) async fn report(
    state: &Arc<AppState>,
    findings: &[Finding],
    audit: Audit,
) -> Outcome<Vec<Option<Uuid>>> {
    let policy = state.settings.leak_policy;
    let (format, schemes) = (state.verifier.format(), state.store.key_schemes());
    let asked: Vec<Option<LeakReport>> = findings
        .iter()
        .map(|found| LeakReport::found(format, schemes, &found.secret, found.url.as_deref()))
        .collect();
    let reports: Vec<LeakReport> = asked.iter().flatten().cloned().collect();
    let known = state.store.known_secrets(reports.clone(), policy, audit.at).await?;

    let news = reports.into_iter().zip(&known).filter_map(|(report, known)| {
        known.filter(|known| !known.settled).map(|known| (known.key_id, report))
    });
    let (keys, news): (Vec<Uuid>, Vec<LeakReport>) = news.unzip();
    if !news.is_empty() {
        settle(Arc::clone(state), keys, news, audit).await?;
    }
    let mut known = known.into_iter();
    let whose =
        |asked: Option<LeakReport>| asked.and_then(|_| known.next()?).map(|known| known.key_id);
    Ok(asked.into_iter().map(whose).collect())
}

/// Writes down what is new and makes it count here.
async fn settle(
    state: Arc<AppState>,
    keys: Vec<Uuid>,
    news: Vec<LeakReport>,
    audit: Audit,
) -> Outcome<()> {
    let policy = state.settings.leak_policy;
    for key_id in &keys {
        tracing::warn!(%key_id, ?policy, "the secret of a key was reported as public");
    }
    detached(async move {
        // So that no use from before the report counts as one since.
        state.flush_usage().await;
        let outcome = state.store.report_leaks(news, policy, audit).await;
        // Even after an error, which can hide that the change was committed.
        keys.iter().for_each(|key_id| state.forget_key(*key_id));
        Ok(outcome?)
    })
    .await
}

//! Making the ledger anew from the facts.

use crate::conn::Conn;
use crate::ledger::Progress;
use crate::sequence::Sequence;
use crate::{Audit, Store, StoreError};
use serde_json::json;

impl Store {
    /// Throws the ledger away and posts all facts again, piece by piece. Others can go on writing;
    /// figures are [`StoreError::Unavailable`] until it is done, on every process. An interrupted
    /// one is finished by [`Store::catch_up`], which every start of the server calls. What late
    /// facts moved stays listed as it was.
    pub async fn rebuild(
        &self,
        audit: Audit,
        tell: impl FnMut(Progress) + Send,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            // Nobody posts meanwhile.
            Sequence::Facts.take(conn, 0)?;
            let held = Sequence::Ledger.last(conn)?;
            conn.batch(match conn {
                Conn::Pg(_) => "TRUNCATE ledger_entries, ledger_hours, ledger_counters",
                Conn::Lite(_) => {
                    "DELETE FROM ledger_entries; DELETE FROM ledger_hours; \
                     DELETE FROM ledger_counters"
                }
            })?;
            let noted = Sequence::Restatements.last(conn)?;
            Sequence::Restatements.set(conn, held.max(noted))?;
            Sequence::Ledger.set(conn, 0)?;
            Sequence::LedgerRebuilds.take(conn, 1)?;
            audit.record(conn, "ledger.rebuilt", None, &json!({ "facts": held }))
        })
        .await?;
        self.memory().doubt();
        self.catch_up(tell).await
    }
}

//! What the tests alone ask of a store: said here in terms of what everybody may ask.

use rr_domain::Timestamp;
use rr_sync::{Figures, Fold};
use uuid::Uuid;

use crate::{
    AcceptEvent, EventBody, EventFilter, Idempotency, NewEvent, OfferedEvent, PageRequest, Store,
    StoreError, Together,
};

impl Store {
    /// Accepts an event that comes alone.
    pub(crate) async fn accept_event(
        &self,
        event: NewEvent,
        ids: impl IntoIterator<Item = Idempotency>,
    ) -> Result<AcceptEvent, StoreError> {
        let offer = OfferedEvent { event, ids: ids.into_iter().collect() };
        let answers = self.accept_events(vec![offer], Together::AllOrNothing(None)).await?;
        assert_eq!(answers.len(), 1, "one event has one answer");
        Ok(answers[0])
    }

    /// The body of an event as it was received.
    pub(crate) async fn event_body(&self, id: Uuid) -> Result<Option<EventBody>, StoreError> {
        let mut page = PageRequest { limit: 1000, cursor: None };
        loop {
            let found = self.full_events(EventFilter::default(), page.clone()).await?;
            if let Some(full) = found.items.into_iter().find(|full| full.row.id == id) {
                return Ok(full.body);
            }
            page.cursor = found.next;
            if page.cursor.is_none() {
                return Ok(None);
            }
        }
    }

    /// Every figure from all facts, by the plain computation that shares no code with the ledger.
    pub(crate) async fn fold_facts(&self, as_of: Timestamp) -> Result<Figures, StoreError> {
        let version = self.facts_version().await?;
        let mut fold = Fold::new(as_of);
        let mut last = None;
        loop {
            let page = self.facts_in_time(last, version).await?;
            let Some((place, _)) = page.last() else { return Ok(fold.finish()) };
            last = Some(*place);
            for (_, fact) in &page {
                fold.add(fact);
            }
        }
    }
}

//! Recording that commissions were paid out.
//!
//! A payout is dated at the instant whose list it was paid by. So that list is what it has to agree with, and from
//! then on nothing of it is payable: whatever is recorded twice, by whomever, is paid once. What a refund took back
//! between the list and its recording is below zero afterwards, as after any payout.

use std::collections::VecDeque;

use diesel::QueryResult;
use diesel::prelude::*;
use rr_domain::{Fact, FactKind, Timestamp, Total, imported_id};
use rr_sync::ledger::Sum;
use serde_json::json;
use uuid::Uuid;

use super::payable::{PayablePlace, PayableShare};
use super::touched::LOOKED_UP;
use crate::conn::{Conn, on_each};
use crate::facts::{Appended, append};
use crate::idempotency::{Claim, Claimed, claim, settle};
use crate::schema::facts;
use crate::sequence::Sequence;
use crate::types::Id;
use crate::{Audit, Idempotency, Store, StoreError};

/// Affiliates who were paid.
#[derive(Debug, Clone)]
pub struct NewPayout {
    /// Its id.
    pub id: Uuid,
    /// Of when the list is that they were paid by.
    pub as_of: Timestamp,
    /// What each was paid, by their names, which ascend: the commissions that were payable, and how much.
    pub lines: Vec<(String, Sum)>,
}

/// What became of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayOut {
    /// It is recorded under this id.
    Recorded(Uuid),
    /// It is a repeat: the first one was recorded under this id, and nothing was recorded now.
    Repeated(Uuid),
    /// Its idempotency id was used before for another request.
    Conflict,
    /// To the affiliate of this line something else is payable.
    Differs(usize),
    /// These are more commissions than are recorded at once.
    TooMany,
}

/// How many commissions are recorded at once: nobody else writes meanwhile.
const AT_ONCE: usize = 20_000;
/// How many shares are read at once.
const READ: u32 = 500;

impl Store {
    /// Records a payout if every line is what is payable to its affiliate: all of it or nothing. Facts that come
    /// between the look and the recording and are about its commissions make this [`StoreError::Busy`].
    pub async fn pay_out(
        &self,
        payout: NewPayout,
        once: Option<Idempotency>,
        audit: Audit,
    ) -> Result<PayOut, StoreError> {
        let seq = self.facts_version().await?;
        // A repeat finds nothing payable; that it is one, only the database can say.
        let payments = self.payments(&payout, seq).await?;
        let outcome = self.write_facts(move |conn| {
            // First: every transaction locks in this order.
            Sequence::Facts.hold(conn)?;
            let claims = once.as_ref().map(|id| Claim { id, result: payout.id, at: audit.at });
            let claimed = claim(conn, claims.as_slice())?.pop().unwrap_or(Claimed::First);
            let refusal = match (claimed, &payments) {
                (Claimed::Repeat(earlier), _) => Some(Ok(PayOut::Repeated(earlier))),
                (Claimed::Conflict, _) => Some(Ok(PayOut::Conflict)),
                (Claimed::First, Err(refusal)) => Some(Ok(*refusal)),
                (Claimed::First, Ok(payments)) if is_newer(conn, payments, seq)? => Some(Err(())),
                (Claimed::First, Ok(_)) => None,
            };
            let Some(refusal) = refusal else {
                let payments = payments.as_deref().unwrap_or_default();
                let appended = append(conn, &facts_of(&payout, payments), audit.at)?;
                let subject = format!("payout:{}", payout.id);
                audit.record(conn, "commissions.paid", Some(subject), &payout.told(payments))?;
                return Ok((Ok(PayOut::Recorded(payout.id)), appended));
            };
            if let (Claimed::First, Some(id)) = (claimed, &once) {
                settle(conn, id, Claimed::First)?;
            }
            Ok((refusal, Appended::default()))
        });
        outcome.await?.map_err(|()| StoreError::Busy)
    }

    /// What of which commission is to be recorded, as far as facts up to number `seq` tell.
    async fn payments(
        &self,
        payout: &NewPayout,
        seq: i64,
    ) -> Result<Result<Vec<Payment>, PayOut>, StoreError> {
        let mut shares = Shares::new(self, payout.as_of, seq);
        let mut payments = Vec::new();
        for (number, (affiliate, sum)) in payout.lines.iter().enumerate() {
            let mut found = Sum::default();
            while let Some(PayableShare { place, payable, .. }) = shares.next_of(affiliate).await? {
                found += payable;
                match i64::try_from(payable.amount) {
                    Ok(0) => {}
                    Ok(amount) => payments.push((place.commission, amount)),
                    Err(_) => return Ok(Err(PayOut::Differs(number))),
                }
                if payments.len() > AT_ONCE {
                    return Ok(Err(PayOut::TooMany));
                }
            }
            if found != *sum {
                return Ok(Err(PayOut::Differs(number)));
            }
        }
        Ok(Ok(payments))
    }
}

/// A commission, and how much of it.
type Payment = (Uuid, i64);

/// Along the commissions of affiliates, whose names ascend.
struct Shares<'a> {
    store: &'a Store,
    as_of: Timestamp,
    seq: i64,
    read: VecDeque<PayableShare>,
    last: Option<PayablePlace>,
    is_over: bool,
}

impl Shares<'_> {
    fn new(store: &Store, as_of: Timestamp, seq: i64) -> Shares<'_> {
        Shares { store, as_of, seq, read: VecDeque::new(), last: None, is_over: false }
    }

    /// The next commission of this affiliate.
    async fn next_of(&mut self, affiliate: &str) -> Result<Option<PayableShare>, StoreError> {
        loop {
            while self.read.front().is_some_and(|share| *share.place.affiliate < *affiliate) {
                self.read.pop_front();
            }
            match self.read.front() {
                Some(share) if share.place.affiliate == affiliate => {
                    return Ok(self.read.pop_front());
                }
                None if !self.is_over => self.read_on(affiliate).await?,
                Some(_) | None => return Ok(None),
            }
        }
    }

    /// Reads from this affiliate on, or from where the last read ended.
    async fn read_on(&mut self, affiliate: &str) -> Result<(), StoreError> {
        let start = PayablePlace { affiliate: affiliate.to_owned(), commission: Uuid::nil() };
        let after = self.last.take().max(Some(start));
        let shares = self.store.payable_shares(self.as_of, self.seq, after, READ).await?;
        self.is_over = u32::try_from(shares.len()).is_ok_and(|length| length < READ);
        self.last = shares.last().map(|share| share.place.clone());
        self.read.extend(shares);
        Ok(())
    }
}

/// Whether something was recorded about these commissions after a number.
fn is_newer(conn: &mut Conn, payments: &[Payment], seq: i64) -> QueryResult<bool> {
    for part in payments.chunks(LOOKED_UP) {
        let commissions: Vec<Id> = part.iter().map(|payment| Id(payment.0)).collect();
        let newer =
            || facts::table.filter(facts::subject.eq_any(&commissions)).filter(facts::seq.gt(seq));
        if on_each!(conn, |c| diesel::select(diesel::dsl::exists(newer())).get_result(c))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn facts_of(payout: &NewPayout, payments: &[Payment]) -> Vec<Fact> {
    let fact = |(commission, amount): &Payment| Fact {
        id: imported_id("payouts", &format!("{}\n{commission}", payout.id)),
        occurred_at: payout.as_of,
        kind: FactKind::CommissionPaid { commission: *commission, amount: *amount },
    };
    payments.iter().map(fact).collect()
}

impl NewPayout {
    /// What the audit log says of it.
    fn told(&self, payments: &[Payment]) -> serde_json::Value {
        let total = payments.iter().map(|payment| i128::from(payment.1)).sum();
        json!({
            "as_of": self.as_of,
            "affiliates": self.lines.len(),
            "commissions": payments.len(),
            "amount": Total::from_minor(total),
        })
    }
}

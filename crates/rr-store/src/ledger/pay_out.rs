//! Recording that commissions were paid out.
//!
//! A payout is dated at the instant whose list it was paid by. It has to agree with that list as it was told, whatever
//! has become known since: the money is gone. What was taken back or came late stands in the next list. But nothing of
//! it may have been recorded as paid that the list did not know of, by whatever list of whatever instant: whatever is
//! recorded twice, by whomever, is paid once.

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
use crate::types::{At, Id};
use crate::{Audit, Idempotency, Store, StoreError};

/// Affiliates who were paid.
#[derive(Debug, Clone)]
pub struct NewPayout {
    /// Its id.
    pub id: Uuid,
    /// Of when the list is that they were paid by.
    pub as_of: Timestamp,
    /// The number of the last fact that the list knew.
    pub seq: i64,
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
    /// By that list something else was payable to the affiliate of this line.
    Differs(usize),
    /// Something of it was paid that the list did not know of.
    PaidSince,
    /// These are more commissions than are recorded at once.
    TooMany,
}

/// How many commissions are recorded at once: nobody else writes meanwhile.
const AT_ONCE: usize = 20_000;
/// How many shares are read at once.
const READ: u32 = 500;

impl Store {
    /// Records a payout if every line is what was payable to its affiliate by the list, and nothing of it was paid
    /// since: all of it or nothing.
    pub async fn pay_out(
        &self,
        payout: NewPayout,
        once: Option<Idempotency>,
        audit: Audit,
    ) -> Result<PayOut, StoreError> {
        let payments = self.payments(&payout).await?;
        let outcome = self.write_facts(move |conn| {
            // First: every transaction locks in this order.
            Sequence::Facts.hold(conn)?;
            let claims = once.as_ref().map(|id| Claim { id, result: payout.id, at: audit.at });
            let claimed = claim(conn, claims.as_slice())?.pop().unwrap_or(Claimed::First);
            let refusal = match (claimed, &payments) {
                (Claimed::Repeat(earlier), _) => Some(PayOut::Repeated(earlier)),
                (Claimed::Conflict, _) => Some(PayOut::Conflict),
                (Claimed::First, Err(refusal)) => Some(*refusal),
                (Claimed::First, Ok(payments)) if is_paid_since(conn, payments, &payout)? => {
                    Some(PayOut::PaidSince)
                }
                (Claimed::First, Ok(_)) => None,
            };
            let Some(refusal) = refusal else {
                let payments = payments.as_deref().unwrap_or_default();
                let appended = append(conn, &facts_of(&payout, payments), audit.at)?;
                let subject = format!("payout:{}", payout.id);
                audit.record(conn, "commissions.paid", Some(subject), &payout.told(payments))?;
                return Ok((PayOut::Recorded(payout.id), appended));
            };
            if let (Claimed::First, Some(id)) = (claimed, &once) {
                settle(conn, id, Claimed::First)?;
            }
            Ok((refusal, Appended::default()))
        });
        outcome.await
    }

    /// What of which commission is to be recorded, by what the list knew.
    async fn payments(
        &self,
        payout: &NewPayout,
    ) -> Result<Result<Vec<Payment>, PayOut>, StoreError> {
        let mut shares = Shares::new(self, payout.as_of, payout.seq);
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

/// Whether any of these commissions was paid, be it in part, by something that the list did not know of or that is
/// dated after it.
fn is_paid_since(conn: &mut Conn, payments: &[Payment], payout: &NewPayout) -> QueryResult<bool> {
    let (seq, as_of) = (payout.seq, At(payout.as_of));
    for part in payments.chunks(LOOKED_UP) {
        let commissions: Vec<Id> = part.iter().map(|payment| Id(payment.0)).collect();
        let unseen = || {
            facts::table
                .filter(facts::subject.eq_any(&commissions))
                .filter(facts::kind.eq("commission_paid"))
                .filter(facts::seq.gt(seq).or(facts::occurred_at.gt(as_of)))
        };
        if on_each!(conn, |c| diesel::select(diesel::dsl::exists(unseen())).get_result(c))? {
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
            "seq": self.seq,
            "affiliates": self.lines.len(),
            "commissions": payments.len(),
            "amount": Total::from_minor(total),
        })
    }
}

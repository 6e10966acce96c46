//! Along the affiliates to whom something is payable, adding up.

use rr_domain::{Timestamp, Total};
use rr_store::{PayablePlace, PayableShare, Store};
use rr_sync::ledger::{Sum, payable};
use serde::Serialize;
use utoipa::ToSchema;

use crate::codes::Code;
use crate::problem::{Outcome, Problem};
use crate::seal::Numbers;

/// How many commissions are read at once.
const READ: u32 = 1_000;

/// On the way through the affiliates, at one version of the ledger.
pub(super) struct Payables {
    store: Store,
    pub(super) as_of: Timestamp,
    pub(super) seq: i64,
    /// What the ledger says is payable, which the affiliates have to add up to.
    pub(super) control: Sum,
    /// Those that lie behind.
    running: Sum,
    last: Option<PayablePlace>,
    open: Option<Payable>,
    /// The last affiliate that lies behind as a whole, by the number of a fact.
    behind: Option<i64>,
    is_over: bool,
}

/// An affiliate and what is payable to them.
#[derive(Debug)]
pub(super) struct Payable {
    pub(super) affiliate: String,
    pub(super) sum: Sum,
    /// All until them, with them.
    pub(super) running: Sum,
    /// The number of a fact that tells of them.
    pub(super) accrual: i64,
}

/// Commissions in the state `payable`, and how much is to be paid out.
#[derive(Debug, Clone, Copy, Hash, Serialize, ToSchema)]
pub(crate) struct Payout {
    commissions: i64,
    /// Below zero where more was paid out than was left after a refund.
    #[schema(value_type = f64)]
    amount: Total,
}

impl Payout {
    pub(super) fn of(sum: Sum) -> Payout {
        Payout { commissions: sum.count, amount: Total::from_minor(sum.amount) }
    }

    pub(super) fn cells(&self) -> [String; 2] {
        [self.commissions.to_string(), self.amount.to_string()]
    }
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) as_of: Timestamp,
    pub(super) seq: i64,
    pub(super) control: Sum,
    pub(super) running: Sum,
    /// The number of a fact that tells of the last affiliate.
    pub(super) accrual: i64,
}

impl Place {
    pub(super) fn numbers(&self) -> Numbers {
        let Place { as_of, seq, control, running, accrual } = *self;
        Numbers {
            short: [as_of.micros(), seq, control.count, running.count, accrual],
            long: [control.amount, running.amount],
        }
    }

    pub(super) fn of(numbers: Numbers) -> Option<Place> {
        let Numbers { short: [as_of, seq, all, behind, accrual], long: [total, until] } = numbers;
        Some(Place {
            as_of: Timestamp::from_micros(as_of).ok()?,
            seq,
            control: Sum { count: all, amount: total },
            running: Sum { count: behind, amount: until },
            accrual,
        })
    }
}

impl Payables {
    /// At the first affiliate.
    pub(super) async fn begin(store: &Store, as_of: Timestamp) -> Outcome<Payables> {
        let (seq, standing) = store.standing_at(as_of).await?;
        Ok(Payables {
            store: store.clone(),
            as_of,
            seq,
            control: payable(&standing),
            running: Sum::default(),
            last: None,
            open: None,
            behind: None,
            is_over: false,
        })
    }

    /// Where an earlier page ended; `None` if there is no such place.
    pub(super) async fn resume(store: &Store, place: Place) -> Outcome<Option<Payables>> {
        let Place { as_of, seq, control, running, accrual } = place;
        let Some(last) = store.payable_place(accrual).await? else { return Ok(None) };
        Ok(Some(Payables {
            store: store.clone(),
            as_of,
            seq,
            control,
            running,
            last: Some(last),
            open: None,
            behind: Some(accrual),
            is_over: false,
        }))
    }

    /// The next affiliates to whom something is payable. At the end all of them have to be what the ledger
    /// says: nobody is paid by a list that is not.
    pub(super) async fn next(&mut self) -> Outcome<Vec<Payable>> {
        let last = self.last.clone();
        let shares = self.store.payable_shares(self.as_of, self.seq, last, READ).await?;
        self.is_over = u32::try_from(shares.len()).is_ok_and(|length| length < READ);
        let mut complete = Vec::new();
        for share in shares {
            complete.extend(self.take(share));
        }
        if self.is_over {
            complete.extend(self.close());
            if self.running != self.control {
                let (seq, running, control) = (self.seq, self.running, self.control);
                tracing::error!(seq, ?running, ?control, "the payout is not what the ledger says");
                return Err(Problem::new(Code::Internal));
            }
        }
        Ok(complete)
    }

    /// Adds a share. The affiliate before is complete when it is another's.
    fn take(&mut self, share: PayableShare) -> Option<Payable> {
        let PayableShare { place, accrual, payable } = share;
        let is_same = self.open.as_ref().is_some_and(|open| open.affiliate == place.affiliate);
        let complete = if is_same { None } else { self.close() };
        self.running += payable;
        let running = self.running;
        let open = self.open.get_or_insert_with(|| Payable {
            affiliate: place.affiliate.clone(),
            sum: Sum::default(),
            running,
            accrual,
        });
        open.sum += payable;
        open.running = running;
        self.last = Some(place);
        complete
    }

    /// The affiliate who is complete, unless nothing is payable to them.
    fn close(&mut self) -> Option<Payable> {
        let complete = self.open.take()?;
        self.behind = Some(complete.accrual);
        Some(complete).filter(|one| !one.sum.is_zero())
    }

    /// Whether no affiliate follows.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Behind the last affiliate who is complete, unless it is over.
    pub(super) fn place(&self) -> Option<Place> {
        let accrual = self.behind.filter(|_| !self.is_over)?;
        let mut running = self.running;
        if let Some(open) = &self.open {
            running -= open.sum;
        }
        Some(self.place_of(accrual, running))
    }

    /// Behind an affiliate.
    pub(super) fn place_at(&self, one: &Payable) -> Place {
        self.place_of(one.accrual, one.running)
    }

    fn place_of(&self, accrual: i64, running: Sum) -> Place {
        let Payables { as_of, seq, control, .. } = *self;
        Place { as_of, seq, control, running, accrual }
    }
}

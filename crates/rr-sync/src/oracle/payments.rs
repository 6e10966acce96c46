//! Payments: what was captured, what went back, each on its own date.

use std::collections::{BTreeMap, HashMap};

use rr_domain::{Fact, FactKind, Label, Product, Timestamp, Total};
use uuid::Uuid;

use super::labels::{LabelId, Labels};
use super::newest::{Newest, Place};
use super::windows::{self, NextChange, days};
use crate::figures::{RecentTransaction, TransactionKind};

const GROWTH: std::time::Duration = days(30);
const GROWTH_BEFORE: std::time::Duration = days(60);

/// The payments of all facts so far.
#[derive(Debug)]
pub(super) struct Payments {
    window_start: Timestamp,
    window_before_start: Timestamp,
    /// What each captured payment was for.
    captured: HashMap<Uuid, Booked>,
    /// Money that moved for a payment whose capture has not been seen: it counts from the capture
    /// on, which tells what it belongs to.
    unclaimed: HashMap<Uuid, Vec<Movement>>,
    sums: Sums,
    recent: Newest<Entry, 10>,
}

/// Revenue since ever, and in the two windows that growth compares.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) by_tier: BTreeMap<LabelId, i128>,
    pub(super) tripwire: i128,
    pub(super) window: i128,
    pub(super) window_before: i128,
}

/// Where a payment is booked.
#[derive(Debug, Clone, Copy)]
enum Booked {
    Subscription(LabelId),
    Tripwire,
}

/// Money that moved once, with what it added to revenue.
#[derive(Debug, Clone, Copy)]
struct Movement {
    place: Place,
    kind: TransactionKind,
    amount: i128,
}

/// A movement and where it is booked.
#[derive(Debug)]
struct Entry {
    movement: Movement,
    booked: Booked,
}

impl Payments {
    pub(super) fn new(as_of: Timestamp) -> Payments {
        Payments {
            window_start: windows::start(as_of, GROWTH),
            window_before_start: windows::start(as_of, GROWTH_BEFORE),
            captured: HashMap::new(),
            unclaimed: HashMap::new(),
            sums: Sums::default(),
            recent: Newest::new(),
        }
    }

    pub(super) fn add(&mut self, fact: &Fact, tiers: &mut Labels, next: &mut NextChange) {
        let place = (fact.occurred_at, fact.id);
        let movement = |kind, amount| Movement { place, kind, amount };
        match &fact.kind {
            FactKind::PaymentCaptured { payment, product, amount } => {
                if self.captured.contains_key(payment) {
                    return;
                }
                let (booked, kind) = match product {
                    Product::Subscription(tier) => {
                        (Booked::Subscription(tiers.id(tier)), TransactionKind::Subscription)
                    }
                    Product::Tripwire => (Booked::Tripwire, TransactionKind::Tripwire),
                };
                self.captured.insert(*payment, booked);
                self.book(movement(kind, i128::from(*amount)), booked, next);
                for mut earlier in self.unclaimed.remove(payment).unwrap_or_default() {
                    earlier.place.0 = fact.occurred_at;
                    self.book(earlier, booked, next);
                }
            }
            FactKind::PaymentRefunded { payment, amount } => {
                let refund = movement(TransactionKind::Refund, -i128::from(*amount));
                self.claim(*payment, refund, next);
            }
            FactKind::PaymentDisputed { payment, amount } => {
                let dispute = movement(TransactionKind::Dispute, -i128::from(*amount));
                self.claim(*payment, dispute, next);
            }
            FactKind::DisputeWon { payment, amount } => {
                let won = movement(TransactionKind::DisputeWon, i128::from(*amount));
                self.claim(*payment, won, next);
            }
            _ => {}
        }
    }

    /// The sums, and the newest movements.
    pub(super) fn finish(self, tiers: &Labels) -> (Sums, Vec<RecentTransaction>) {
        let show = |Entry { movement, booked }: Entry| RecentTransaction {
            id: movement.place.1,
            kind: movement.kind,
            tier: match booked {
                Booked::Subscription(tier) => tiers.name(tier).clone(),
                Booked::Tripwire => Label::TRIPWIRE,
            },
            amount: Total::from_minor(movement.amount),
            timestamp: movement.place.0,
        };
        (self.sums, self.recent.into_vec().into_iter().map(show).collect())
    }

    /// Books a movement where its payment is booked, or keeps it until that is known.
    fn claim(&mut self, payment: Uuid, movement: Movement, next: &mut NextChange) {
        match self.captured.get(&payment) {
            Some(&booked) => self.book(movement, booked, next),
            None => self.unclaimed.entry(payment).or_default().push(movement),
        }
    }

    fn book(&mut self, movement: Movement, booked: Booked, next: &mut NextChange) {
        let at = movement.place.0;
        match booked {
            Booked::Subscription(tier) => {
                *self.sums.by_tier.entry(tier).or_default() += movement.amount;
            }
            Booked::Tripwire => self.sums.tripwire += movement.amount,
        }
        if at >= self.window_start {
            self.sums.window += movement.amount;
            next.consider(windows::leaves(at, GROWTH));
        } else if at >= self.window_before_start {
            self.sums.window_before += movement.amount;
            next.consider(windows::leaves(at, GROWTH_BEFORE));
        }
        self.recent.add(movement.place, Entry { movement, booked });
    }
}

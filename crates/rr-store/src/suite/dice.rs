//! Random enough for histories, and the same for the same seed (splitmix64).

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

use rr_domain::{
    Fact, FactKind, Interval, IntervalUnit, Label, Product, SubscriptionStatus as Status, Timestamp,
};
use uuid::Uuid;

use super::{at, id};

pub(super) struct Dice {
    state: u64,
    subjects: u64,
}

/// Seeds of so many histories: others in every run, unless `RR_TEST_SEED` says which is the first. It is
/// printed, and shown when the test fails.
pub(super) fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let first = match std::env::var("RR_TEST_SEED") {
        Ok(text) => text.parse().expect("RR_TEST_SEED is a number"),
        Err(_) => RandomState::new().hash_one(count),
    };
    println!("RR_TEST_SEED={first}");
    (0..count).map(move |n| first.wrapping_add(n))
}

const NAMES: [&str; 3] = ["membership", "reseller", "tripwire"];
const DAY: i64 = 86_400;

impl Dice {
    /// Histories of so many subjects of each kind.
    pub(super) fn new(seed: u64, subjects: u64) -> Dice {
        Dice { state: seed, subjects }
    }

    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn number(&mut self, sides: u64) -> i64 {
        i64::try_from(self.roll(sides)).unwrap()
    }

    fn one<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[usize::try_from(self.roll(N as u64)).unwrap()]
    }

    fn chance(&mut self) -> bool {
        self.roll(2) == 1
    }

    fn subject(&mut self) -> Uuid {
        id(u128::from(self.roll(self.subjects)))
    }

    fn amount(&mut self) -> i64 {
        // The large ones are few: all that they move, there and back, has to fit 64 bits.
        match self.roll(100) {
            0..16 => 0,
            16..32 => 1,
            32..40 => 1 << 44,
            40 => 1 << 53,
            _ => self.number(10_000),
        }
    }

    fn label(&mut self) -> Label {
        Label::parse(self.one(NAMES)).unwrap()
    }

    fn status(&mut self) -> Status {
        self.one([
            Status::Active,
            Status::Active,
            Status::PastDue,
            Status::Trialing,
            Status::Paused,
            Status::Unpaid,
        ])
    }

    fn interval(&mut self) -> Interval {
        let unit = self.one([IntervalUnit::Month, IntervalUnit::Year, IntervalUnit::Week]);
        Interval { unit, count: NonZeroU32::new(u32::try_from(self.roll(6)).unwrap() + 1).unwrap() }
    }

    /// An instant within a quarter, often one that others share, often on a minute.
    pub(super) fn moment(&mut self) -> Timestamp {
        match self.roll(3) {
            0 => at(self.number(90) * DAY),
            1 => at(self.number(90 * 1_440) * 60),
            _ => at(self.number(90 * 86_400)),
        }
    }

    pub(super) fn fact(&mut self, number: u128) -> Fact {
        Fact { id: id(5_000_000 + number), occurred_at: self.moment(), kind: self.kind() }
    }

    pub(super) fn kind(&mut self) -> FactKind {
        let (who, amount) = (self.subject(), self.amount());
        let tier = self.label();
        match self.roll(20) {
            0 | 1 => FactKind::UserCreated { user: who, role: tier, status: self.label() },
            2 => FactKind::UserChanged { user: who, role: Some(tier), status: None },
            3 => FactKind::UserDeleted { user: who },
            4..=6 => FactKind::SubscriptionStarted {
                subscription: who,
                customer: self.subject(),
                tier,
                status: self.status(),
                // A year of it must fit 64 bits, many times.
                price: self.number(10_000),
                quantity: u32::try_from(self.roll(3)).unwrap(),
                interval: self.interval(),
            },
            7 => FactKind::SubscriptionChanged {
                subscription: who,
                tier: self.chance().then_some(tier),
                price: self.chance().then_some(4_900),
                quantity: self.chance().then_some(2),
                interval: None,
                status: Some(self.status()),
            },
            8 => FactKind::SubscriptionSetToCancel {
                subscription: who,
                ends_at: self.chance().then(|| self.moment()),
            },
            9 => FactKind::SubscriptionEnded { subscription: who },
            10..=12 => FactKind::PaymentCaptured {
                payment: who,
                product: match self.roll(4) {
                    0 => Product::Tripwire,
                    _ => Product::Subscription(tier),
                },
                amount,
            },
            13 => FactKind::PaymentRefunded { payment: who, amount },
            14 => FactKind::PaymentDisputed { payment: who, amount },
            15 => FactKind::DisputeWon { payment: who, amount },
            16 | 17 => FactKind::CommissionAccrued {
                commission: who,
                affiliate: format!("affiliate {}", self.roll(15)),
                tier,
                sale: amount * 2,
                amount,
                payable_at: self.moment(),
            },
            18 => FactKind::CommissionReversed { commission: who, amount },
            _ => match self.chance() {
                true => FactKind::CommissionPaid { commission: who, amount },
                false => FactKind::CommissionAdjusted {
                    commission: who,
                    amount: self.number(100) - 50,
                    reason: "by hand".to_owned(),
                },
            },
        }
    }
}

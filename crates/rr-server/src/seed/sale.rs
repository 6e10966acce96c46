//! Invented sales: the payment, the referrer's commission, and what is taken back later.

use std::time::Duration;

use rr_domain::{FactKind, Label, Product, Timestamp};

use super::calendar::next_pay_day;
use super::history::History;
use super::life::Life;
use super::people;
use super::price::{self, TRIPWIRE_PRICE};
use super::signups::DAY;

/// How long a commission is held back before it can be paid out.
const HOLD_DAYS: u32 = 30;

/// A month of a subscription, paid now.
pub(super) fn sell_month(life: &Life, at: Timestamp, history: &mut History) {
    let tier = history.labels.tier(life.tier);
    let sale = Sale {
        product: Product::Subscription(tier.clone()),
        tier,
        price: life.tier.price(),
        referrer: life.referrer,
    };
    sale.make(at, history);
}

/// The tripwire offer, bought at `at`, if the history lasts that long.
pub(super) fn sell_tripwire(referrer: Option<u64>, at: Timestamp, history: &mut History) {
    let tier = Label::TRIPWIRE;
    Sale { product: Product::Tripwire, tier, price: TRIPWIRE_PRICE, referrer }.make(at, history);
}

struct Sale {
    product: Product,
    tier: Label,
    price: i64,
    referrer: Option<u64>,
}

impl Sale {
    fn make(self, at: Timestamp, history: &mut History) {
        let payment = history.dice.id(at);
        let product = self.product;
        history.expect(at, FactKind::PaymentCaptured { payment, product, amount: self.price });
        let refunds = refunds(self.price, at, history);
        for (when, amount) in &refunds {
            history.expect(*when, FactKind::PaymentRefunded { payment, amount: *amount });
        }
        if refunds.is_empty() && history.dice.chance(4) {
            let disputed = after(at, 5, 40, history);
            history.expect(disputed, FactKind::PaymentDisputed { payment, amount: self.price });
            if history.dice.chance(400) {
                let decided = after(disputed, 15, 60, history);
                history.expect(decided, FactKind::DisputeWon { payment, amount: self.price });
            }
        }
        if let Some(number) = self.referrer {
            let affiliate = people::username(number);
            credit(affiliate, self.tier, self.price, &refunds, at, history);
        }
    }
}

/// The referrer's commission: on hold, reversed with each refund, the rest paid out.
fn credit(
    affiliate: String,
    tier: Label,
    sale: i64,
    refunds: &[(Timestamp, i64)],
    at: Timestamp,
    history: &mut History,
) {
    let commission = history.dice.id(at);
    let amount = price::commission(sale);
    let payable_at = at.plus(DAY * HOLD_DAYS);
    let accrued =
        FactKind::CommissionAccrued { commission, affiliate, tier, sale, amount, payable_at };
    history.expect(at, accrued);
    let (mut refunded, mut reversed) = (0, 0);
    for (when, refund) in refunds {
        refunded += refund;
        let due = amount * refunded / sale - reversed;
        if due > 0 {
            reversed += due;
            history.expect(*when, FactKind::CommissionReversed { commission, amount: due });
        }
    }
    if amount > reversed {
        let paid = FactKind::CommissionPaid { commission, amount: amount - reversed };
        history.expect(next_pay_day(payable_at), paid);
    }
}

/// Three in a hundred sales are refunded: most whole, some in part, a few in two parts.
fn refunds(price: i64, at: Timestamp, history: &mut History) -> Vec<(Timestamp, i64)> {
    if !history.dice.chance(30) {
        return Vec::new();
    }
    let first = after(at, 1, 20, history);
    if history.dice.chance(600) {
        return vec![(first, price)];
    }
    let share = i64::try_from(history.dice.between(20, 60)).unwrap_or(50);
    let part = price * share / 100;
    if history.dice.chance(200) {
        vec![(first, part), (after(first, 1, 8, history), price - part)]
    } else {
        vec![(first, part)]
    }
}

fn after(at: Timestamp, first_day: u64, last_day: u64, history: &mut History) -> Timestamp {
    at.plus(Duration::from_secs(history.dice.between(first_day * 86_400, last_day * 86_400)))
}

//! Invented sales: the payment, the referrer's commission, and what is taken back later.

use rr_domain::{FactKind, Label, Product, Timestamp};

use super::calendar::days_after;
use super::commission::{Earned, credit};
use super::deal::Deal;
use super::history::History;
use super::price::TRIPWIRE_PRICE;

/// A period of a subscription, paid at `at`. One in two hundred has a voucher for it.
pub(super) fn sell_period(deal: Deal, referrer: Option<u64>, at: Timestamp, history: &mut History) {
    let tier = history.labels.tier(deal.tier);
    let price = if history.dice.chance(5) { 0 } else { deal.due() };
    Sale { product: Product::Subscription(tier.clone()), tier, price, referrer }.make(at, history);
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
        let Sale { product, tier, price, referrer } = self;
        let payment = history.dice.id(at);
        // A debit settles days later; what is taken back before that counts from then on.
        let is_debit = history.dice.chance(40);
        let settles = if is_debit { days_after(at, 2, 5, &mut history.dice) } else { at };
        history.expect(settles, FactKind::PaymentCaptured { payment, product, amount: price });
        let refunds = refunds(price, at, history);
        let mut kept = price;
        for (when, amount) in &refunds {
            kept -= amount;
            history.expect(*when, FactKind::PaymentRefunded { payment, amount: *amount });
        }
        // Who was given back a part is more likely to ask the bank for the rest.
        let quarrels = if refunds.is_empty() { 4 } else { 100 };
        if kept > 0 && history.dice.chance(quarrels) {
            let last = refunds.last().map_or(at, |(when, _)| *when);
            let disputed = days_after(last, 5, 40, &mut history.dice);
            history.expect(disputed, FactKind::PaymentDisputed { payment, amount: kept });
            if history.dice.chance(400) {
                let decided = days_after(disputed, 15, 60, &mut history.dice);
                history.expect(decided, FactKind::DisputeWon { payment, amount: kept });
            }
        }
        if let Some(referrer) = referrer {
            credit(Earned { referrer, tier, sale: price, refunds: &refunds }, settles, history);
        }
    }
}

/// Three in a hundred sales are refunded: most whole, some in part, a few in two parts; one in seven of
/// them so late that the referrer's commission has been paid out.
fn refunds(price: i64, at: Timestamp, history: &mut History) -> Vec<(Timestamp, i64)> {
    let dice = &mut history.dice;
    if price == 0 || !dice.chance(30) {
        return Vec::new();
    }
    let (from, to) = if dice.chance(150) { (45, 90) } else { (1, 20) };
    let first = days_after(at, from, to, dice);
    if dice.chance(600) {
        return vec![(first, price)];
    }
    let share = i64::try_from(dice.between(20, 60)).unwrap_or(50);
    let part = price * share / 100;
    if dice.chance(200) {
        vec![(first, part), (days_after(first, 1, 8, dice), price - part)]
    } else {
        vec![(first, part)]
    }
}

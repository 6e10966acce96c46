//! What the figures must do, told as small stories and as laws over arbitrary ones.

mod board;
mod book;
mod commissions;
mod course;
mod dora;
mod laws;
mod leap_day;
mod ledger;
mod metrics;
mod next_change;
mod oracle;
mod revenue;
mod subscriptions;
mod users;

use rr_domain::{Fact, FactKind, Interval, Label, Product, SubscriptionStatus, Timestamp, Total};
use uuid::Uuid;

use self::book::Book;
use crate::commission::{DEFAULT_RATE, commission, reversal};
use crate::{Figures, compute};

/// Facts at instants, recorded in the order they are told.
fn story<const N: usize>(events: [(&str, FactKind); N]) -> Vec<Fact> {
    (1..)
        .zip(events)
        .map(|(id, (moment, kind))| Fact { id: Uuid::from_u128(id), occurred_at: at(moment), kind })
        .collect()
}

/// An instant, or the start of a day.
fn at(moment: &str) -> Timestamp {
    let text = if moment.contains('T') { moment.to_owned() } else { format!("{moment}T00:00:00Z") };
    Timestamp::parse(&text).unwrap()
}

/// The figures, computed and read off a board that was told the facts one by one: every story is
/// told to both.
fn figures(facts: &[Fact], as_of: &str) -> Figures {
    let computed = compute(facts, at(as_of));
    let book = Book::of(facts);
    let mut board = book.board(at(as_of));
    book.feed(&mut board, at(as_of), 20);
    let mut read = board.figures(at(as_of)).unwrap();
    read.next_change = computed.next_change;
    assert_eq!(read, computed);
    computed
}

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

fn cents(minor: i128) -> Total {
    Total::from_minor(minor)
}

/// A subject by number; users, subscriptions, payments and commissions do not share ids' meaning.
fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn user(number: u128, role: &str) -> FactKind {
    FactKind::UserCreated { user: id(number), role: label(role), status: Label::ACTIVE }
}

fn becomes(number: u128, role: &str) -> FactKind {
    FactKind::UserChanged { user: id(number), role: Some(label(role)), status: None }
}

fn status(number: u128, status: &str) -> FactKind {
    FactKind::UserChanged { user: id(number), role: None, status: Some(label(status)) }
}

fn deleted(number: u128) -> FactKind {
    FactKind::UserDeleted { user: id(number) }
}

fn started(number: u128, tier: &str, price: i64, interval: Interval) -> FactKind {
    FactKind::SubscriptionStarted {
        subscription: id(number),
        customer: id(number),
        tier: label(tier),
        status: SubscriptionStatus::Active,
        price,
        quantity: 1,
        interval,
    }
}

fn now_is(number: u128, status: SubscriptionStatus) -> FactKind {
    FactKind::SubscriptionChanged {
        subscription: id(number),
        tier: None,
        price: None,
        quantity: None,
        interval: None,
        status: Some(status),
    }
}

fn ends(number: u128, moment: Option<&str>) -> FactKind {
    FactKind::SubscriptionSetToCancel { subscription: id(number), ends_at: moment.map(at) }
}

fn ended(number: u128) -> FactKind {
    FactKind::SubscriptionEnded { subscription: id(number) }
}

fn captured(number: u128, tier: &str, amount: i64) -> FactKind {
    let product = match tier {
        "tripwire" => Product::Tripwire,
        tier => Product::Subscription(label(tier)),
    };
    FactKind::PaymentCaptured { payment: id(number), product, amount }
}

fn refunded(number: u128, amount: i64) -> FactKind {
    FactKind::PaymentRefunded { payment: id(number), amount }
}

fn disputed(number: u128, amount: i64) -> FactKind {
    FactKind::PaymentDisputed { payment: id(number), amount }
}

fn won(number: u128, amount: i64) -> FactKind {
    FactKind::DisputeWon { payment: id(number), amount }
}

fn earned(number: u128, affiliate: &str, tier: &str, sale: i64, amount: i64) -> FactKind {
    FactKind::CommissionAccrued {
        commission: id(number),
        affiliate: affiliate.to_owned(),
        tier: label(tier),
        sale,
        amount,
        payable_at: at("2024-03-01"),
    }
}

fn reversed(number: u128, amount: i64) -> FactKind {
    FactKind::CommissionReversed { commission: id(number), amount }
}

/// What a sale earns its referrer.
fn sold(number: u128, affiliate: &str, tier: &str, sale: i64) -> FactKind {
    earned(number, affiliate, tier, sale, commission(sale, DEFAULT_RATE))
}

/// What a refund takes back of the commission of a sale that this much was refunded of before.
fn taken_back(number: u128, sale: i64, before: i64, refund: i64) -> FactKind {
    let earned = commission(sale, DEFAULT_RATE);
    let reversed_before = reversal(earned, sale, before, 0);
    reversed(number, reversal(earned, sale, before + refund, reversed_before))
}

fn paid(number: u128, amount: i64) -> FactKind {
    FactKind::CommissionPaid { commission: id(number), amount }
}

fn adjusted(number: u128, amount: i64) -> FactKind {
    FactKind::CommissionAdjusted { commission: id(number), amount, reason: "by hand".to_owned() }
}

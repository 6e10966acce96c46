//! `subscriptions.csv`: a monthly subscription of that amount, active since then, and one payment.

use rr_domain::{FactKind, Interval, Product, SubscriptionStatus, imported_id};

use super::{Fault, Item, Row, Seen, Table, fact, row_id};
use crate::email::Email;
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "subscriptions.csv",
    columns: &[
        needed("id"),
        needed("email"),
        needed("amount"),
        needed("tier"),
        optional("referrer_username"),
        needed("subscribed_at"),
    ],
    convert,
};

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let email = row.required("email", |text| Email::parse(text).map_err(str::to_owned))?;
    let amount = row.required("amount", field::amount)?;
    let tier = row.required("tier", field::label)?;
    let at = row.required("subscribed_at", field::timestamp)?;
    let started = FactKind::SubscriptionStarted {
        subscription: imported_id("subscriptions", &old_id),
        customer: imported_id("customers", email.as_str()),
        tier: tier.clone(),
        status: SubscriptionStatus::Active,
        price: amount,
        quantity: 1,
        interval: Interval::MONTHLY,
    };
    let captured = FactKind::PaymentCaptured {
        payment: imported_id("payments", &format!("subscriptions/{old_id}")),
        product: Product::Subscription(tier),
        amount,
    };
    Ok(vec![
        fact("subscriptions", &old_id, "started", at, started),
        fact("subscriptions", &old_id, "captured", at, captured),
    ])
}

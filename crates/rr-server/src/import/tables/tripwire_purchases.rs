//! `tripwire_purchases.csv`: one payment.

use rr_domain::{FactKind, Product, imported_id};

use super::{Fault, Item, Row, Seen, Table, fact, row_id};
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "tripwire_purchases.csv",
    columns: &[
        needed("id"),
        optional("email"),
        needed("amount"),
        optional("referrer_username"),
        needed("purchased_at"),
    ],
    convert,
};

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let amount = row.required("amount", field::amount)?;
    let at = row.required("purchased_at", field::timestamp)?;
    let captured = FactKind::PaymentCaptured {
        payment: imported_id("payments", &format!("tripwire_purchases/{old_id}")),
        product: Product::Tripwire,
        amount,
    };
    Ok(vec![fact("tripwire_purchases", &old_id, "captured", at, captured)])
}

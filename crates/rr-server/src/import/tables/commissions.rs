//! `commissions.csv`: a commission that somebody earned, on hold for 30 days from its date.

use std::time::Duration;

use rr_domain::{FactKind, imported_id};

use super::{Fault, Item, Row, Seen, Table, fact, row_id};
use crate::import::field;
use crate::import::reader::{needed, optional};

pub(super) const TABLE: Table = Table {
    file: "commissions.csv",
    columns: &[
        needed("id"),
        needed("referrer_username"),
        optional("email"),
        needed("tier"),
        needed("amount"),
        needed("commission"),
        needed("created_at"),
    ],
    convert,
};

const HOLD: Duration = Duration::from_secs(30 * 86_400);

fn convert(row: &Row<'_>, seen: &mut Seen) -> Result<Vec<Item>, Fault> {
    let old_id = row_id(row, seen)?;
    let affiliate = row.required("referrer_username", |text| {
        if text.chars().count() <= 200 {
            Ok(text.to_owned())
        } else {
            Err("is longer than 200 characters".to_owned())
        }
    })?;
    let at = row.required("created_at", field::timestamp)?;
    let accrued = FactKind::CommissionAccrued {
        commission: imported_id("commissions", &old_id),
        affiliate,
        tier: row.required("tier", field::label)?,
        sale: row.required("amount", field::amount)?,
        amount: row.required("commission", field::amount)?,
        payable_at: at.plus(HOLD),
    };
    Ok(vec![fact("commissions", &old_id, "accrued", at, accrued)])
}

//! What is to be paid out to whom, commission by commission.
//!
//! The ledger knows what is payable in all and not to whom: an account of affiliates and states would cost
//! every commission further entries. So a payout goes through the commissions in the order of their
//! affiliates and asks the ledger's pure function what of each is payable. Few of them are in memory at a
//! time, and together they have to be what the ledger says.

use std::collections::BTreeMap;

use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Bool, Text};
use rr_domain::{Fact, Timestamp};
use rr_sync::Balances;
use rr_sync::ledger::{Account, Entry, Subject, Sum, entries, payable};
use uuid::Uuid;

use super::touched::{COLUMNS, recorded};
use crate::conn::{Conn, on_each};
use crate::schema::facts;
use crate::types::Id;
use crate::{Store, StoreError};

/// Behind a commission of an affiliate: by the names of the affiliates, then by the commissions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PayablePlace {
    /// The affiliate.
    pub affiliate: String,
    /// The commission.
    pub commission: Uuid,
}

/// What of a commission is payable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayableShare {
    /// Where it stands.
    pub place: PayablePlace,
    /// The number of the fact that it was earned by.
    pub accrual: i64,
    /// 1 if it is in that state, and how much is left to pay; below zero when too much was paid.
    pub payable: Sum,
}

impl Store {
    /// What is payable at an instant of the commissions that follow a place, as far as facts up to number
    /// `seq` tell. Of each commission there is one share, also if nothing of it is payable; fewer than
    /// `limit` are the last.
    pub async fn payable_shares(
        &self,
        at: Timestamp,
        seq: i64,
        after: Option<PayablePlace>,
        limit: u32,
    ) -> Result<Vec<PayableShare>, StoreError> {
        self.read_long(move |conn| {
            let accruals = accruals(conn, seq, after.as_ref(), limit)?;
            let facts = about(conn, accruals.iter().map(|accrual| accrual.place.commission), seq)?;
            let mut last = None;
            let shares = accruals.into_iter().map(|Accrual { place, number }| {
                // Told twice, it was earned once.
                let is_repeated = last.replace(place.clone()).is_some_and(|last| last == place);
                let facts = facts.get(&place.commission).filter(|_| !is_repeated);
                let payable = facts.map(|facts| share(&place, facts, at)).transpose()?;
                Ok(PayableShare { place, accrual: number, payable: payable.unwrap_or_default() })
            });
            shares.collect()
        })
        .await
    }

    /// The place behind all commissions of the affiliate who earned one by this fact.
    pub async fn payable_place(&self, accrual: i64) -> Result<Option<PayablePlace>, StoreError> {
        self.read(move |conn| {
            let affiliate: Option<String> = on_each!(conn, |c| facts::table
                .find(accrual)
                .filter(sql::<Bool>(IS_ACCRUAL))
                .select(sql::<Text>("body ->> 'affiliate'"))
                .get_result(c)
                .optional())?;
            let behind_all = |affiliate| PayablePlace { affiliate, commission: Uuid::max() };
            Ok(affiliate.map(behind_all))
        })
        .await
    }
}

/// A fact that says that a commission was earned, and by whom.
struct Accrual {
    place: PayablePlace,
    number: i64,
}

/// As the index has it.
const IS_ACCRUAL: &str = "kind = 'commission_accrued'";

/// The next accruals after a place.
fn accruals(
    conn: &mut Conn,
    seq: i64,
    after: Option<&PayablePlace>,
    limit: u32,
) -> QueryResult<Vec<Accrual>> {
    let name = match conn {
        Conn::Pg(_) => "(body ->> 'affiliate') COLLATE \"C\"",
        Conn::Lite(_) => "(body ->> 'affiliate')",
    };
    let rows: Vec<(i64, Id, String)> = on_each!(conn, |c| {
        let name = || sql::<Text>(name);
        let mut query = facts::table
            .filter(sql::<Bool>(IS_ACCRUAL))
            .filter(facts::seq.le(seq))
            .select((facts::seq, facts::subject, name()))
            .into_boxed();
        if let Some(PayablePlace { affiliate, commission }) = after {
            // The first half lets the index start at the right place.
            query = query
                .filter(name().ge(affiliate))
                .filter(name().gt(affiliate).or(facts::subject.gt(Id(*commission))));
        }
        query.order((name(), facts::subject, facts::seq)).limit(i64::from(limit)).load(c)
    })?;
    let accrual = |(number, Id(commission), affiliate)| {
        let place = PayablePlace { affiliate, commission };
        Accrual { place, number }
    };
    Ok(rows.into_iter().map(accrual).collect())
}

/// The facts about some commissions, in the order of time.
fn about(
    conn: &mut Conn,
    commissions: impl Iterator<Item = Uuid>,
    seq: i64,
) -> QueryResult<BTreeMap<Uuid, Vec<Fact>>> {
    let commissions: Vec<Id> = commissions.map(Id).collect();
    let rows = on_each!(conn, |c| facts::table
        .filter(facts::subject.eq_any(&commissions))
        .filter(facts::seq.le(seq))
        .order((facts::occurred_at, facts::seq))
        .select(COLUMNS)
        .load(c))?;
    let mut about: BTreeMap<Uuid, Vec<Fact>> = BTreeMap::new();
    for row in rows {
        let fact = recorded(row)?.fact;
        // Ids of different kinds of subjects do not share a meaning, even where they are equal.
        if let Subject::Commission(id) = Subject::of(&fact.kind) {
            about.entry(id).or_default().push(fact);
        }
    }
    Ok(about)
}

/// What of a commission is payable to this affiliate. Of several who claim it the first one earned it.
fn share(place: &PayablePlace, facts: &[Fact], at: Timestamp) -> QueryResult<Sum> {
    let PayablePlace { affiliate, commission } = place;
    let facts: Vec<&Fact> = facts.iter().collect();
    let entries = entries(Subject::Commission(*commission), &facts)
        .map_err(|error| Error::SerializationError(error.into()))?;
    let names = |entry: &Entry| entry.account == Account::Affiliates && entry.group == *affiliate;
    if !entries.iter().any(names) {
        return Ok(Sum::default());
    }
    let standing: Balances = entries.iter().filter(|entry| entry.at <= at).collect();
    Ok(payable(&standing))
}

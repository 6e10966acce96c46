//! `verify`: every figure computed again from the facts.

use rr_store::Verification;
use serde_json::json;

use super::{Context, database};
use crate::cli::Verify;
use crate::failure::Failure;
use crate::output::{self, Grid, Standing};
use crate::progress::Progress;

pub(super) async fn run(context: &Context, args: &Verify) -> Result<(), Failure> {
    let store = database::open_current(context).await?;
    let mut shown = None;
    let outcome = store
        .verify(context.clock.now(), |progress| {
            shown.get_or_insert_with(|| Progress::new("verifying", progress.of)).at(progress.done);
        })
        .await;
    drop(shown);
    store.close().await;
    let verification = outcome?;
    if args.json {
        print_json(&verification);
    } else {
        print(&verification);
    }
    if verification.faults.is_empty() { Ok(()) } else { Err(Failure::Differs) }
}

fn print_json(verification: &Verification) {
    let faults: Vec<_> = verification
        .faults
        .iter()
        .map(|fault| {
            json!({
                "figure": fault.figure,
                "group": fault.group,
                "expected": fault.expected,
                "found": fault.found,
            })
        })
        .collect();
    output::json(&json!({
        "seq": verification.seq,
        "compared": verification.compared,
        "faults": faults,
    }));
}

fn print(verification: &Verification) {
    let Verification { seq, compared, faults } = verification;
    if faults.is_empty() {
        output::line(format!("{compared} values agree with the facts up to number {seq}"));
        return;
    }
    let mut grid = Grid::new(&["FIGURE", "GROUP", "EXPECTED", "FOUND"]);
    for fault in faults {
        let found = grid.standing(&fault.found, Standing::Broken);
        grid.row([
            output::text(&fault.figure),
            output::text(fault.group.as_deref().unwrap_or("")),
            output::text(&fault.expected),
            found,
        ]);
    }
    grid.print();
    output::note(format!(
        "{} of {compared} values differ; `revenue-ripple rebuild` makes the ledger anew",
        faults.len()
    ));
}

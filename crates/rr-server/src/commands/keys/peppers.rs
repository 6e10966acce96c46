//! `keys peppers`: under which pepper how many keys stand, and what is said of it elsewhere.

use rr_store::{PepperPlace, PepperUse, PepperVersion, Store};
use serde::Serialize;
use serde_json::json;

use crate::cli::KeysPeppers;
use crate::commands::{Context, database};
use crate::failure::Failure;
use crate::output::{self, Grid, Standing};

pub(super) async fn run(context: &Context, args: &KeysPeppers) -> Result<(), Failure> {
    let store = database::open_existing(context).await?;
    let uses = store.pepper_uses(context.clock.now()).await;
    store.close().await;
    let uses = uses?;
    if args.json {
        output::json(&json!({ "peppers": uses.iter().map(Listed::of).collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut grid = Grid::new(&["PEPPER", "STATE", "KEYS"]);
    for left in &uses {
        let (state, standing) = match (left.place, left.keys) {
            (PepperPlace::Newest, _) => ("for new keys", Standing::Ok),
            (PepperPlace::Older, 0) => ("can go", Standing::Ok),
            (PepperPlace::Older, _) => ("in use", Standing::Warning),
            (PepperPlace::Unknown, _) => ("not configured: its keys are refused", Standing::Broken),
        };
        grid.row([
            output::text(left.pepper.map_or("none".to_owned(), |number| number.to_string())),
            grid.standing(state, standing),
            output::number(left.keys),
        ]);
    }
    grid.print();
    Ok(())
}

/// One pepper, for a program.
#[derive(Serialize)]
struct Listed {
    pepper: Option<PepperVersion>,
    state: &'static str,
    keys: i64,
}

impl Listed {
    fn of(left: &PepperUse) -> Listed {
        let state = match left.place {
            PepperPlace::Newest => "newest",
            PepperPlace::Older => "older",
            PepperPlace::Unknown => "not_configured",
        };
        Listed { pepper: left.pepper, state, keys: left.keys }
    }
}

/// Says so when a secret was made otherwise than the servers make theirs: they may have been told to refuse it.
pub(super) async fn note_unknown(store: &Store) {
    // Whether it can be told or not, the secret is made.
    if let Ok(Some(number)) = store.unknown_pepper().await {
        output::note(format!(
            "warning: this database has keys under pepper {number}, which RR_KEY_PEPPERS does not name here; give \
             the command line the settings of the servers"
        ));
    }
}

/// What is left where, of one kind: `3 under pepper 1, 5 under none`; `None` where nothing is.
pub(crate) fn left(uses: &[PepperUse], place: PepperPlace) -> Option<String> {
    let left = uses.iter().filter(|left| left.place == place && left.keys > 0);
    let parts: Vec<String> = left
        .map(|left| match left.pepper {
            Some(number) => format!("{} under pepper {number}", left.keys),
            None => format!("{} under none", left.keys),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Why keys that look well are refused, if any are: their pepper is missing here.
pub(crate) async fn refused(context: &Context, store: &Store) -> Result<Option<String>, Failure> {
    let uses = store.pepper_uses(context.clock.now()).await?;
    Ok(left(&uses, PepperPlace::Unknown).map(|left| {
        format!("keys are refused because their pepper is not configured here: {left}")
    }))
}

//! `migrate`: the state of the schema.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use rr_store::Migration;
use serde_json::json;

use super::{Context, database};
use crate::cli::{Migrate, MigrateAction};
use crate::failure::Failure;
use crate::output::{self, Grid, Standing};

pub(super) async fn run(context: &Context, args: &Migrate) -> Result<(), Failure> {
    if matches!(args.action, Some(MigrateAction::Down { yes: false })) && !io::stdin().is_terminal()
    {
        return Err(Failure::Usage(
            "`migrate down` deletes data and there is no terminal to ask at: say --yes".to_owned(),
        ));
    }
    let is_up = matches!(args.action, Some(MigrateAction::Up));
    if !is_up && !database::is_there(context) {
        // Neither looking nor taking back makes a file.
        return nothing_there(args);
    }
    let store = database::open(context)?;
    match args.action {
        None | Some(MigrateAction::Status) => show(&store.migration_status().await?, args.json),
        Some(MigrateAction::Up) => {
            let applied = store.migrate().await?;
            if args.json {
                output::json(&json!({ "applied": applied }));
            } else if applied.is_empty() {
                output::line("nothing to do: every migration is applied");
            } else {
                applied.iter().for_each(|name| output::line(format!("applied {name}")));
            }
        }
        Some(MigrateAction::Down { yes }) => {
            if !yes && !confirmed()? {
                output::note("nothing was changed");
                store.close().await;
                return Ok(());
            }
            let taken_back = store.migrate_down().await?;
            tell_taken_back(taken_back.as_deref(), args.json);
        }
    }
    store.close().await;
    Ok(())
}

/// What there is to say of a database whose file is not there.
fn nothing_there(args: &Migrate) -> Result<(), Failure> {
    match args.action {
        Some(MigrateAction::Down { .. }) => tell_taken_back(None, args.json),
        _ => show(&Migration::none_applied(), args.json),
    }
    Ok(())
}

fn tell_taken_back(name: Option<&str>, as_json: bool) {
    match (as_json, name) {
        (true, name) => output::json(&json!({ "taken_back": name })),
        (false, Some(name)) => output::line(format!("took {name} back")),
        (false, None) => output::line("nothing to do: no migration is applied"),
    }
}

/// Asks whoever sits at the terminal.
fn confirmed() -> Result<bool, Failure> {
    output::note("This deletes the data in the newest migration's tables. Go on? [y/N]");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("the terminal gave no answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn show(migrations: &[Migration], as_json: bool) {
    if as_json {
        let rows: Vec<_> = migrations
            .iter()
            .map(|migration| json!({ "name": migration.name, "applied": migration.applied }))
            .collect();
        return output::json(&json!({ "migrations": rows }));
    }
    let mut grid = Grid::new(&["MIGRATION", "STATE"]);
    for migration in migrations {
        let (state, standing) = match migration.applied {
            true => ("applied", Standing::Ok),
            false => ("pending", Standing::Warning),
        };
        let state = grid.standing(state, standing);
        grid.row([output::text(&migration.name), state]);
    }
    grid.print();
}

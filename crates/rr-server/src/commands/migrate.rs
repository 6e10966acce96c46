//! `migrate`: the state of the schema.

use rr_store::Migration;
use serde_json::json;

use super::{Context, database};
use crate::cli::{Migrate, MigrateAction};
use crate::failure::Failure;
use crate::output::{self, Grid, Standing};

pub(super) async fn run(context: &Context, args: &Migrate) -> Result<(), Failure> {
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
        Some(MigrateAction::Down) => {
            let taken_back = store.migrate_down().await?;
            match (args.json, taken_back) {
                (true, name) => output::json(&json!({ "taken_back": name })),
                (false, Some(name)) => output::line(format!("took {name} back")),
                (false, None) => output::line("nothing to do: no migration is applied"),
            }
        }
    }
    store.close().await;
    Ok(())
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

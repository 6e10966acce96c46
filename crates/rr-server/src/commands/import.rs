//! `import`: check everything, then write.

use std::path::PathBuf;

use rr_store::Actor;
use serde_json::json;

use super::{Context, database, peppers};
use crate::cli::Import;
use crate::failure::Failure;
use crate::import::{self, Checked};
use crate::output::{self, Grid};
use crate::{bulk, interrupt};

pub(super) async fn run(context: &Context, args: Import) -> Result<(), Failure> {
    let stop = interrupt::listen();
    let rejects: Option<PathBuf> =
        args.skip_bad.then(|| args.rejects.clone().unwrap_or_else(|| args.dir.join("rejects.csv")));
    let checked = import::check(&args.dir, rejects.as_deref(), &stop)?;
    tell_ignored(&checked);
    let bad = checked.bad();
    if bad > 0 && !args.skip_bad {
        return Err(refuse(&checked, args.json));
    }
    let files = checked.files.clone();
    let store = database::open_for_bulk(context).await?;
    let audit = context.audit(Actor::CommandLine);
    let written = import::write(checked, args.skip_bad, &store, &audit, &stop).await;
    let refused = match &written {
        Ok(written) if written.keys > 0 => peppers::refused(context, &store).await,
        _ => Ok(None),
    };
    store.close().await;
    let written = written?;
    if let Some(refused) = refused? {
        output::note(refused);
    }
    if args.json {
        output::json(&json!({
            "files": files,
            "new": written,
            "rejected": bad,
            "rejects": rejects.filter(|_| bad > 0),
        }));
        return Ok(());
    }
    let mut grid = Grid::new(&["FILE", "ROWS", "BAD"]);
    for file in &files {
        grid.row([output::text(file.file), output::number(file.rows), output::number(file.bad)]);
    }
    grid.print();
    tell_written(&written);
    if let Some(path) = rejects.filter(|_| bad > 0) {
        output::line(format!("left out as bad: {bad}; see {}", path.display()));
    }
    Ok(())
}

/// Names the first bad rows; nothing has been written.
fn refuse(checked: &Checked, as_json: bool) -> Failure {
    let bad = checked.bad();
    if as_json {
        output::json(&json!({ "files": checked.files, "bad_rows": bad, "first": checked.named }));
    }
    checked.named.iter().for_each(output::note);
    let named = u64::try_from(checked.named.len()).unwrap_or(bad);
    let more = match bad.saturating_sub(named) {
        0 => String::new(),
        rest => format!(" ({rest} more are not listed)"),
    };
    let (rows, them) = if bad == 1 { ("row is", "it") } else { ("rows are", "them") };
    Failure::trouble(format!(
        "nothing was imported, because {bad} {rows} bad{more}; mend {them}, or leave {them} out \
         with --skip-bad"
    ))
}

fn tell_ignored(checked: &Checked) {
    for file in checked.files.iter().filter(|file| !file.ignored.is_empty()) {
        output::note(format!("{}: ignoring {}", file.file, file.ignored.join(", ")));
    }
}

fn tell_written(written: &bulk::Written) {
    let bulk::Written { users, facts, keys, events, activity, emails_taken } = written;
    output::line(format!(
        "new: {users} users, {facts} facts, {keys} keys, {events} events, {activity} activity rows"
    ));
    if *emails_taken > 0 {
        output::line(format!(
            "{emails_taken} users were left out, because users with their e-mails are there already"
        ));
    }
}

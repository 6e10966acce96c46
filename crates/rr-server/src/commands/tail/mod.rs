//! `tail`: events in the terminal while they happen.

mod frames;
mod show;
mod source;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use super::{Context, stdin};
use crate::cli::Tail;
use crate::config::secret::Secret;
use crate::failure::Failure;
use crate::{interrupt, output};

use frames::Frames;
use show::Show;
use source::{Opened, Source};

/// How long to wait before the first try to come back, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// No event has this number.
const NOWHERE: i64 = -1;

/// Follows until Ctrl-C, until nobody reads what it prints, or until the server says that it makes no sense.
pub(super) fn run(context: &Context, args: &Tail) -> Result<(), Failure> {
    let http = &context.config.http;
    let here = || http.public_url.clone().unwrap_or_else(|| format!("http://{}", http.bind));
    let url = args.url.clone().unwrap_or_else(here);
    let source = Source::new(&url, &key(args)?, args)?;
    let show = Show::new(args.json);
    let place = Arc::new(AtomicI64::new(args.after.unwrap_or(NOWHERE)));
    let reached = Arc::clone(&place);
    interrupt::end_at_once(move || match reached.load(Ordering::Relaxed) {
        NOWHERE => {}
        last => output::note(format!("--after {last} goes on from here")),
    });

    let mut wait = FIRST_WAIT;
    loop {
        let after = Some(place.load(Ordering::Relaxed)).filter(|place| *place != NOWHERE);
        let why = match source.open(after)? {
            Opened::Stream(stream) => {
                wait = FIRST_WAIT;
                match follow(stream, &show, &place) {
                    Ok(why) => why,
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                    Err(error) => return Err(Failure::trouble(format!("cannot print: {error}"))),
                }
            }
            Opened::Later { why, retry_after } => {
                wait = wait.max(retry_after.unwrap_or_default());
                why
            }
        };
        output::note(format!("{why}; trying again in {} s", wait.as_secs()));
        thread::sleep(wait);
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Shows what comes; when nothing more does, says why. What cannot be shown is not passed: whoever comes back
/// to the place sees it then.
fn follow(stream: impl io::Read, show: &Show, place: &AtomicI64) -> io::Result<String> {
    for frame in Frames::of(stream) {
        match frame {
            Ok(frame) => {
                show.frame(&frame)?;
                if let Some(id) = frame.id {
                    place.store(id, Ordering::Relaxed);
                }
            }
            Err(error) => return Ok(format!("the connection broke ({error})")),
        }
    }
    Ok("the server ended the stream".to_owned())
}

/// The key never stands on the command line, where every program of the machine can read it.
fn key(args: &Tail) -> Result<Secret, Failure> {
    if args.key_stdin {
        return stdin::first_line();
    }
    match std::env::var("RR_API_KEY") {
        Ok(key) if !key.is_empty() => Ok(Secret::new(key)),
        _ => Err(Failure::Usage(
            "which key? Set RR_API_KEY, or pass it on standard input with --key-stdin".to_owned(),
        )),
    }
}

//! How a suite ended, and the lines that say so.

/// How one suite ended.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) state: State,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    /// Tests that were skipped, each with its reason.
    pub(crate) skipped: Vec<String>,
    /// What else the summary should say.
    pub(crate) notes: Vec<String>,
}

/// The one word of a suite's line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Passed,
    Failed,
    LeftOut,
}

impl Outcome {
    /// A suite in which nothing has run yet.
    pub(crate) fn new(name: &'static str) -> Outcome {
        Outcome {
            name,
            state: State::Passed,
            passed: 0,
            failed: 0,
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A suite that cannot run here.
    pub(crate) fn left_out(name: &'static str, why: &str) -> Outcome {
        Outcome { state: State::LeftOut, notes: vec![why.to_owned()], ..Outcome::new(name) }
    }

    /// Counts failures that no test reported, such as a program that crashed.
    pub(crate) fn fail(&mut self, why: String) {
        self.state = State::Failed;
        self.failed += 1;
        self.notes.push(why);
    }

    /// Applies the rules that hold for every suite: in CI nothing is left out, and a suite in which
    /// nothing ran has not passed, unless a filter asked for that.
    pub(crate) fn check(&mut self, ci: bool, filtered: bool) {
        if self.failed > 0 {
            self.state = State::Failed;
        }
        if self.state == State::Passed && self.passed == 0 && !filtered {
            self.state = State::Failed;
            self.notes.push("nothing ran".to_owned());
        }
        if ci && (self.state == State::LeftOut || !self.skipped.is_empty()) {
            self.state = State::Failed;
            self.notes.push("CI=true: nothing may be left out".to_owned());
        }
    }

    /// Adds what a Rust test program printed: its counts and what it skipped.
    pub(crate) fn add_libtest(&mut self, output: &str) -> bool {
        let mut ended = false;
        for line in output.lines() {
            if let Some(counts) = line.strip_prefix("test result: ") {
                ended = true;
                self.passed += count_before(counts, " passed");
                self.failed += count_before(counts, " failed");
            } else if let Some((test, why)) =
                line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored"))
            {
                self.skipped.push(format!("{test}{why}"));
            }
        }
        ended
    }
}

/// The number that stands before `word` in a line such as `ok. 3 passed; 0 failed`.
fn count_before(line: &str, word: &str) -> u32 {
    line.find(word)
        .and_then(|end| line.get(..end))
        .and_then(|before| before.rsplit([' ', '.', ';']).next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Prints one line per suite and a last one; says whether all is well.
pub(crate) fn print_summary(outcomes: &[Outcome]) -> bool {
    println!();
    for outcome in outcomes {
        let state = match outcome.state {
            State::Passed => "passed",
            State::Failed => "FAILED",
            State::LeftOut => "LEFT OUT",
        };
        let mut line = format!("{:<15} {state:<9}", outcome.name);
        if outcome.state != State::LeftOut {
            line += &format!("{} passed, {} failed", outcome.passed, outcome.failed);
        }
        if !outcome.skipped.is_empty() {
            line +=
                &format!(", {} skipped ({})", outcome.skipped.len(), outcome.skipped.join("; "));
        }
        if !outcome.notes.is_empty() {
            line += &format!(" [{}]", outcome.notes.join("; "));
        }
        println!("{line}");
    }
    let passed: u32 = outcomes.iter().map(|outcome| outcome.passed).sum();
    let failed: u32 = outcomes.iter().map(|outcome| outcome.failed).sum();
    let left_out = outcomes.iter().filter(|outcome| outcome.state == State::LeftOut).count();
    match left_out {
        0 => println!("{passed} passed, {failed} failed"),
        1 => println!("{passed} passed, {failed} failed, 1 suite left out"),
        n => println!("{passed} passed, {failed} failed, {n} suites left out"),
    }
    outcomes.iter().all(|outcome| outcome.state != State::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_test_program_prints() {
        let mut outcome = Outcome::new("unit");
        let ended = outcome.add_libtest(
            "test a ... ok\ntest b ... ignored, needs root\n\
             test result: FAILED. 41 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out\n",
        );
        assert!(ended);
        assert_eq!((outcome.passed, outcome.failed), (41, 2));
        assert_eq!(outcome.skipped, ["b, needs root"]);
    }

    #[test]
    fn a_suite_in_which_nothing_ran_has_not_passed() {
        let mut nothing = Outcome::new("unit");
        nothing.check(false, false);
        assert!(nothing.state == State::Failed);
        let mut filtered = Outcome::new("unit");
        filtered.check(false, true);
        assert!(filtered.state == State::Passed);
    }

    #[test]
    fn nothing_may_be_left_out_in_ci() {
        for (ci, expected) in [(false, State::LeftOut), (true, State::Failed)] {
            let mut outcome = Outcome::left_out("http-postgres", "PostgreSQL is missing");
            outcome.check(ci, false);
            assert!(outcome.state == expected);
        }
    }
}

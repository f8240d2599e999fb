//! Steps of a longer chore: each is announced, timed, and listed at the end.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// The steps so far.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Ok,
    Failed,
    Skipped,
}

impl Report {
    /// Runs one step; `None` when it failed.
    pub(crate) fn step<T>(&mut self, name: &'static str, run: impl FnOnce() -> Result<T, String>) -> Option<T> {
        println!("\n==> {name}");
        let start = Instant::now();
        let outcome = run().inspect_err(|message| println!("{message}"));
        let took = start.elapsed();
        let verdict = match outcome {
            Ok(_) => Verdict::Ok,
            Err(_) => Verdict::Failed,
        };
        println!("<== {name}: {verdict}, {:.1} s", took.as_secs_f64());
        self.steps.push(Step { name, verdict, took });
        outcome.ok()
    }

    /// Notes a step that lacks what it needs.
    pub(crate) fn skip(&mut self, name: &'static str) {
        self.steps.push(Step { name, verdict: Verdict::Skipped, took: Duration::ZERO });
    }

    /// How many steps failed.
    pub(crate) fn failed(&self) -> usize {
        self.steps.iter().filter(|step| step.verdict == Verdict::Failed).count()
    }

    /// Prints the table of all steps.
    pub(crate) fn print(&self) {
        println!("\n{:<12} {:<8} {:>8}", "step", "result", "seconds");
        for Step { name, verdict, took } in &self.steps {
            println!("{name:<12} {verdict:<8} {:>8.1}", took.as_secs_f64());
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

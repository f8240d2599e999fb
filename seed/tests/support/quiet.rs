//! Progress for nobody, and a seeding that stops at a given point.

use farmlokal_seed::progress::Progress;
use tokio_util::sync::CancellationToken;

/// Says nothing; cancels `stop` at one piece of news.
#[derive(Default)]
pub struct Quiet {
    pub stop: CancellationToken,
    /// Stop once so many products are there.
    pub at_rows: Option<u64>,
    /// Stop when this part is being built.
    pub at_step: Option<usize>,
}

impl Quiet {
    fn stop_if(&self, reached: bool) {
        if reached {
            self.stop.cancel();
        }
    }
}

impl Progress for Quiet {
    fn waiting(&self) {}
    fn begin(&self, _found: u64, _wanted: u64) {}
    fn end(&self) {}

    fn loaded(&self, rows: u64) {
        self.stop_if(self.at_rows.is_some_and(|at| rows >= at));
    }

    fn step(&self, _name: &str, number: usize, _of: usize) {
        self.stop_if(self.at_step == Some(number));
    }
}

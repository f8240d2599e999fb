//! How fast requests come, and for how long.

use std::time::Duration;

use farmlokal_catalog::Invalid;

use super::ask::Ask;

/// What part of a core the answers of a load may take; more, and requests would wait for each other, and
/// the wait be measured in place of the work.
const SHARE: f64 = 0.25;

/// A rate and a duration.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Requests a second.
    pub(super) rate: f64,
    pub(super) duration: Duration,
}

impl Pace {
    /// The rate for answers that take so many milliseconds each.
    pub(super) fn bearable(self, milliseconds: f64) -> f64 {
        self.rate.min(SHARE * 1_000.0 / milliseconds.max(0.001)).max(1.0)
    }

    /// How many requests come.
    pub(super) fn count(self) -> usize {
        (self.rate * self.duration.as_secs_f64()).ceil() as usize
    }

    /// As many requests as come, each by `draw`.
    pub(super) fn requests(self, draw: impl FnMut() -> Result<Ask, Invalid>) -> Result<Vec<Ask>, String> {
        let drawn = std::iter::repeat_with(draw).take(self.count());
        drawn.collect::<Result<_, _>>().map_err(|error| error.to_string())
    }
}

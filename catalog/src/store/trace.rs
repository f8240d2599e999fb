//! Traces across the log of changes: from the request that wrote to those who follow. What a trace is, is known
//! elsewhere; as with `tracing`, one part of the process says so for all.

use std::fmt::Debug;
use std::sync::OnceLock;

/// Knows which trace is under way, and goes on with those of others.
pub trait Traces: Debug + Send + Sync {
    /// The trace that is under way here as a `traceparent` (W3C Trace Context), if it is recorded.
    fn current(&self) -> Option<String>;

    /// Goes on with `traceparent` until what is returned is dropped: its work is called `name`.
    fn resume(&self, traceparent: &str, name: &'static str) -> Box<dyn Send>;
}

static TRACES: OnceLock<Box<dyn Traces>> = OnceLock::new();

/// Has changes carry the traces that `traces` knows of. Only the first call in a process counts.
pub fn carry_by(traces: impl Traces + 'static) {
    let _ = TRACES.set(Box::new(traces));
}

/// What is noted with a change that is written here.
pub(super) fn current() -> Option<String> {
    TRACES.get()?.current()
}

/// Goes on with the traces of some changes until what is returned is dropped.
pub(crate) fn resume<'a>(traceparents: impl Iterator<Item = &'a str>, name: &'static str) -> Vec<Box<dyn Send>> {
    let Some(traces) = TRACES.get() else { return Vec::new() };
    some(traceparents).into_iter().map(|traceparent| traces.resume(traceparent, name)).collect()
}

/// A burst of writes is one piece of work: so many of its traces are enough to see it.
const MOST: usize = 20;

/// The first of `traceparents`, each once.
fn some<'a>(traceparents: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut some = Vec::new();
    for traceparent in traceparents {
        if some.len() < MOST && !some.contains(&traceparent) {
            some.push(traceparent);
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_seen_by_some_of_its_traces_and_a_trace_of_many_changes_once() {
        let traces: Vec<String> = (0..5_000).map(|number| format!("trace {}", number / 10)).collect();
        assert_eq!(some(traces.iter().take(25).map(String::as_str)), ["trace 0", "trace 1", "trace 2"]);
        assert_eq!(some(traces.iter().map(String::as_str)).len(), MOST);
    }
}

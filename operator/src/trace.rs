//! Traces that go on in what an operator makes: by the W3C's `traceparent`, as an annotation.

use farmlokal_telemetry::{Kind, Root, propagation};

/// A round as a part of the trace that `parent` names, or as one of its own.
#[must_use]
pub fn begin(parent: Option<&str>) -> Root {
    let parent = propagation::parse(parent.unwrap_or_default());
    Root::begin(Kind::Internal, &parent, None).called("reconcile FarmLokal")
}

/// The `traceparent` of what is under way, if it is recorded: to join one that is not would keep others from recording.
#[must_use]
pub fn current() -> Option<String> {
    propagation::current().filter(|traceparent| traceparent.ends_with("-01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_recorded_is_not_passed_on() {
        let root = begin(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        assert_eq!(root.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(root.run(async { current() }).await, None, "nothing is set up here");
        assert_eq!(begin(Some("nonsense")).run(async { current() }).await, None);
    }
}

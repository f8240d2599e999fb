//! `[webhooks]`: who sends events, and how they are applied.

use std::time::Duration;

use super::reader::Reader;
use crate::webhooks::Sources;

/// Events that others send.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Who may send.
    pub sources: Sources,
    /// Events applied at once.
    pub concurrency: usize,
    /// How often the inbox is looked at.
    pub poll: Duration,
    /// How often an event is tried.
    pub max_attempts: u32,
    /// From the first try to the second.
    pub retry_first: Duration,
    /// From a try to the next, at the most.
    pub retry_longest: Duration,
    /// How long events that are done are remembered.
    pub retention: Duration,
}

pub(super) fn read(reader: &mut Reader) -> Option<Webhooks> {
    let sources = reader.text("webhooks.sources").and_then(|text| reader.parse("webhooks.sources", text));
    let concurrency = reader.whole("webhooks.concurrency", 1, 1_000);
    let poll = reader.millis("webhooks.poll_ms", 1);
    let max_attempts = reader.whole("webhooks.max_attempts", 1, 1_000);
    let retry_first = reader.millis("webhooks.retry_first_ms", 1);
    let retry_longest = reader.millis("webhooks.retry_longest_ms", 1);
    // Senders repeat an event for as long as a day.
    let retention = reader.whole("webhooks.retention_hours", 24, 24 * 365);
    Some(Webhooks {
        sources: sources?,
        concurrency: usize::try_from(concurrency?).ok()?,
        poll: poll?,
        max_attempts: u32::try_from(max_attempts?).ok()?,
        retry_first: retry_first?,
        retry_longest: retry_longest?,
        retention: Duration::from_secs(retention? * 3_600),
    })
}

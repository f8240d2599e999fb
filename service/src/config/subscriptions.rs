//! `[subscriptions]`: who may be told of changes, and how that is done.

use std::time::Duration;

use super::reader::Reader;
use crate::subscriptions::{Delays, Rules};

/// Telling others of changes.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    /// Where we go beyond the public internet.
    pub rules: Rules,
    /// The times between the tries.
    pub schedule: Delays,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Receivers served at once.
    pub concurrency: usize,
    /// Deliveries to one receiver at once.
    pub per_receiver: u32,
    /// How often the log and the deliveries are looked at.
    pub poll: Duration,
    /// How long deliveries that are done are remembered.
    pub retention: Duration,
}

pub(super) fn read(reader: &mut Reader) -> Option<Subscriptions> {
    let allow_http = reader.read("subscriptions.allow_http", "must be true or false");
    let allow_networks = reader.text("subscriptions.allow_networks");
    let allow_networks = allow_networks.and_then(|text| reader.parse("subscriptions.allow_networks", text));
    let schedule = reader.text("subscriptions.schedule");
    let schedule = schedule.and_then(|text| reader.parse("subscriptions.schedule", text));
    let timeout = reader.whole("subscriptions.timeout_ms", 1, 60_000);
    let concurrency = reader.whole("subscriptions.concurrency", 1, 10_000);
    let per_receiver = reader.whole("subscriptions.per_receiver", 1, 100);
    let poll = reader.millis("subscriptions.poll_ms", 1);
    let retention = reader.whole("subscriptions.retention_hours", 1, 24 * 365);
    Some(Subscriptions {
        rules: Rules { allow_http: allow_http?, allow_networks: allow_networks? },
        schedule: schedule?,
        timeout: Duration::from_millis(timeout?),
        concurrency: usize::try_from(concurrency?).ok()?,
        per_receiver: u32::try_from(per_receiver?).ok()?,
        poll: poll?,
        retention: Duration::from_secs(retention? * 3_600),
    })
}

//! `[limits]`: how much one client may ask, and how much is done at once.

use std::time::Duration;

use super::reader::Reader;
use crate::limits::{Class, Clients, ForwardingField, Policy};

/// Rate limits and load shedding.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The quota of each class, in the order of [`Class::ALL`]; `None` for no limit.
    pub policies: [Option<Policy>; Class::ALL.len()],
    /// How clients are told apart.
    pub clients: Clients,
    /// Requests worked on at once.
    pub max_in_flight: usize,
    /// Requests that wait for a place.
    pub max_queued: usize,
    /// How long they wait.
    pub queue_timeout: Duration,
}

pub(super) fn read(reader: &mut Reader) -> Option<Limits> {
    let window = reader.whole("limits.window_s", 1, 86_400).map(Duration::from_secs);
    let quotas = Class::ALL.map(|class| reader.whole(&format!("limits.{}", class.name()), 0, 1_000_000));
    let exempt = reader.text("limits.exempt").and_then(|text| reader.parse("limits.exempt", text));
    let proxies = reader.text("limits.trusted_proxies").and_then(|text| reader.parse("limits.trusted_proxies", text));
    let field = forwarding_field(reader);
    let max_in_flight = reader.whole("limits.max_in_flight", 1, 1_000_000);
    let max_queued = reader.whole("limits.max_queued", 0, 1_000_000);
    let queue_timeout = reader.millis("limits.queue_timeout_ms", 1);
    let window = window?;
    let mut policies = [None; Class::ALL.len()];
    for (policy, quota) in policies.iter_mut().zip(quotas) {
        let quota = u32::try_from(quota?).ok()?;
        *policy = (quota > 0).then(|| Policy::new(quota, window));
    }
    Some(Limits {
        policies,
        clients: Clients { trusted_proxies: proxies?, field: field?, exempt: exempt? },
        max_in_flight: usize::try_from(max_in_flight?).ok()?,
        max_queued: usize::try_from(max_queued?).ok()?,
        queue_timeout: queue_timeout?,
    })
}

fn forwarding_field(reader: &mut Reader) -> Option<ForwardingField> {
    match reader.text("limits.proxies_write")?.to_ascii_lowercase().as_str() {
        "x-forwarded-for" => Some(ForwardingField::XForwardedFor),
        "forwarded" => Some(ForwardingField::Forwarded),
        _ => {
            reader.mistake("limits.proxies_write", "must be X-Forwarded-For or Forwarded");
            None
        }
    }
}

//! Leave to compute an answer: one process of all has it, and the others wait for what comes of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::entry::Entry;
use super::question::Key;
use super::shared::{LEASE, Shared};
use super::{Cache, Failure};
use crate::redis::LinkError;

/// The first and the longest pause between two looks for what another process computes.
const LOOKS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(80));

/// What came of waiting for leave to compute.
pub(super) enum Turn {
    /// It is ours, under this token.
    Ours(String),
    /// Another process has computed it.
    Computed(Arc<Entry>),
    /// Redis does not answer, or the other process takes too long: compute without leave.
    Alone,
}

/// What came of asking for leave to compute.
pub(super) enum Leave {
    /// It is ours.
    Given,
    /// Another process has it.
    Refused,
    /// Another process has had it, and this is what it computed.
    Needless(Arc<Entry>),
}

/// Asks for leave to compute the entry for `key`, which there is no need for if one `will_do` that is there by now.
pub(super) async fn take(
    shared: &Shared,
    key: &Key,
    token: &str,
    will_do: impl Fn(&Entry) -> bool,
) -> Result<Leave, LinkError> {
    match shared.lease(key, token).await? {
        (Some(entry), given) if will_do(&entry) => {
            if given {
                // A failure costs nothing: the lease ends by itself.
                let _ = shared.release(key, token).await;
            }
            Ok(Leave::Needless(Arc::new(entry)))
        }
        (_, true) => Ok(Leave::Given),
        (_, false) => Ok(Leave::Refused),
    }
}

impl<E: Failure> Cache<E> {
    /// Waits for leave to compute, or for the entry that another process computes meanwhile. Its lease ends
    /// with its process, so this ends too.
    pub(super) async fn lease_or_entry(&self, shared: &Shared, key: &Key) -> Turn {
        let (token, end) = (self.token(), Instant::now() + LEASE);
        let mut pause = LOOKS.0;
        loop {
            match take(shared, key, &token, |entry| self.is_fresh(entry)).await {
                Ok(Leave::Given) => return Turn::Ours(token),
                Ok(Leave::Needless(entry)) => return Turn::Computed(entry),
                Ok(Leave::Refused) => {}
                Err(_) => return Turn::Alone,
            }
            let waiting = self.wait_for_other(shared, key, end, &mut pause);
            if let Some(turn) = waiting.instrument(tracing::debug_span!("lease wait")).await {
                return turn;
            }
        }
    }

    /// Looks for the entry that another process computes. `None` when that one has given up its lease.
    async fn wait_for_other(&self, shared: &Shared, key: &Key, end: Instant, pause: &mut Duration) -> Option<Turn> {
        loop {
            if Instant::now() >= end {
                return Some(Turn::Alone);
            }
            sleep(*pause).await;
            *pause = (*pause * 2).min(LOOKS.1);
            match shared.look(key).await {
                Ok((Some(entry), _)) if self.is_fresh(&entry) => return Some(Turn::Computed(Arc::new(entry))),
                Ok((_, true)) => {}
                Ok((_, false)) => return None,
                Err(_) => return Some(Turn::Alone),
            }
        }
    }
}

//! Who is at work on a request under an `Idempotency-Key`, and the answer once it is done.
//!
//! Started with an owner and a lease; completed, with the answer, in the transaction of the effect. An owner whose
//! lease has run out may be overtaken, and then cannot complete: its effect is undone with its transaction.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::idempotency::{Claim, KeptAnswer, KeyedRequest, Owner, Turn};

/// How long a try may take before another may take over.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long a key stands for its request.
pub const KEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// Keys forgotten by one pruning.
pub(super) const PRUNE: u32 = 1_000;

/// Requests under keys.
#[async_trait]
pub trait Idempotency: Send + Sync {
    /// Whose turn it is: the caller's, as `owner`, if nobody has done the request and nobody is at work on it.
    async fn begin(&self, request: KeyedRequest, owner: Owner, now: Timestamp) -> Result<Turn, StoreError>;

    /// Gives the turn back: the request was not done. Of an owner that was overtaken this changes nothing.
    async fn give_up(&self, claim: &Claim) -> Result<(), StoreError>;

    /// Forgets keys older than [`KEEP`], a bounded number at a time.
    async fn prune_keys(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// A key as the table has it.
pub(super) struct Row {
    pub(super) fingerprint: Vec<u8>,
    pub(super) owner: Vec<u8>,
    pub(super) lease_until: Timestamp,
    pub(super) status: Option<u16>,
    pub(super) headers: Option<String>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) created_at: Timestamp,
}

/// What a key that is there already means for a request.
pub(super) enum Found {
    /// This, and nothing is to be written.
    Turn(Turn),
    /// The request may be taken from the row's owner.
    Overtake,
}

impl Row {
    /// What the row means for `request`.
    pub(super) fn read(self, request: &KeyedRequest, now: Timestamp) -> Found {
        let since = now.to_utc() - self.created_at.to_utc();
        if since.to_std().is_ok_and(|since| since >= KEEP) {
            return Found::Overtake;
        }
        if self.fingerprint != request.fingerprint {
            return Found::Turn(Turn::Mismatch);
        }
        match self.status {
            Some(status) => {
                // Written by us; an unreadable list would only lose the fields.
                let headers = self.headers.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
                Found::Turn(Turn::Done(KeptAnswer { status, headers, body: self.body.unwrap_or_default() }))
            }
            None if self.lease_until <= now => Found::Overtake,
            None => Found::Turn(Turn::UnderWay),
        }
    }
}

/// When a lease taken `now` runs out.
pub(super) fn lease_until(now: Timestamp) -> Timestamp {
    (now.to_utc() + LEASE).into()
}

/// The time before which keys are forgotten.
pub(super) fn forgotten(now: Timestamp) -> Timestamp {
    (now.to_utc() - KEEP).into()
}

/// The answer's header fields as the table has them.
pub(super) fn headers(answer: &KeptAnswer) -> String {
    // Strings always serialise.
    serde_json::to_string(&answer.headers).unwrap_or_default()
}

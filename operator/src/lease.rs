//! Who works: of several operators, the one that holds a Lease.
//!
//! Every write of the Lease carries the version that was read, so of two that take it at once one fails. Who holds it
//! stops working before others may take it. Others judge by how long they have seen no change, not by the times in the
//! Lease: clocks of machines differ.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, PostParams};
use kube::{Client, ResourceExt as _};
use tokio::time::Instant;

/// How long a Lease nobody renews keeps others away.
pub const DURATION: Duration = Duration::from_secs(15);
/// Who could not renew for so long stops working, with time to spare.
pub const GIVE_UP: Duration = Duration::from_secs(10);
/// Between two looks, and two renewals.
pub const PERIOD: Duration = Duration::from_secs(2);
/// A request that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(3);

/// What to do about a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// There is none yet.
    Create,
    /// It is nobody's, or its holder has gone silent.
    Take,
    /// It is ours.
    Renew,
    /// It is somebody else's.
    Wait,
}

/// What to do about `lease`, which has been seen unchanged for `unchanged`.
#[must_use]
pub fn evaluate(lease: Option<&LeaseSpec>, identity: &str, unchanged: Duration) -> Move {
    let Some(lease) = lease else { return Move::Create };
    let duration = lease.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    match lease.holder_identity.as_deref() {
        None | Some("") => Move::Take,
        Some(holder) if holder == identity => Move::Renew,
        Some(_) if unchanged >= duration.map_or(DURATION, Duration::from_secs) => Move::Take,
        Some(_) => Move::Wait,
    }
}

/// Takes part in the choice of who works.
#[derive(Debug)]
pub struct Elector {
    api: Api<Lease>,
    name: String,
    identity: String,
    clock: fn() -> Timestamp,
    seen: Option<(String, Instant)>,
}

impl Elector {
    /// For the Lease `name` in `namespace`. `identity` is this process and no other, earlier ones included.
    #[must_use]
    pub fn new(client: &Client, namespace: &str, name: &str, identity: String, clock: fn() -> Timestamp) -> Self {
        let api = Api::namespaced(client.clone(), namespace);
        Self { api, name: name.to_owned(), identity, clock, seen: None }
    }

    /// Waits until the Lease is ours.
    pub async fn acquire(&mut self) {
        loop {
            match self.step().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "the lease could not be taken"),
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// Renews the Lease, and returns when it is lost: then somebody else may be at work soon.
    pub async fn keep(&mut self) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep_until((Instant::now() + PERIOD).min(renewed + GIVE_UP)).await;
            let began = Instant::now();
            match tokio::time::timeout_at(renewed + GIVE_UP, self.step()).await {
                Ok(Ok(true)) => renewed = began,
                Ok(Ok(false)) => {
                    tracing::error!("the lease is somebody else's now");
                    return;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the lease could not be renewed"),
                Err(_) => {}
            }
            if renewed.elapsed() >= GIVE_UP {
                tracing::error!("the lease could not be renewed for {GIVE_UP:?}");
                return;
            }
        }
    }

    /// Gives the Lease back, so that the next one need not wait.
    pub async fn release(&mut self) {
        let released = async {
            let Some(mut lease) = self.api.get_opt(&self.name).await? else { return Ok(()) };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() != Some(&self.identity) {
                return Ok(());
            }
            spec.holder_identity = None;
            spec.renew_time = Some(MicroTime((self.clock)()));
            self.api.replace(&self.name, &PostParams::default(), &lease).await.map(|_| ())
        };
        match tokio::time::timeout(PATIENCE, released).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the lease could not be given back; it ends by itself"),
            Err(_) => tracing::warn!("the lease could not be given back in time; it ends by itself"),
        }
    }

    /// One look and what follows from it: whether the Lease is ours.
    async fn step(&mut self) -> Result<bool, kube::Error> {
        match tokio::time::timeout(PATIENCE, self.look()).await {
            Ok(result) => result,
            Err(_) => Err(kube::Error::Service("no answer in time".into())),
        }
    }

    async fn look(&mut self) -> Result<bool, kube::Error> {
        let lease = self.api.get_opt(&self.name).await?;
        let unchanged = lease.as_ref().map(|lease| self.unchanged(lease)).unwrap_or_default();
        let spec = lease.as_ref().map(|lease| lease.spec.clone().unwrap_or_default());
        let written = match evaluate(spec.as_ref(), &self.identity, unchanged) {
            Move::Wait => return Ok(false),
            Move::Create => self.api.create(&PostParams::default(), &self.taken(None)).await,
            Move::Take | Move::Renew => self.api.replace(&self.name, &PostParams::default(), &self.taken(lease)).await,
        };
        match written {
            Ok(_) => Ok(true),
            // Somebody was quicker; the next look tells who.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// For how long we have seen this very version.
    fn unchanged(&mut self, lease: &Lease) -> Duration {
        let version = lease.resource_version().unwrap_or_default();
        match &self.seen {
            Some((seen, since)) if *seen == version => since.elapsed(),
            _ => {
                self.seen = Some((version, Instant::now()));
                Duration::ZERO
            }
        }
    }

    /// The Lease as ours. It keeps the version that was read.
    fn taken(&self, lease: Option<Lease>) -> Lease {
        let now = MicroTime((self.clock)());
        let mut lease = lease.unwrap_or_else(|| Lease {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: None,
        });
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() != Some(&self.identity) {
            spec.holder_identity = Some(self.identity.clone());
            spec.acquire_time = Some(now.clone());
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
        }
        spec.lease_duration_seconds = i32::try_from(DURATION.as_secs()).ok();
        spec.renew_time = Some(now);
        lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_taken_only_from_nobody_or_the_silent() {
        let held = |holder: &str, seconds| LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(seconds),
            ..LeaseSpec::default()
        };
        let seconds = Duration::from_secs;
        for (lease, unchanged, expected) in [
            (None, seconds(0), Move::Create),
            (Some(LeaseSpec::default()), seconds(0), Move::Take),
            (Some(held("", 15)), seconds(0), Move::Take),
            (Some(held("me", 15)), seconds(99), Move::Renew),
            (Some(held("other", 15)), seconds(14), Move::Wait),
            (Some(held("other", 15)), seconds(15), Move::Take),
            (Some(held("other", 60)), seconds(59), Move::Wait),
            (Some(held("other", -1)), seconds(14), Move::Wait),
        ] {
            assert_eq!(evaluate(lease.as_ref(), "me", unchanged), expected, "{lease:?} {unchanged:?}");
        }
    }

    #[test]
    fn who_cannot_renew_stops_before_others_start() {
        assert!(GIVE_UP + PATIENCE < DURATION);
    }
}

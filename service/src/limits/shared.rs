//! The quotas that replicas share, in Redis: one key a client and class, one atomic script.

use std::sync::Arc;

use redis::Script;

use super::account::Grant;
use super::gcra::Policy;
use crate::redis::{LinkError, Redis};

/// The way to the shared quotas.
pub(super) struct Shared {
    redis: Arc<Redis>,
    take: Script,
}

impl Shared {
    pub(super) fn new(redis: Arc<Redis>) -> Self {
        Self { redis, take: Script::new(include_str!("take.lua")) }
    }

    /// Takes up to `wanted` requests from `client`'s quota. `known` is how far ahead of now the caller knows
    /// the TAT to be, in case Redis has forgotten. The clock is Redis's, the same for all replicas.
    pub(super) async fn take(&self, client: &str, policy: Policy, wanted: u32, known: u64) -> Result<Grant, LinkError> {
        let mut invocation = self.take.prepare_invoke();
        // The time to live, as long as the TAT is ahead, is the script's.
        invocation.key(format!("farmlokal:limits:{{{client}}}"));
        invocation.arg(policy.interval()).arg(policy.span()).arg(wanted).arg(known);
        let (granted, ahead) = self.redis.invoke(&invocation).await?;
        Ok(Grant { granted, ahead })
    }
}

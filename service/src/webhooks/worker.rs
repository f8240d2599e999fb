//! Applies what is in the inbox. Any number of workers on any number of replicas may run at once: the database
//! gives each event to one of them.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::inbox::{Due, State};
use farmlokal_catalog::store::Inbox;
use farmlokal_telemetry::{Kind, Root, carry, propagation};
use opentelemetry::trace::SpanContext;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Backoff;
use crate::tally::{Tally, counted};

/// Events looked up at once.
const BATCH: u32 = 64;
/// What the inbox says of an event that we failed, not the sender.
const OUR_FAULT: &str = "applying it failed on our side; the log has the cause";

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Events applied at once.
    pub concurrency: usize,
    /// How often it looks for events that nobody woke it for.
    pub poll: Duration,
    /// When failed events are tried again.
    pub backoff: Backoff,
}

/// Applies events until it is told to stop.
pub struct Worker {
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    wake: Arc<Notify>,
    options: WorkerOptions,
    applied: Arc<Tally<Applied>>,
}

counted! {
    /// What came of trying to apply an event.
    pub enum Applied {
        /// It is applied, or outdone by a newer one.
        Processed = "processed",
        /// Nothing here does anything for it.
        Ignored = "ignored",
        /// It is to be tried again.
        Retried = "retried",
        /// It was given up.
        Parked = "parked",
        /// It failed, which was our fault or the database's.
        Failed = "failed",
    }
}

impl From<State> for Applied {
    fn from(state: State) -> Self {
        match state {
            State::Processed => Self::Processed,
            State::Ignored => Self::Ignored,
            State::Pending => Self::Retried,
            State::Parked => Self::Parked,
        }
    }
}

impl Worker {
    /// A worker on `inbox`, woken by `wake`.
    pub fn new(
        inbox: Arc<dyn Inbox>,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        wake: Arc<Notify>,
        options: WorkerOptions,
    ) -> Self {
        Self { inbox, clock, wake, options, applied: Arc::default() }
    }

    /// What came of its tries.
    pub fn applied(&self) -> Arc<Tally<Applied>> {
        Arc::clone(&self.applied)
    }

    /// Works until `stop`; what is being applied then is brought to its end.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if !self.round(&stop).await {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.wake.notified() => {}
                    () = tokio::time::sleep(self.options.poll) => {}
                }
            }
        }
    }

    /// Applies what is due, as much as is looked up at once. Whether to go on without a pause.
    async fn round(&self, stop: &CancellationToken) -> bool {
        let due = match self.inbox.due((self.clock)(), BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!("cannot look for events: {error}");
                return false;
            }
        };
        let full = due.len() == BATCH as usize;
        let (mut under_way, mut applied) = (JoinSet::new(), 0_usize);
        for event in due {
            if under_way.len() == self.options.concurrency {
                applied += usize::from(matches!(under_way.join_next().await, Some(Ok(true))));
            }
            if stop.is_cancelled() {
                break;
            }
            under_way.spawn(self.attempt(event));
        }
        while let Some(ended) = under_way.join_next().await {
            applied += usize::from(matches!(ended, Ok(true)));
        }
        // Without any success, the database is away or others are at the same events: time to pause.
        full && applied > 0
    }

    /// Applies an event in a task of its own, so that nothing stops it halfway and a panic stops nothing else: a part
    /// of the trace that brought it. Whether it came to a decision.
    fn attempt(&self, Due { number, traceparent }: Due) -> impl Future<Output = bool> + use<> {
        let (inbox, clock, backoff) = (Arc::clone(&self.inbox), Arc::clone(&self.clock), self.options.backoff);
        let counts = Arc::clone(&self.applied);
        let cause = traceparent.as_deref().map_or(SpanContext::NONE, propagation::parse);
        let root = Root::begin(Kind::Consumer, &cause, None).called("process event");
        let work = async move {
            let now = clock();
            let retry = move |number, attempts| backoff.next(number, attempts, now);
            let applying = Arc::clone(&inbox);
            let applying = carry(async move { applying.process(number, now, &retry).await });
            let applied = tokio::spawn(applying).await;
            if !matches!(applied, Ok(Ok(_))) {
                counts.add(Applied::Failed);
            }
            match applied {
                Ok(Ok(state)) => {
                    if let Some(state) = state {
                        counts.add(state.into());
                        tracing::debug!(number, %state, "event");
                    }
                    return state.is_some();
                }
                // It is due as before, and not its fault.
                Ok(Err(error)) if error.is_transient() => {
                    tracing::warn!(number, "an event could not be applied yet: {error}");
                    return false;
                }
                Ok(Err(error)) => tracing::error!(number, "applying an event failed: {error}"),
                Err(panic) => tracing::error!(number, "applying an event broke off: {panic}"),
            }
            // Counted, so that an event that always fails does not hold the others up for ever.
            if let Err(error) = inbox.broke_off(number, OUR_FAULT, now, &retry).await {
                tracing::warn!(number, "cannot put a failed event off: {error}");
            }
            false
        };
        async move { root.run(work).await }
    }
}

#[cfg(test)]
mod tests;

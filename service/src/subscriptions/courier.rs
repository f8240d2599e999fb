//! Carries deliveries to their receivers. Any number of couriers on any number of replicas may run at once: the
//! database puts each delivery into the hands of one. A receiver has one lane, so that a slow one holds up only
//! itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::ProductId;
use farmlokal_catalog::idempotency::Owner;
use farmlokal_catalog::store::Outbox;
use farmlokal_catalog::subscription::{DeliveryState, Due, Subscription, SubscriptionId};
use farmlokal_telemetry::{Kind, Root};
use opentelemetry::trace::SpanContext;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::verdict::settle;
use super::{Client, Reply, Schedule};
use crate::clock::Clock;
use crate::tally::{Tally, counted};

/// For noting what came of a try, beside the time of the try itself.
const GRACE: Duration = Duration::from_secs(10);
/// What is under way when the service ends may take so long; then it is left to others.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// How a courier works.
#[derive(Debug, Clone)]
pub struct CourierOptions {
    /// Receivers served at once.
    pub concurrency: usize,
    /// Deliveries to one receiver at once.
    pub per_receiver: u32,
    /// How often it looks for deliveries that nobody woke it for.
    pub poll: Duration,
    /// When failed ones are tried again.
    pub schedule: Schedule,
}

/// Carries deliveries until it is told to stop.
#[derive(Clone)]
pub struct Courier {
    outbox: Arc<dyn Outbox>,
    client: Client,
    clock: Clock,
    wake: Arc<Notify>,
    options: Arc<CourierOptions>,
    tries: Arc<Tally<Tried>>,
}

counted! {
    /// What came of trying to deliver.
    pub enum Tried {
        /// The receiver has it.
        Delivered = "delivered",
        /// It is to be tried again.
        Retried = "retried",
        /// It was given up.
        GivenUp = "given_up",
        /// What came of it could not be noted; it is made again.
        Lost = "lost",
    }
}

impl From<DeliveryState> for Tried {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Pending => Self::Retried,
            DeliveryState::Failed => Self::GivenUp,
        }
    }
}

/// The lanes that are open: each a task with one receiver's deliveries.
#[derive(Default)]
struct Lanes {
    open: JoinSet<()>,
    receivers: HashMap<Id, SubscriptionId>,
    /// Whose lane was opened last: those behind it come first, so that each has its turn.
    last: Option<SubscriptionId>,
}

impl Courier {
    /// A courier for what is in `outbox`, woken by `wake`.
    pub fn new(
        outbox: Arc<dyn Outbox>,
        client: Client,
        clock: Clock,
        wake: Arc<Notify>,
        options: CourierOptions,
    ) -> Self {
        Self { outbox, client, clock, wake, options: Arc::new(options), tries: Arc::default() }
    }

    /// What came of its tries.
    pub fn tries(&self) -> Arc<Tally<Tried>> {
        Arc::clone(&self.tries)
    }

    /// Works until `stop`; what is being sent then is waited for a moment.
    pub async fn run(self, stop: CancellationToken) {
        let mut lanes = Lanes::default();
        while !stop.is_cancelled() {
            if lanes.open.len() < self.options.concurrency {
                match self.outbox.waiting((self.clock)()).await {
                    Ok(waiting) => self.open(&mut lanes, waiting, &stop),
                    Err(error) => tracing::warn!("cannot look for deliveries: {error}"),
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = lanes.closed() => {}
                () = sleep(self.options.poll) => {}
            }
        }
        let _ = timeout(ENDS_WITHIN, async { while lanes.open.join_next().await.is_some() {} }).await;
    }

    /// Opens a lane for each of `waiting` that has none, as far as there is room.
    fn open(&self, lanes: &mut Lanes, waiting: Vec<SubscriptionId>, stop: &CancellationToken) {
        let (earlier, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|id| Some(*id) <= lanes.last);
        for id in later.into_iter().chain(earlier) {
            if lanes.open.len() >= self.options.concurrency {
                break;
            }
            if !lanes.receivers.values().any(|served| *served == id) {
                let task = lanes.open.spawn(self.clone().lane(id, stop.clone()));
                lanes.receivers.insert(task.id(), id);
                lanes.last = Some(id);
            }
        }
    }

    /// Takes some deliveries to `id` and sends them: at once, but those about one product one after the other.
    async fn lane(self, id: SubscriptionId, stop: CancellationToken) {
        let (owner, now) = (Owner::random(), (self.clock)());
        // Were all about one product, they would take so long.
        let longest = self.client.patience().saturating_mul(self.options.per_receiver).saturating_add(GRACE);
        let until = (now.to_utc() + longest).into();
        let taken = self.outbox.take_deliveries(id, owner, now, until, self.options.per_receiver).await;
        let (subscription, taken) = match taken {
            Ok(Some(taken)) => taken,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(subscription = %id, "cannot take deliveries: {error}");
                // The lane stays open so long, or it would be opened again at once.
                return sleep(self.options.poll).await;
            }
        };
        let mut products: BTreeMap<ProductId, Vec<Due>> = BTreeMap::new();
        for due in taken {
            products.entry(due.product).or_default().push(due);
        }
        let subscription = Arc::new(subscription);
        let mut sending = JoinSet::new();
        for mut deliveries in products.into_values() {
            deliveries.sort_by_key(|due| due.number);
            sending.spawn(self.clone().send_all(Arc::clone(&subscription), deliveries, owner, stop.clone()));
        }
        while sending.join_next().await.is_some() {}
    }

    async fn send_all(
        self,
        subscription: Arc<Subscription>,
        deliveries: Vec<Due>,
        owner: Owner,
        stop: CancellationToken,
    ) {
        for due in deliveries {
            if stop.is_cancelled() {
                // It is due again when its time with us is over.
                return;
            }
            let root = Root::begin(Kind::Internal, &SpanContext::NONE, None).called("deliver event");
            let try_once = async {
                let reply = self.client.send(&subscription, &due, (self.clock)()).await;
                self.note(&due, owner, &reply).await;
            };
            root.run(try_once).await;
        }
    }

    /// Notes what came of a try. Should that fail, the delivery is made again, under the same id.
    async fn note(&self, due: &Due, owner: Owner, reply: &Reply) {
        let settled = settle(due, reply, &self.options.schedule, (self.clock)());
        let (subscription, event) = (due.subscription, &due.event);
        let noted = self.outbox.settle(due, owner, &settled).await;
        self.tries.add(if matches!(noted, Ok(true)) { settled.state.into() } else { Tried::Lost });
        match noted {
            Ok(true) => tracing::debug!(%subscription, %event, state = %settled.state, "{}", settled.outcome),
            Ok(false) => tracing::warn!(%subscription, %event, "a delivery took too long and is in others' hands"),
            Err(error) => tracing::warn!(%subscription, %event, "cannot note what came of a delivery: {error}"),
        }
    }
}

impl Lanes {
    /// Waits until a lane has closed; for ever when none is open.
    async fn closed(&mut self) {
        let id = match self.open.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(panic)) => {
                tracing::error!("sending deliveries broke off: {panic}");
                panic.id()
            }
            None => return std::future::pending().await,
        };
        self.receivers.remove(&id);
    }
}

#[cfg(test)]
mod tests;

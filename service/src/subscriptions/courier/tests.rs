//! The courier between an outbox that does as it is told and a real receiver.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use farmlokal_catalog::store::StoreError;
use farmlokal_catalog::subscription::{DeliveryState, Outgoing, Settled, SharedSecret, Standing};
use farmlokal_testkit::receiver::{Mood, Receiver};
use tokio::time::Instant;

use farmlokal_catalog::Timestamp;

use super::*;
use crate::subscriptions::{Guard, Rules, SystemResolver};

/// Has always something for each receiver, and notes what comes of it.
struct Fake {
    receiver: Receiver,
    receivers: i64,
    /// Taking what is for this one fails.
    broken: Option<i64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: HashMap<i64, u32>,
    settled: Vec<(SubscriptionId, u64, DeliveryState)>,
    /// How many looks there were for what is due.
    looks: u32,
}

#[async_trait]
impl Outbox for Fake {
    async fn lend_fan_out(&self, _: Owner, _: Timestamp, _: Timestamp) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    async fn fan_out(&self, _: Owner, _: u64, _: &[Outgoing], _: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    async fn waiting(&self, _: Timestamp) -> Result<Vec<SubscriptionId>, StoreError> {
        self.state.lock().unwrap().looks += 1;
        Ok((1..=self.receivers).map(|id| SubscriptionId::new(id).unwrap()).collect())
    }

    async fn take_deliveries(
        &self,
        id: SubscriptionId,
        _: Owner,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Option<(Subscription, Vec<Due>)>, StoreError> {
        assert!(until.to_utc() - now.to_utc() > chrono::Duration::seconds(limit.into()), "long enough for all of them");
        *self.state.lock().unwrap().taken.entry(id.get()).or_default() += 1;
        if self.broken == Some(id.get()) {
            return Err(StoreError::Busy);
        }
        let subscription = Subscription {
            id,
            url: self.receiver.url(&format!("/{id}")).parse().unwrap(),
            kinds: "".parse().unwrap(),
            secret: SharedSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            owner: String::new(),
            standing: Standing::Active,
            created_at: now,
        };
        // The first two are about one product, and given in the wrong order.
        let due = |number: u64, product: i64| Due {
            number,
            subscription: id,
            event: format!("evt_{number}").parse().unwrap(),
            product: ProductId::new(product).unwrap(),
            payload: b"{}".to_vec(),
            attempts: 0,
        };
        Ok(Some((subscription, vec![due(2, 1), due(1, 1), due(3, 2)])))
    }

    async fn settle(&self, due: &Due, _: Owner, settled: &Settled) -> Result<bool, StoreError> {
        self.state.lock().unwrap().settled.push((due.subscription, due.number, settled.state));
        Ok(true)
    }

    async fn prune_deliveries(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}

fn courier(fake: &Arc<Fake>, concurrency: usize, poll: Duration) -> Courier {
    patient_courier(fake, concurrency, poll, Duration::from_secs(1))
}

fn patient_courier(fake: &Arc<Fake>, concurrency: usize, poll: Duration, patience: Duration) -> Courier {
    let rules = Rules { allow_http: true, allow_networks: "127.0.0.0/8".parse().unwrap() };
    let client = Client::new(Guard::new(rules, Arc::new(SystemResolver)), patience);
    let schedule = Schedule { delays: "1h".parse().unwrap(), seed: 1 };
    let options = CourierOptions { concurrency, per_receiver: 4, poll, schedule };
    let clock = Arc::new(|| Timestamp::from(chrono::Utc::now()));
    Courier::new(Arc::<Fake>::clone(fake), client, clock, Arc::default(), options)
}

fn fake(receivers: i64, broken: Option<i64>) -> Arc<Fake> {
    Arc::new(Fake { receiver: Receiver::start(), receivers, broken, state: Mutex::default() })
}

async fn until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain");
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn everybody_has_a_turn_also_in_one_lane() {
    let fake = fake(5, None);
    let stop = CancellationToken::new();
    let running = tokio::spawn(courier(&fake, 1, Duration::from_secs(3_600)).run(stop.clone()));
    // Without a poll: a lane that closes makes room for the next one.
    until(|| fake.state.lock().unwrap().settled.len() >= 60).await;
    stop.cancel();
    running.await.unwrap();
    let state = fake.state.lock().unwrap();
    let times: Vec<u32> = (1..=5).map(|id| state.taken[&id]).collect();
    assert!(times.iter().max().unwrap() - times.iter().min().unwrap() <= 1, "{times:?}");
    assert!(state.settled.iter().all(|(.., state)| *state == DeliveryState::Delivered));
}

#[tokio::test]
async fn events_about_one_product_are_sent_in_their_order() {
    let fake = fake(1, None);
    let slow = Duration::from_millis(30);
    fake.receiver.mood("/1", Mood::Dawdles(slow));
    let stop = CancellationToken::new();
    let running = tokio::spawn(courier(&fake, 1, Duration::from_secs(3_600)).run(stop.clone()));
    until(|| fake.receiver.received("/1").len() >= 3).await;
    stop.cancel();
    running.await.unwrap();
    let received = fake.receiver.received("/1");
    let at = |event: &str| received.iter().find(|one| one.fields["webhook-id"] == event).unwrap().at;
    assert!(at("evt_2") - at("evt_1") >= slow, "one after the other");
    assert!(at("evt_3") < at("evt_2"), "beside another product's");
}

#[tokio::test]
async fn a_lane_that_fails_is_not_opened_again_at_once() {
    let fake = fake(1, Some(1));
    let stop = CancellationToken::new();
    let running = tokio::spawn(courier(&fake, 4, Duration::from_millis(50)).run(stop.clone()));
    let start = Instant::now();
    until(|| fake.state.lock().unwrap().looks >= 5).await;
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_never_answers_does_not_keep_the_service_from_ending() {
    let fake = fake(3, None);
    let minute = Duration::from_secs(60);
    fake.receiver.mood("/2", Mood::Dawdles(minute));
    let stop = CancellationToken::new();
    let courier = patient_courier(&fake, 4, Duration::from_millis(50), minute);
    let running = tokio::spawn(courier.run(stop.clone()));
    until(|| (1..=3).all(|id| !fake.receiver.received(&format!("/{id}")).is_empty())).await;
    let start = Instant::now();
    stop.cancel();
    running.await.unwrap();
    assert!(start.elapsed() < ENDS_WITHIN + minute / 2, "{:?}", start.elapsed());
    let served: BTreeSet<_> = fake.state.lock().unwrap().settled.iter().map(|(id, ..)| id.get()).collect();
    assert!(served.contains(&1) && served.contains(&3), "the others were served meanwhile: {served:?}");
}

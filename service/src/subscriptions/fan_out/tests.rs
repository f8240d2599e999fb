//! The fan-out on a log and an outbox that do as they are told.

use std::sync::Mutex;

use async_trait::async_trait;
use farmlokal_catalog::store::bulk::SeedRun;
use farmlokal_catalog::store::changes::LogBounds;
use farmlokal_catalog::subscription::{Due, Settled, Subscription, SubscriptionId};
use tokio::task::JoinHandle;

use super::*;

#[derive(Default)]
struct State {
    /// The numbers that can be seen in the log; each is of the product of that number.
    log: BTreeSet<u64>,
    pruned: u64,
    position: u64,
    lent: Option<(Owner, Timestamp)>,
    /// What was passed on, in the order in which that happened.
    passed: Vec<String>,
    failures: u32,
}

#[derive(Default)]
struct Fake(Mutex<State>);

#[async_trait]
impl ChangeLog for Fake {
    async fn identity(&self) -> Result<String, StoreError> {
        Ok("farm".to_owned())
    }

    async fn log_bounds(&self) -> Result<LogBounds, StoreError> {
        let state = self.0.lock().unwrap();
        let last = state.log.last().copied().unwrap_or(0);
        Ok(LogBounds { first: if last > 0 { state.pruned + 1 } else { 0 }, last, settled: 0 })
    }

    async fn changes(&self, after: u64, missing: &[u64], limit: u32) -> Result<Vec<Change>, StoreError> {
        assert!(missing.len() < 1_000, "nobody asks for all that was ever pruned");
        let state = self.0.lock().unwrap();
        let late = state.log.iter().filter(|number| missing.contains(number));
        let new = state.log.iter().filter(|number| **number > after).take(limit as usize);
        let change = |number: &u64| Change {
            number: *number,
            product: ProductId::new(*number as i64).ok(),
            categories: Vec::new(),
            at: Timestamp::from_micros(0).unwrap(),
            traceparent: None,
        };
        Ok(new.chain(late).map(change).collect())
    }

    async fn scan(&self, _: Option<ProductId>, _: u32) -> Result<Vec<Product>, StoreError> {
        Ok(Vec::new())
    }

    async fn current(&self, _: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        Ok(Vec::new())
    }

    async fn seeding(&self) -> Result<Option<SeedRun>, StoreError> {
        Ok(None)
    }

    async fn prune_log(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[async_trait]
impl Outbox for Fake {
    async fn lend_fan_out(&self, owner: Owner, now: Timestamp, until: Timestamp) -> Result<Option<u64>, StoreError> {
        let mut state = self.0.lock().unwrap();
        if state.lent.is_some_and(|(holder, until)| holder != owner && until > now) {
            return Ok(None);
        }
        state.lent = Some((owner, until));
        Ok(Some(state.position))
    }

    async fn fan_out(&self, owner: Owner, position: u64, events: &[Outgoing], _: Timestamp) -> Result<(), StoreError> {
        let mut state = self.0.lock().unwrap();
        if state.lent.is_none_or(|(holder, _)| holder != owner) {
            return Err(StoreError::Overtaken);
        }
        if state.failures > 0 {
            state.failures -= 1;
            return Err(StoreError::Busy);
        }
        state.position = position;
        state.passed.extend(events.iter().map(|event| event.id.to_string()));
        Ok(())
    }

    async fn waiting(&self, _: Timestamp) -> Result<Vec<SubscriptionId>, StoreError> {
        Ok(Vec::new())
    }

    async fn take_deliveries(
        &self,
        _: SubscriptionId,
        _: Owner,
        _: Timestamp,
        _: Timestamp,
        _: u32,
    ) -> Result<Option<(Subscription, Vec<Due>)>, StoreError> {
        Ok(None)
    }

    async fn settle(&self, _: &Due, _: Owner, _: &Settled) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn prune_deliveries(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// A clock that goes with the paused one of the tests.
fn clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || {
        let micros = i64::try_from(start.elapsed().as_micros()).unwrap();
        Timestamp::from_micros(1_000_000 + micros).unwrap()
    })
}

fn start(fake: &Arc<Fake>, clock: &Clock) -> (JoinHandle<()>, CancellationToken) {
    let (log, outbox) = (Arc::<Fake>::clone(fake), Arc::<Fake>::clone(fake));
    let poll = Duration::from_millis(100);
    let fan_out = FanOut::new(log, outbox, Arc::clone(clock), |_, _| Vec::new(), poll, Arc::default());
    let stop = CancellationToken::new();
    (tokio::spawn(fan_out.run(stop.clone())), stop)
}

impl Fake {
    fn with(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap());
    }

    /// What was passed on, and up to where the log is settled.
    fn seen(&self) -> (Vec<u64>, u64) {
        let state = self.0.lock().unwrap();
        (state.passed.iter().map(|id| id.strip_prefix("evt_farm_").unwrap().parse().unwrap()).collect(), state.position)
    }
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_that_shows_up_late_is_passed_on_and_none_twice() {
    let fake = Arc::new(Fake::default());
    fake.with(|state| state.log = [1, 2, 4].into());
    let (running, stop) = start(&fake, &clock());
    seconds(1).await;
    assert_eq!(fake.seen(), (vec![1, 2, 4], 2), "3 may still come");
    fake.with(|state| state.log.extend([3, 6]));
    seconds(1).await;
    assert_eq!(fake.seen(), (vec![1, 2, 4, 6, 3], 4));
    // 5 was rolled back.
    seconds(60).await;
    fake.with(|state| state.log.extend([7]));
    seconds(1).await;
    assert_eq!(fake.seen(), (vec![1, 2, 4, 6, 3, 7], 7));
    fake.with(|state| state.log.extend(8..=1_000));
    seconds(1).await;
    assert_eq!((fake.seen().0.len(), fake.seen().1), (999, 1_000), "piece by piece");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_passed_on_again() {
    let fake = Arc::new(Fake::default());
    fake.with(|state| (state.log, state.failures) = ([1, 2].into(), 2));
    let (running, stop) = start(&fake, &clock());
    seconds(1).await;
    assert_eq!(fake.seen(), (vec![], 0));
    // By the same replica, once its own earlier term is over.
    seconds(60).await;
    assert_eq!(fake.seen(), (vec![1, 2], 2));
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_replica_passes_on_and_another_takes_over() {
    let fake = Arc::new(Fake::default());
    let clock = clock();
    let (first, stop_first) = start(&fake, &clock);
    seconds(1).await;
    let (second, stop_second) = start(&fake, &clock);
    for number in 1..=20 {
        fake.with(|state| state.log.extend([number]));
        seconds(1).await;
        assert_eq!(fake.seen(), ((1..=number).collect(), number));
    }
    // Given back, so that the other has it as soon as it asks.
    stop_first.cancel();
    first.await.unwrap();
    seconds(4).await;
    fake.with(|state| state.log.extend([21]));
    seconds(1).await;
    assert_eq!(fake.seen(), ((1..=21).collect(), 21));
    // A third that dies: its term has to end.
    fake.with(|state| state.lent = Some((Owner([9; 16]), ((clock)().to_utc() + LEASE).into())));
    fake.with(|state| state.log.extend([22]));
    seconds(5).await;
    assert_eq!(fake.seen().1, 21, "it is fenced off");
    seconds(10).await;
    assert_eq!(fake.seen(), ((1..=22).collect(), 22));
    stop_second.cancel();
    second.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_pruned_meanwhile_is_followed_from_where_it_begins() {
    let fake = Arc::new(Fake::default());
    fake.with(|state| (state.log, state.pruned, state.position) = ((5_000_001..=5_000_003).collect(), 5_000_000, 7));
    let (running, stop) = start(&fake, &clock());
    seconds(1).await;
    assert_eq!(fake.seen(), ((5_000_001..=5_000_003).collect(), 5_000_003));
    stop.cancel();
    running.await.unwrap();
}

//! The worker on an inbox that fails as it is told to.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use farmlokal_catalog::inbox::{Event, NewEvent, Receipt, SourceName, State};
use farmlokal_catalog::store::StoreError;
use farmlokal_catalog::store::inbox::Retry;
use farmlokal_catalog::{EventId, Limit};
use tokio::time::Instant;

use super::*;

/// What processing an event does.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Works,
    Panics,
    Fails,
    IsBusy,
}

#[derive(Default)]
struct Fake {
    due: Mutex<BTreeMap<u64, (Fate, Timestamp, u32)>>,
    processed: Mutex<Vec<u64>>,
    parked: Mutex<Vec<u64>>,
    tries: Mutex<BTreeMap<u64, u32>>,
}

#[async_trait]
impl Inbox for Fake {
    async fn receive(&self, _: &NewEvent, _: Timestamp) -> Result<Receipt, StoreError> {
        Err(StoreError::NotFound)
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        let due = self.due.lock().unwrap();
        let numbers = due
            .iter()
            .filter(|(_, (_, at, _))| *at <= now)
            .map(|(number, _)| Due { number: *number, traceparent: None });
        Ok(numbers.take(limit as usize).collect())
    }

    async fn process(&self, number: u64, _: Timestamp, _: Retry<'_>) -> Result<Option<State>, StoreError> {
        let (fate, ..) = self.due.lock().unwrap()[&number];
        let tries = *self.tries.lock().unwrap().entry(number).and_modify(|tries| *tries += 1).or_insert(1);
        match fate {
            Fate::Panics => panic!("as told"),
            Fate::Fails => return Err(StoreError::Corrupt { id: 1, field: "name".into() }),
            Fate::IsBusy if tries < 3 => return Err(StoreError::Busy),
            Fate::IsBusy | Fate::Works => {}
        }
        self.due.lock().unwrap().remove(&number);
        self.processed.lock().unwrap().push(number);
        Ok(Some(State::Processed))
    }

    async fn broke_off(&self, number: u64, why: &str, _: Timestamp, retry: Retry<'_>) -> Result<(), StoreError> {
        assert_eq!(why, OUR_FAULT);
        let mut due = self.due.lock().unwrap();
        let (_, at, attempts) = due.get_mut(&number).unwrap();
        *attempts += 1;
        match retry(number, *attempts) {
            Some(next) => *at = next,
            None => {
                due.remove(&number);
                self.parked.lock().unwrap().push(number);
            }
        }
        Ok(())
    }

    async fn events(
        &self,
        _: &SourceName,
        _: Option<State>,
        _: Option<u64>,
        _: Limit,
    ) -> Result<(Vec<Event>, bool), StoreError> {
        Err(StoreError::NotFound)
    }

    async fn event(&self, _: &SourceName, _: &EventId) -> Result<Option<(Event, Vec<u8>)>, StoreError> {
        Err(StoreError::NotFound)
    }

    async fn replay(&self, _: &SourceName, _: &EventId, _: Timestamp) -> Result<Option<Event>, StoreError> {
        Err(StoreError::NotFound)
    }

    async fn prune_inbox(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// A clock that each look moves on by a second, so that nothing has to be waited for.
fn clock() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let seconds = std::sync::atomic::AtomicI64::new(0);
    Arc::new(move || {
        let second = seconds.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Timestamp::from_micros(second * 1_000_000).unwrap()
    })
}

fn options(poll: Duration) -> WorkerOptions {
    let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(4), attempts: 3, seed: 1 };
    WorkerOptions { concurrency: 3, poll, backoff }
}

fn fake(fate: impl Fn(u64) -> Fate, events: u64) -> Arc<Fake> {
    let start = Timestamp::from_micros(0).unwrap();
    let due = (1..=events).map(|number| (number, (fate(number), start, 0))).collect();
    Arc::new(Fake { due: Mutex::new(due), ..Fake::default() })
}

async fn until(done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn panics_and_failures_hold_nothing_up_and_end_parked() {
    let fate = |number| match number {
        // More than are looked up at once, and all before the good ones.
        1..=70 => Fate::Panics,
        71..=140 => Fate::Fails,
        141..=145 => Fate::IsBusy,
        _ => Fate::Works,
    };
    let inbox = fake(fate, 150);
    let (stop, wake) = (CancellationToken::new(), Arc::new(Notify::new()));
    let worker = Worker::new(Arc::<Fake>::clone(&inbox), clock(), wake, options(Duration::from_millis(1)));
    let running = tokio::spawn(worker.run(stop.clone()));
    until(|| inbox.due.lock().unwrap().is_empty()).await;
    stop.cancel();
    running.await.unwrap();
    let sorted = |numbers: &Mutex<Vec<u64>>| {
        let mut numbers = numbers.lock().unwrap().clone();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(sorted(&inbox.processed), (141..=150).collect::<Vec<_>>());
    assert_eq!(sorted(&inbox.parked), (1..=140).collect::<Vec<_>>());
    let tries = inbox.tries.lock().unwrap();
    assert!((1..=145).all(|number| tries[&number] == 3), "{tries:?}");
}

#[tokio::test]
async fn a_new_event_need_not_wait_for_the_next_look() {
    let inbox = fake(|_| Fate::Works, 0);
    let (stop, wake) = (CancellationToken::new(), Arc::new(Notify::new()));
    let worker =
        Worker::new(Arc::<Fake>::clone(&inbox), clock(), Arc::clone(&wake), options(Duration::from_secs(3_600)));
    let running = tokio::spawn(worker.run(stop.clone()));
    for number in 1..=3 {
        let start = Timestamp::from_micros(0).unwrap();
        inbox.due.lock().unwrap().insert(number, (Fate::Works, start, 0));
        wake.notify_one();
        until(|| inbox.processed.lock().unwrap().len() == number as usize).await;
    }
    stop.cancel();
    running.await.unwrap();
}

//! One for all: who asks what is being found out already waits for that.

use std::collections::HashMap;
use std::collections::hash_map;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use farmlokal_telemetry::carry;
use tokio::sync::watch;

type Outcome<T> = watch::Receiver<Option<T>>;
type Board<T> = Mutex<HashMap<Box<[u8]>, Outcome<T>>>;

/// Work under way, by its question. The work runs in a task of its own: callers that go away neither end
/// nor repeat it.
pub(super) struct Flights<T> {
    running: Arc<Board<T>>,
}

/// A place among those who wait for some work.
pub(super) struct Seat<T> {
    outcome: Outcome<T>,
    /// Whether the work was under way before.
    pub(super) joined: bool,
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// None under way.
    pub(super) fn new() -> Self {
        Self { running: Arc::default() }
    }

    /// A seat on the flight for `question`; if there is none, `work` begins.
    pub(super) fn board(&self, question: &[u8], work: impl Future<Output = T> + Send + 'static) -> Seat<T> {
        let (told, outcome) = watch::channel(None);
        match lock(&self.running).entry(question.into()) {
            hash_map::Entry::Occupied(running) => return Seat { outcome: running.get().clone(), joined: true },
            hash_map::Entry::Vacant(vacant) => vacant.insert(outcome.clone()),
        };
        let landing = Landing { running: Arc::clone(&self.running), question: question.into() };
        // A part of the request that began it; the others only wait.
        tokio::spawn(carry(async move {
            let result = work.await;
            // Before the result is told: whoever comes later finds it in the cache, or begins anew.
            drop(landing);
            told.send_replace(Some(result));
        }));
        Seat { outcome, joined: false }
    }

    /// Whether work for `question` is under way.
    pub(super) fn is_under_way(&self, question: &[u8]) -> bool {
        lock(&self.running).contains_key(question)
    }
}

impl<T: Clone> Seat<T> {
    /// What came of the work; `None` if it broke.
    pub(super) async fn wait(mut self) -> Option<T> {
        self.outcome.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// Takes the flight from the board, also when its work panics.
struct Landing<T> {
    running: Arc<Board<T>>,
    question: Box<[u8]>,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.question);
    }
}

fn lock<T>(running: &Board<T>) -> MutexGuard<'_, HashMap<Box<[u8]>, Outcome<T>>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    /// G1: a thousand at once are one.
    #[tokio::test]
    async fn a_thousand_at_once_are_one() {
        let (flights, loads, gate) = (Flights::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let seats: Vec<_> = (0..1_000)
            .map(|_| {
                let (loads, gate) = (Arc::clone(&loads), Arc::clone(&gate));
                flights.board(b"milk", async move {
                    gate.notified().await;
                    loads.fetch_add(1, Ordering::Relaxed) + 1
                })
            })
            .collect();
        assert_eq!(seats.iter().filter(|seat| seat.joined).count(), 999);
        gate.notify_one();
        for seat in seats {
            assert_eq!(seat.wait().await, Some(1));
        }
        assert!(!flights.is_under_way(b"milk"));
        assert_eq!(flights.board(b"milk", async { 7 }).wait().await, Some(7), "later ones begin anew");
    }

    /// G3: the one who began it goes away, again and again; the work goes on, once.
    #[tokio::test]
    async fn leaders_that_go_away_neither_end_nor_repeat_it() {
        let (flights, loads, gate) = (Flights::new(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        for _ in 0..250 {
            let (loads, gate) = (Arc::clone(&loads), Arc::clone(&gate));
            let seat = flights.board(b"milk", async move {
                loads.fetch_add(1, Ordering::Relaxed);
                gate.notified().await;
                "fresh"
            });
            // Polled, then given up.
            assert!(tokio::time::timeout(std::time::Duration::ZERO, seat.wait()).await.is_err());
        }
        let last = flights.board(b"milk", async { "never" });
        gate.notify_one();
        assert_eq!(last.wait().await, Some("fresh"));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn work_that_panics_leaves_the_way_free() {
        let flights = Flights::new();
        for _ in 0..250 {
            let seat = flights.board(b"milk", async { panic!("the test's own") });
            assert_eq!(seat.wait().await, None::<u8>);
        }
        assert_eq!(flights.board(b"milk", async { 1 }).wait().await, Some(1));
    }
}

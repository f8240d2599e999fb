//! How much is done at once: so many requests, a short queue before them, and no more.
//!
//! Beyond what a machine can do, each further request makes all others slower, until none is answered in
//! time. So the rest is turned away at once, which costs next to nothing, and those inside stay quick.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// The places.
#[derive(Debug)]
pub struct Load {
    size: usize,
    places: Semaphore,
    queue: Semaphore,
    patience: Duration,
    turned_away: AtomicU64,
}

/// There was no place; come back in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// When to try again, in seconds: different for each, so that they do not come back together.
    pub retry_after: u64,
}

impl Load {
    /// Those who are turned away are spread over so many seconds.
    const SPREAD: u64 = 3;

    /// `places` at once, `queue` more that wait for one for at most `patience`.
    pub fn new(places: usize, queue: usize, patience: Duration) -> Self {
        let semaphore = |permits: usize| Semaphore::new(permits.min(Semaphore::MAX_PERMITS));
        let size = places.min(Semaphore::MAX_PERMITS);
        Self { size, places: semaphore(places), queue: semaphore(queue), patience, turned_away: AtomicU64::new(0) }
    }

    /// A place, kept until it is dropped.
    pub async fn enter(&self) -> Result<SemaphorePermit<'_>, Full> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        if let Ok(_waiting) = self.queue.try_acquire()
            && let Ok(Ok(place)) = timeout(self.patience, self.places.acquire()).await
        {
            return Ok(place);
        }
        let earlier = self.turned_away.fetch_add(1, Ordering::Relaxed);
        Err(Full { retry_after: 1 + earlier % Self::SPREAD })
    }

    /// How many places there are, and how many of them are taken.
    pub fn places(&self) -> (usize, usize) {
        (self.size, self.size.saturating_sub(self.places.available_permits()))
    }

    /// How many were turned away so far.
    pub fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn places_then_queue_then_nothing() {
        let load = Load::new(1, 1, Duration::from_secs(60));
        let place = load.enter().await.unwrap();
        let (waited, full) = tokio::join!(load.enter(), async {
            // By now the queue is taken: join polls in order.
            let full = load.enter().await;
            drop(place);
            full
        });
        assert!(waited.is_ok());
        assert_eq!(full.unwrap_err(), Full { retry_after: 1 });
        assert_eq!(load.turned_away(), 1);
    }

    #[tokio::test]
    async fn patience_ends() {
        let load = Load::new(1, 1, Duration::from_millis(1));
        let _place = load.enter().await.unwrap();
        assert!(load.enter().await.is_err());
        let retries =
            [load.enter().await, load.enter().await, load.enter().await].map(|full| full.unwrap_err().retry_after);
        assert_eq!(retries, [2, 3, 1], "spread");
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_the_queue() {
        let load = Load::new(1, 1, Duration::from_secs(60));
        let place = load.enter().await.unwrap();
        assert!(timeout(Duration::from_millis(1), load.enter()).await.is_err(), "it waits");
        let (waited, ()) = tokio::join!(load.enter(), async { drop(place) });
        assert!(waited.is_ok(), "the queue was free again");
    }

    /// A machine that does four things at once, 10 ms each: 400 a second. It is asked by 100 clients that
    /// do not wait before they try again.
    #[tokio::test(start_paused = true)]
    async fn overload_degrades_and_does_not_collapse() {
        let load = Arc::new(Load::new(4, 4, Duration::from_secs(1)));
        let end = Instant::now() + Duration::from_secs(1);
        let clients = (0..100).map(|_| {
            let load = Arc::clone(&load);
            tokio::spawn(async move {
                let mut answers: Vec<(bool, Duration)> = Vec::new();
                while Instant::now() < end {
                    let asked = Instant::now();
                    let place = load.enter().await;
                    let good = place.is_ok();
                    if good {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                    drop(place);
                    answers.push((good, asked.elapsed()));
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                answers
            })
        });
        let mut answers = Vec::new();
        for client in clients.collect::<Vec<_>>() {
            answers.extend(client.await.unwrap());
        }
        let (mut good, mut shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(good, _)| *good);
        good.sort_unstable();
        shed.sort_unstable();
        // Nearly all that it can do.
        assert!(good.len() > 380, "{} good answers", good.len());
        assert!(shed.len() > good.len(), "{} turned away", shed.len());
        let median = |answers: &[(bool, Duration)]| answers[answers.len() / 2].1;
        // Everybody inside at once would take 250 ms each.
        assert!(median(&good) < Duration::from_millis(100), "{:?}", median(&good));
        assert!(median(&shed) < Duration::from_millis(5), "{:?}", median(&shed));
    }
}

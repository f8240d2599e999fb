//! Clients that ask at a steady rate, whatever becomes of their requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use farmlokal_testkit::http::Client;
use fastrand::Rng;

/// Each has a connection that stays open.
pub const CLIENTS: u32 = 16;
/// Of the products asked for, most are among these: a shop has its favourites.
const FAVOURITES: u64 = 1_000;

/// Requests under way.
#[derive(Debug)]
pub struct Traffic {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

/// What became of them.
#[derive(Debug, Default)]
pub struct Tally {
    /// From when each was due to its answer.
    pub took: Vec<Duration>,
    /// Those that were answered wrong or not at all, with the reason.
    pub failed: Vec<String>,
    /// Those that found their connection closed, and were sent again on another one.
    pub again: u64,
}

impl Traffic {
    /// Begins `rate` requests a second for the products `1..=rows` of the service at `address`.
    #[must_use]
    pub fn begin(address: SocketAddr, rate: u32, rows: u64) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let pause = Duration::from_secs(1) * CLIENTS / rate;
        let client = |number| {
            let stop = Arc::clone(&stop);
            // One after the other, not all at once.
            let first = Instant::now() + pause * number / CLIENTS;
            thread::spawn(move || ask(address, rows, first, pause, u64::from(number), &stop))
        };
        Self { clients: (0..CLIENTS).map(client).collect(), stop }
    }

    /// Ends them.
    ///
    /// # Errors
    ///
    /// When there were none.
    pub fn end(self) -> Result<Tally, String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        for client in self.clients {
            let one = client.join().map_err(|_| "a client ended early")?;
            all.took.extend(one.took);
            all.failed.extend(one.failed);
            all.again += one.again;
        }
        all.took.sort_unstable();
        if all.took.is_empty() { Err(format!("no request was answered: {:?}", all.failed.first())) } else { Ok(all) }
    }
}

impl Tally {
    /// Says that no more than `most` failed, and what was seen.
    ///
    /// # Errors
    ///
    /// When more did; the message has the first reason.
    pub fn judge(&self, most: usize) -> Result<String, String> {
        let Self { took, failed, again } = self;
        let seen = format!(
            "{} answered, {} failed, {again} sent again; P50 {:.1} ms, P99 {:.1} ms, longest {:.0} ms",
            took.len(),
            failed.len(),
            self.percentile(50),
            self.percentile(99),
            self.percentile(100),
        );
        match failed.first() {
            Some(first) if failed.len() > most => Err(format!("{seen}; at most {most} may fail, the first: {first}")),
            _ => Ok(seen),
        }
    }

    /// In milliseconds.
    fn percentile(&self, percent: usize) -> f64 {
        let last = self.took.len().saturating_sub(1);
        self.took.get(last * percent / 100).map_or(0.0, Duration::as_secs_f64) * 1e3
    }
}

fn ask(address: SocketAddr, rows: u64, first: Instant, pause: Duration, seed: u64, stop: &AtomicBool) -> Tally {
    let (mut client, mut rng, mut due) = (Client::tenacious(address), Rng::with_seed(seed), first);
    let mut tally = Tally::default();
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let favourite = rng.u8(..10) > 0;
        let id = rng.u64(1..=if favourite { rows.min(FAVOURITES) } else { rows });
        match client.get(&format!("/v1/products/{id}")).map(|(status, _)| status) {
            Ok(200) => tally.took.push(due.elapsed()),
            Ok(status) => tally.failed.push(format!("product {id}: {status}")),
            Err(error) => tally.failed.push(error),
        }
        due += pause;
    }
    tally.again = client.again();
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_beyond_those_allowed_are_told_with_the_first() {
        let tally = Tally {
            took: vec![Duration::from_millis(1), Duration::from_millis(9)],
            failed: vec!["product 7: 503".to_owned()],
            again: 2,
        };
        assert!(
            tally
                .judge(1)
                .unwrap()
                .starts_with("2 answered, 1 failed, 2 sent again; P50 1.0 ms, P99 1.0 ms, longest 9 ms"),
            "{:?}",
            tally.judge(1)
        );
        assert!(tally.judge(0).unwrap_err().ends_with("at most 0 may fail, the first: product 7: 503"));
    }
}

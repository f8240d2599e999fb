//! Clients that each send their next request when the last one is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use farmlokal_testkit::http::Client;
use fastrand::Rng;

use super::site::Site;

/// How long whoever was turned away waits.
const BACK_OFF: Duration = Duration::from_millis(50);
/// Products that writers quarrel about.
const HOT: u64 = 4;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// One product each, by many: what a pool that is too small holds up.
    Cheap,
    /// Counts of thousands of rows by many, and every fifth writes one of a few products: more than the database can do.
    Expensive,
    /// One product now and then.
    Quiet,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Served {
    /// Answers: when, and after how long.
    pub answers: Vec<(Instant, Duration)>,
    /// Requests that were turned away (503).
    pub turned_away: u64,
}

/// Clients at work, each a thread: of its own so that it is not held up by what it measures.
#[derive(Debug)]
pub struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Served, String>>>,
}

/// One client.
struct Visitor {
    client: Client,
    load: Load,
    rng: Rng,
    rows: u64,
    authorization: String,
}

impl Load {
    /// All of them, in the order of a day that goes wrong.
    pub const ALL: [Self; 3] = [Self::Cheap, Self::Expensive, Self::Quiet];

    /// The time from an answer to the next request.
    fn pause(self) -> Duration {
        match self {
            Self::Cheap | Self::Expensive => Duration::ZERO,
            Self::Quiet => Duration::from_millis(200),
        }
    }
}

impl Clients {
    /// Has `count` of them ask the pods of `site`, each pod the same number.
    #[must_use]
    pub fn begin(site: &Site, load: Load, count: usize) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let one = |(number, address): (usize, SocketAddr)| {
            let mut visitor = Visitor {
                client: Client::new(address),
                load,
                rng: Rng::with_seed(number as u64),
                rows: site.rows,
                authorization: site.authorization.clone(),
            };
            let stop = Arc::clone(&stop);
            thread::spawn(move || visitor.visit(&stop))
        };
        let addresses = site.pods.iter().map(|pod| pod.address).cycle();
        let threads = addresses.take(count).enumerate().map(one).collect();
        Self { stop, threads }
    }

    /// Has them all go home.
    ///
    /// # Errors
    ///
    /// When one of them got a wrong answer; the message has one.
    pub fn end(self) -> Result<Served, String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut served = Served::default();
        for thread in self.threads {
            let part = thread.join().map_err(|_| "a client ended early")??;
            served.answers.extend(part.answers);
            served.turned_away += part.turned_away;
        }
        Ok(served)
    }
}

impl Visitor {
    fn visit(&mut self, stop: &AtomicBool) -> Result<Served, String> {
        let mut served = Served::default();
        while !stop.load(Ordering::Relaxed) {
            let sent = Instant::now();
            match self.ask()? {
                200 => served.answers.push((Instant::now(), sent.elapsed())),
                503 => {
                    served.turned_away += 1;
                    thread::sleep(BACK_OFF);
                }
                status => return Err(format!("a {:?} request was answered {status}", self.load)),
            }
            thread::sleep(self.load.pause());
        }
        Ok(served)
    }

    /// The answer's status.
    fn ask(&mut self) -> Result<u16, String> {
        let Self { client, load, rng, rows, authorization } = self;
        let answer = match load {
            Load::Expensive if rng.u8(..5) == 0 => {
                let line = format!("PATCH /v1/products/{} HTTP/1.1", rng.u64(1..=HOT));
                let body = format!("{{\"stock\":{}}}", rng.u16(..));
                client.send(&line, &[authorization, "Content-Type: application/json"], &body)
            }
            Load::Expensive => {
                client.get(&format!("/v1/products?total=true&sort=price&minPrice={}&limit=1", rng.u8(1..50)))
            }
            Load::Cheap | Load::Quiet => client.get(&format!("/v1/products/{}", rng.u64(1..=*rows))),
        };
        answer.map(|(status, _)| status)
    }
}

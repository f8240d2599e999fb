//! Servers that answer as fast as they can on one core, by turns.
//!
//! Compared is what an answer takes of the server's processor: that is throughput of a core that has nothing
//! else to do, and it stays true when the clients cannot ask any faster. Such machines change their pace from one second
//! to the next, all servers alike; so turns are short, and what is compared is the turns of one round.

use std::fs;
use std::net::SocketAddr;
use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use farmlokal_testkit::http::Client;

/// The core the load comes from.
pub(super) const CLIENT_CORE: &str = "1";
const CONNECTIONS: usize = 16;
/// How often each has its turn: the shorter, the more alike are the machine's moods in it.
pub(super) const ROUNDS: usize = 50;
/// The page that is asked for: some 8 KB.
pub(super) const PATH: &str = "/v1/products?category=Dairy";
/// The shortest time of the processor that is told from none, in seconds.
const SHORTEST: f64 = 1e-3;

/// Who answers: its process, and where.
pub(super) type Server = (u32, SocketAddr);

/// What came out: a row a round, and in it a turn of each server.
pub(super) struct Turns<const N: usize>(Vec<[Turn; N]>);

/// Answers a second of the server's processor, and a second of the clock.
#[derive(Debug, Clone, Copy)]
struct Turn {
    by_processor: f64,
    by_clock: f64,
}

impl<const N: usize> Turns<N> {
    /// No turn yet.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Has each of `servers` answer with pages of `bytes` bytes in `rounds` more turns of so long that [`ROUNDS`] of them
    /// are `altogether`.
    pub(super) fn measure(
        &mut self,
        servers: [Server; N],
        bytes: usize,
        rounds: usize,
        altogether: Duration,
    ) -> Result<(), String> {
        on_core(CLIENT_CORE)?;
        let part = altogether / u32::try_from(ROUNDS).unwrap_or(1);
        for round in 0..rounds {
            let mut turns = [Turn { by_processor: f64::NAN, by_clock: f64::NAN }; N];
            // Another one begins each round: being first is no advantage.
            for server in (0..N).map(|place| (round + place) % N) {
                turns[server] = turn(servers[server], bytes, part)?;
            }
            self.0.push(turns);
        }
        on_core(&format!("0-{}", thread::available_parallelism().map_or(1, usize::from).max(2) - 1))
    }

    /// Answers a second of the processor of `server`: the median of its turns.
    pub(super) fn by_processor(&self, server: usize) -> f64 {
        median(self.0.iter().map(|round| round[server].by_processor))
    }

    /// Answers a second of the clock.
    pub(super) fn by_clock(&self, server: usize) -> f64 {
        median(self.0.iter().map(|round| round[server].by_clock))
    }

    /// How much of the throughput of `other` that of `server` is: the median of the rounds.
    pub(super) fn ratio(&self, server: usize, other: usize) -> f64 {
        median(self.0.iter().map(|round| round[server].by_processor / round[other].by_processor))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Moves this process to `cores`.
fn on_core(cores: &str) -> Result<(), String> {
    let id = process::id().to_string();
    let moved = Command::new("taskset").args(["-a", "-c", "-p", cores, &id]).stdout(Stdio::null()).status();
    match moved {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("taskset -c {cores}: {other:?}")),
    }
}

fn turn((id, address): Server, bytes: usize, duration: Duration) -> Result<Turn, String> {
    let (before, start) = (processor_time(id)?, Instant::now());
    let end = start + duration;
    let counts = thread::scope(|scope| {
        let ask = || -> Result<u64, String> {
            let (mut client, mut count) = (Client::new(address), 0);
            while Instant::now() < end {
                match client.get(PATH)? {
                    (200, body) if body.len() == bytes => count += 1,
                    (status, body) => return Err(format!("{status} with {} bytes", body.len())),
                }
            }
            Ok(count)
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|it| it.join().map_err(|_| "a client ended early".to_owned())?).collect::<Vec<_>>()
    });
    let count = counts.into_iter().sum::<Result<u64, String>>()? as f64;
    let took = start.elapsed().as_secs_f64();
    Ok(Turn { by_processor: count / (processor_time(id)? - before).max(SHORTEST), by_clock: count / took })
}

/// What the threads of the process `id` have had of the processor, in seconds: `stat` counts hundredths only, which a short
/// turn has few of (Linux, Documentation/scheduler/sched-stats.rst: `/proc/<pid>/schedstat`).
fn processor_time(id: u32) -> Result<f64, String> {
    let threads = format!("/proc/{id}/task");
    let failed = |error| format!("{threads}: {error}");
    let mut nanoseconds = 0;
    for thread in fs::read_dir(&threads).map_err(failed)? {
        // One may end while the others are read.
        let Ok(schedstat) = fs::read_to_string(thread.map_err(failed)?.path().join("schedstat")) else { continue };
        let on_processor = schedstat.split_whitespace().next().and_then(|text| text.parse::<u64>().ok());
        nanoseconds += on_processor.ok_or_else(|| format!("{threads}: a schedstat without a time"))?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

//! Load: requests that arrive at a fixed rate, whether or not the answers keep up.
//!
//! Each request has a time at which it is due. Its latency counts from that time, not from the moment
//! a connection was free to send it: a service that stalls is charged for every request that came
//! meanwhile, as its users would (no coordinated omission).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ask::Ask;
use super::outcome::Outcome;
use farmlokal_testkit::http::Client;

/// Connections: so many answers can be late before arrivals wait for one.
const CONNECTIONS: usize = 32;
/// How long requests are tried before their rate is chosen.
const PROBE: Duration = Duration::from_secs(1);
/// From starting the threads to the first request.
const START: Duration = Duration::from_millis(50);

/// Sends `asks` at `rate` a second, each with the number of its case, of which there are `cases`.
pub(super) fn at_rate(
    address: SocketAddr,
    asks: &[(usize, Ask)],
    cases: usize,
    rate: f64,
) -> Result<Vec<Outcome>, String> {
    let next = AtomicUsize::new(0);
    let start = Instant::now() + START;
    on_each_connection(cases, || {
        let mut outcomes = outcomes(cases)?;
        let mut client = Client::new(address);
        client.connect()?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((case, ask)) = asks.get(number) else {
                return Ok(outcomes);
            };
            let due = start + Duration::from_secs_f64(number as f64 / rate);
            sleep_until(due);
            let answer = client.get(&ask.path);
            let took = due.elapsed();
            outcomes[*case].note(took, ask.check(answer));
        }
    })
}

/// Sends `asks` over and over for `duration`, on each connection the next one as soon as the one
/// before is answered. Only good for throughput: it waits whenever the service does.
pub(super) fn as_fast_as_it_goes(address: SocketAddr, asks: &[Ask], duration: Duration) -> Result<Outcome, String> {
    let next = AtomicUsize::new(0);
    let end = Instant::now() + duration;
    let mut outcomes = on_each_connection(1, || {
        let mut outcome = Outcome::new()?;
        let mut client = Client::new(address);
        while Instant::now() < end {
            let ask = &asks[next.fetch_add(1, Ordering::Relaxed) % asks.len()];
            let sent = Instant::now();
            let answer = client.get(&ask.path);
            outcome.note(sent.elapsed(), ask.check(answer));
        }
        Ok(vec![outcome])
    })?;
    Ok(outcomes.remove(0))
}

/// Sends `asks` one after the other for a while, which warms up as well; the mean in milliseconds.
pub(super) fn one_by_one(address: SocketAddr, asks: &[Ask]) -> Result<f64, String> {
    let (start, mut client, mut outcome) = (Instant::now(), Client::new(address), Outcome::new()?);
    for ask in asks.iter().take_while(|_| start.elapsed() < PROBE) {
        let sent = Instant::now();
        let answer = client.get(&ask.path);
        outcome.note(sent.elapsed(), ask.check(answer));
    }
    Ok(outcome.mean())
}

/// Sleeps until `due`, if that is to come.
pub(super) fn sleep_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

/// Runs `work` on one thread a connection and adds up what they return.
fn on_each_connection(
    cases: usize,
    work: impl Fn() -> Result<Vec<Outcome>, String> + Sync,
) -> Result<Vec<Outcome>, String> {
    let mut sum = outcomes(cases)?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(&work)).collect();
        for thread in threads {
            let part = thread.join().map_err(|_| "a client thread ended early")??;
            for (sum, part) in sum.iter_mut().zip(part) {
                sum.add(part)?;
            }
        }
        Ok(sum)
    })
}

fn outcomes(cases: usize) -> Result<Vec<Outcome>, String> {
    (0..cases).map(|_| Outcome::new()).collect()
}

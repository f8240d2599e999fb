//! A shop's load: few questions are asked often and many seldom (Zipf), and one request in a hundred writes.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::measure::Pace;
use crate::bench::measure::ask::Ask;
use crate::bench::measure::cases::mixed;
use crate::bench::measure::draw::Draw;
use crate::bench::measure::load::sleep_until;
use crate::bench::measure::outcome::Outcome;
use crate::bench::measure::service::{Service, program};
use farmlokal_testkit::http::Client;

/// Different questions.
const QUESTIONS: usize = 5_000;
/// One request in so many writes.
const WRITE_EVERY: usize = 100;
/// How many times longer than a case: a cache has to fill.
const LONGER: u32 = 4;
const CONNECTIONS: usize = 32;

/// What came of it.
pub(super) struct Shop {
    pub(super) hit_ratio: f64,
    pub(super) cached: Outcome,
    pub(super) uncached: Outcome,
    pub(super) writes: usize,
}

/// What a client does next.
enum Step {
    Ask(usize),
    /// Changes the stock of this product.
    Write(u64),
}

impl Shop {
    /// The same load with the cache and without.
    pub(super) fn measure(database: &str, redis: &str, draw: &mut Draw, pace: Pace) -> Result<Self, String> {
        let pace = Pace { duration: pace.duration * LONGER, ..pace };
        let asks: Vec<Ask> =
            (0..QUESTIONS).map(|_| mixed(draw)).collect::<Result<_, _>>().map_err(|it| it.to_string())?;
        let weights = Zipf::new(QUESTIONS);
        let steps: Vec<Step> = (0..pace.count())
            .map(|number| match number % WRITE_EVERY {
                0 => Step::Write(1 + draw.below(10_000)),
                _ => Step::Ask(weights.draw(draw)),
            })
            .collect();
        let credentials = add_client(database)?;
        let with = [("CACHE__TTL_MS", "300000"), ("REDIS__URL", redis)];
        let service = Service::start(database, &with)?;
        super::until_shared(&service)?;
        let cached = run(&service, &asks, &steps, &token(&service, &credentials)?, pace.rate)?;
        let hit_ratio = super::status(&service)?.hit_ratio();
        drop(service);
        let service = Service::start(database, &[])?;
        let uncached = run(&service, &asks, &steps, &token(&service, &credentials)?, pace.rate)?;
        Ok(Self { hit_ratio, cached, uncached, writes: steps.len().div_ceil(WRITE_EVERY) })
    }
}

/// Zipf's law with exponent 1: the `n`th question is asked `1/n` times as often as the first.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(questions: usize) -> Self {
        let mut sum = 0.0;
        Self(
            (1..=questions)
                .map(|rank| {
                    sum += 1.0 / rank as f64;
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, draw: &mut Draw) -> usize {
        let all = self.0.last().copied().unwrap_or_default();
        let at = draw.below(1 << 32) as f64 / (1_u64 << 32) as f64 * all;
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

/// Sends the steps at `rate` a second; latencies are those of the questions.
fn run(service: &Service, asks: &[Ask], steps: &[Step], token: &str, rate: f64) -> Result<Outcome, String> {
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Outcome::new()?));
    let start = Instant::now() + Duration::from_millis(50);
    let authorization = format!("Authorization: Bearer {token}");
    thread::scope(|scope| {
        let work = || -> Result<(), String> {
            let (mut client, mut outcome) = (Client::new(service.address), Outcome::new()?);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(step) = steps.get(number) else { break };
                let due = start + Duration::from_secs_f64(number as f64 / rate);
                sleep_until(due);
                match step {
                    Step::Ask(ask) => {
                        let answer = client.get(&asks[*ask].path);
                        outcome.note(due.elapsed(), asks[*ask].check(answer));
                    }
                    Step::Write(id) => {
                        let body = format!("{{\"stock\":{}}}", number % 1_000);
                        let line = format!("PATCH /v1/products/{id} HTTP/1.1");
                        match client.send(&line, &[&authorization, "Content-Type: application/json"], &body)? {
                            (200, _) => {}
                            (status, said) => {
                                return Err(format!("{line}: {status} {}", String::from_utf8_lossy(said)));
                            }
                        }
                    }
                }
            }
            let mut sum = sum.lock().map_err(|_| "a client ended early")?;
            sum.add(outcome)
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|it| it.join().map_err(|_| "a client ended early".to_owned())?)
    })?;
    sum.into_inner().map_err(|_| "a client ended early".to_owned())
}

/// The id and secret of a client that may write.
fn add_client(database: &str) -> Result<(String, String), String> {
    let mut command = Command::new(program()?);
    command.args(["client", "add", "bench", "--scope", "catalog:write"]).env("FARMLOKAL_DATABASE__URL", database);
    let printed = printed(command)?;
    let word = |name: &str| {
        let word = printed.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '));
        word.map(|word| word.trim().to_owned()).ok_or_else(|| format!("farmlokal printed no {name}"))
    };
    Ok((word("client_id")?, word("client_secret")?))
}

fn token(service: &Service, (id, secret): &(String, String)) -> Result<String, String> {
    let mut command = Command::new(program()?);
    command
        .arg("token")
        .env("FARMLOKAL_HTTP__LISTEN", service.address.to_string())
        .env("FARMLOKAL_CLIENT_ID", id)
        .env("FARMLOKAL_CLIENT_SECRET", secret);
    Ok(printed(command)?.trim().to_owned())
}

fn printed(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("farmlokal: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("farmlokal: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

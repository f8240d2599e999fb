//! Many identical misses at once, on two replicas.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::bench::measure::cases::mixed;
use crate::bench::measure::draw::Draw;
use crate::bench::measure::outcome::Outcome;
use crate::bench::measure::service::Service;
use farmlokal_testkit::http::Client;

/// How many ask at once.
pub(super) const CALLERS: usize = 1_000;

/// What came of it.
pub(super) struct Herd {
    /// Answers computed by both replicas together.
    pub(super) loads: u64,
    pub(super) answers: Outcome,
}

impl Herd {
    /// Has all callers send the same request at once, half of them to each of two replicas.
    pub(super) fn measure(database: &str, redis: &str, draw: &mut Draw) -> Result<Self, String> {
        let settings = [("CACHE__TTL_MS", "300000"), ("REDIS__URL", redis)];
        let replicas = [Service::start(database, &settings)?, Service::start(database, &settings)?];
        replicas.iter().try_for_each(super::until_shared)?;
        // One that nobody has asked before: the whole of the cache is voided.
        super::flush(&replicas[0])?;
        let ask = mixed(draw).map_err(|error| error.to_string())?;
        let before = loads(&replicas)?;
        let start = Barrier::new(CALLERS);
        let mut answers = Outcome::new()?;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..CALLERS)
                .map(|number| {
                    let (start, ask, address) = (&start, &ask, replicas[number % 2].address);
                    scope.spawn(move || {
                        let (mut client, mut answers) = (Client::new(address), Outcome::new()?);
                        let connected = client.connect().map(|_| ());
                        start.wait();
                        let sent = Instant::now();
                        connected?;
                        let answer = client.get(&ask.path);
                        answers.note(sent.elapsed(), ask.check(answer));
                        Ok::<_, String>(answers)
                    })
                })
                .collect();
            for thread in threads {
                answers.add(thread.join().map_err(|_| "a client ended early")??)?;
            }
            Ok::<_, String>(())
        })?;
        Ok(Self { loads: loads(&replicas)? - before, answers })
    }
}

fn loads(replicas: &[Service; 2]) -> Result<u64, String> {
    replicas.iter().map(|replica| Ok(super::status(replica)?.loads)).sum()
}

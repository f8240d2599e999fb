//! Hits in Redis: another replica has the answer, this one keeps nothing.

use crate::bench::measure::Pace;
use crate::bench::measure::ask::Ask;
use crate::bench::measure::cases::mixed;
use crate::bench::measure::draw::Draw;
use crate::bench::measure::load;
use crate::bench::measure::outcome::Outcome;
use crate::bench::measure::service::Service;

/// Different questions.
const QUESTIONS: usize = 200;

/// How long hits take that come out of `redis`.
pub(super) fn measure(database: &str, redis: &str, draw: &mut Draw, pace: Pace) -> Result<Outcome, String> {
    let settings = [("CACHE__TTL_MS", "300000"), ("CACHE__LOCAL_MIB", "0"), ("REDIS__URL", redis)];
    let service = Service::start(database, &settings)?;
    super::until_shared(&service)?;
    let asks: Vec<_> = (0..QUESTIONS).map(|_| mixed(draw)).collect::<Result<_, _>>().map_err(|it| it.to_string())?;
    let mut repeated: Vec<(usize, Ask)> = Vec::new();
    while repeated.len() < pace.count() + QUESTIONS {
        repeated.extend(asks.iter().map(|ask| (0, ask.clone())));
    }
    // Once through to have them computed.
    let warm: Vec<_> = repeated.drain(..QUESTIONS).collect();
    load::at_rate(service.address, &warm, 1, pace.rate)?;
    repeated.truncate(pace.count());
    Ok(load::at_rate(service.address, &repeated, 1, pace.rate)?.remove(0))
}

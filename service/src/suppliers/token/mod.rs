//! The token that opens a supplier's API: one for all who ask, kept for its lifetime less a margin.

mod fetch;
mod seal;
mod shared;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_telemetry::carry;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Secret;
use crate::outbound::Failure;

pub(super) use fetch::Fetch;
pub(super) use seal::Seal;
pub(super) use shared::Shared;

/// After a renewal ahead of time that failed, the next one waits so long: the token is still good.
const RENEW_AGAIN_MICROS: i64 = 5_000_000;

/// An access token and when it is good. `Debug` hides it.
#[derive(Debug, Clone)]
pub(super) struct Token {
    value: Secret,
    fetched_at: Timestamp,
    expires_at: Timestamp,
}

impl Token {
    fn new(value: String, fetched_at: Timestamp, lifetime: Duration) -> Self {
        Self { value: Secret::new(value), fetched_at, expires_at: later(fetched_at, micros(lifetime)) }
    }

    /// The token itself, for the one header field it is for.
    pub(super) fn expose(&self) -> &str {
        self.value.expose()
    }

    fn lifetime(&self) -> i64 {
        self.expires_at.micros() - self.fetched_at.micros()
    }

    /// Whether it can be used `now`: not in its last tenth, nor in its last minute, so that it does not
    /// expire on its way.
    fn is_good(&self, now: Timestamp) -> bool {
        let margin = (self.lifetime() / 10).min(60_000_000);
        now.micros() < self.expires_at.micros() - margin
    }

    /// Whether it is time for another one: in the last fifth.
    fn is_old(&self, now: Timestamp) -> bool {
        now.micros() >= self.expires_at.micros() - self.lifetime() / 5
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn later(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.micros().saturating_add(micros)).unwrap_or(at)
}

type Outcome = Result<Token, Failure>;

/// Where a supplier's tokens come from.
///
/// A process has one fetch under way at a time, in a task of its own: whoever needs a token waits for it,
/// and nobody who hangs up ends it. Over all replicas it is one as well while Redis is there; see [`Shared`].
#[derive(Clone)]
pub(super) struct Tokens(Arc<Inner>);

struct Inner {
    fetch: Fetch,
    shared: Option<Shared>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The last one that the API did not take.
    rejected: Option<Token>,
    flight: Option<watch::Receiver<Option<Outcome>>>,
    not_before: Option<Timestamp>,
}

impl Tokens {
    pub(super) fn new(fetch: Fetch, shared: Option<Shared>, clock: Clock) -> Self {
        Self(Arc::new(Inner { fetch, shared, clock, state: Mutex::default() }))
    }

    /// A token that is good. An old one is given as well, while another one is fetched in the background.
    pub(super) async fn get(&self) -> Result<Token, Failure> {
        let now = (self.0.clock)();
        let flight = {
            let mut state = self.0.lock();
            match state.token.clone().filter(|token| token.is_good(now)) {
                Some(token) => {
                    if token.is_old(now) && state.not_before.is_none_or(|at| at <= now) {
                        self.board(&mut state);
                    }
                    return Ok(token);
                }
                None => self.board(&mut state),
            }
        };
        land(flight).await.map_err(|failure| Failure::Token(Box::new(failure)))
    }

    /// A token other than `rejected`, which the API does not take.
    pub(super) async fn renew(&self, rejected: &Token) -> Result<Token, Failure> {
        {
            let mut state = self.0.lock();
            // Somebody else may have been here first, and have a new one already.
            if state.token.as_ref().is_some_and(|token| same(token, rejected)) {
                state.token = None;
                state.rejected = Some(rejected.clone());
            }
        }
        self.get().await
    }

    /// The fetch under way, or a new one.
    fn board(&self, state: &mut State) -> watch::Receiver<Option<Outcome>> {
        // One whose task has panicked is gone, and has left no outcome.
        if let Some(flight) = state.flight.as_ref().filter(|flight| flight.has_changed().is_ok()) {
            return flight.clone();
        }
        let (sender, receiver) = watch::channel(None);
        state.flight = Some(receiver.clone());
        let (inner, rejected) = (Arc::clone(&self.0), state.rejected.clone());
        tokio::spawn(carry(async move {
            let outcome = inner.obtain(rejected.as_ref()).await;
            let now = (inner.clock)();
            let mut state = inner.lock();
            state.flight = None;
            state.not_before = outcome.is_err().then(|| later(now, RENEW_AGAIN_MICROS));
            if let Ok(token) = &outcome {
                state.token = Some(token.clone());
            }
            drop(state);
            sender.send_replace(Some(outcome));
        }));
        receiver
    }
}

/// What a fetch brings.
async fn land(mut flight: watch::Receiver<Option<Outcome>>) -> Outcome {
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Err(Failure::Unreachable)),
        Err(_) => Err(Failure::Unreachable),
    }
}

fn same(one: &Token, other: &Token) -> bool {
    one.expose() == other.expose()
}

impl Inner {
    /// A good token from the other replicas, or from the supplier.
    async fn obtain(&self, rejected: Option<&Token>) -> Outcome {
        let usable = |token: &Token| {
            let now = (self.clock)();
            token.is_good(now) && !token.is_old(now) && rejected.is_none_or(|rejected| !same(token, rejected))
        };
        let fetch = || self.fetch.run((self.clock)());
        match &self.shared {
            Some(shared) => shared.obtain(usable, fetch).await,
            None => fetch().await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_lifetime_less_a_margin() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000).unwrap();
        for (lifetime, old, bad) in [(3_600, 2_880, 3_540), (100, 80, 90), (10, 8, 9)] {
            let token = Token::new("secret".to_owned(), at(0), Duration::from_secs(lifetime));
            assert!(!token.is_old(at(old - 1)) && token.is_old(at(old)), "{lifetime}");
            assert!(token.is_good(at(bad - 1)) && !token.is_good(at(bad)), "{lifetime}");
            assert!(!format!("{token:?}").contains("secret"));
        }
        assert!(!Token::new(String::new(), at(0), Duration::ZERO).is_good(at(0)));
    }
}

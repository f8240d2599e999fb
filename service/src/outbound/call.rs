//! One call with its tries: each bounded in time, all of them bounded too, no more than help.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Backoff, Budget, Failure};
use crate::breaker::{Breaker, State};

/// How long is waited for one other side.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one try.
    pub per_try: Duration,
    /// For all tries and the waits between them.
    pub in_all: Duration,
}

/// How often one call is tried.
const TRIES: u32 = 4;

/// What calls to one other side share: its breaker, and the budget for retries.
#[derive(Debug)]
pub struct Caller {
    breaker: Breaker,
    budget: Budget,
    backoff: Backoff,
    patience: Patience,
    dice: Mutex<fastrand::Rng>,
}

impl Caller {
    /// For one other side; `dice` decides about waits.
    pub fn new(breaker: Breaker, backoff: Backoff, patience: Patience, dice: fastrand::Rng) -> Self {
        Self { breaker, budget: Budget::default(), backoff, patience, dice: Mutex::new(dice) }
    }

    /// What the breaker does with calls.
    pub fn state(&self) -> State {
        self.breaker.state(Instant::now())
    }

    /// How long calls are still refused, if they are.
    pub fn refused_for(&self) -> Option<Duration> {
        self.breaker.remaining(Instant::now())
    }

    /// Tries `attempt`, which must be safe to repeat, until it works, cannot work, or `within` is over.
    pub async fn call<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        within: Option<Duration>,
        attempt: impl Fn() -> F,
    ) -> Result<T, Failure> {
        let in_all = within.map_or(self.patience.in_all, |within| within.min(self.patience.in_all));
        let deadline = Instant::now() + in_all;
        self.budget.pay();
        let mut last: Option<Failure> = None;
        for retry in 0..TRIES {
            let failure = match self.attempt(deadline, &attempt).await {
                Ok(value) => return Ok(value),
                // The breaker opened meanwhile: what opened it says more.
                Err(Failure::Open { retry_after }) => return Err(last.unwrap_or(Failure::Open { retry_after })),
                Err(failure) => failure,
            };
            let wait = self.backoff.wait(retry, self.roll()).max(failure.retry_after().unwrap_or_default());
            let pointless = retry + 1 == TRIES || !failure.is_transient() || Instant::now() + wait >= deadline;
            if pointless || !self.budget.take() {
                return Err(failure);
            }
            tracing::debug!("trying again in {wait:?}: {failure}");
            sleep(wait).await;
            last = Some(failure);
        }
        // Not reached: the last try returns.
        Err(last.unwrap_or(Failure::Timeout))
    }

    async fn attempt<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        deadline: Instant,
        attempt: &impl Fn() -> F,
    ) -> Result<T, Failure> {
        let now = Instant::now();
        let Some(permit) = self.breaker.permit(now) else {
            // While somebody else finds out there is no pause left: that takes a try.
            let retry_after = self.breaker.remaining(now).unwrap_or(self.patience.per_try);
            return Err(Failure::Open { retry_after });
        };
        let outcome = match timeout_at(deadline.min(now + self.patience.per_try), attempt()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Timeout),
        };
        permit.done(!outcome.as_ref().is_err_and(Failure::is_trouble), Instant::now());
        outcome
    }

    fn roll(&self) -> f64 {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn caller() -> Caller {
        let patience = Patience { per_try: SECOND, in_all: 10 * SECOND };
        let backoff = Backoff { first: SECOND, longest: 2 * SECOND };
        Caller::new(Breaker::new(5, 5 * SECOND, 20 * SECOND), backoff, patience, fastrand::Rng::with_seed(7))
    }

    /// Fails with the given failures in turn, then works; says how often it was tried.
    async fn try_with(caller: &Caller, failures: &[Failure]) -> (Result<(), Failure>, u32) {
        let tried = AtomicU32::new(0);
        let attempt = async || {
            let turn = tried.fetch_add(1, Ordering::Relaxed);
            failures.get(turn as usize).map_or(Ok(()), |failure| Err(failure.clone()))
        };
        (caller.call(None, attempt).await, tried.load(Ordering::Relaxed))
    }

    fn status(status: u16) -> Failure {
        Failure::Status { status, retry_after: None }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_work_is_tried_again_and_what_cannot_is_not() {
        let caller = caller();
        assert_eq!(try_with(&caller, &[status(503), Failure::Unreachable]).await, (Ok(()), 3));
        assert_eq!(try_with(&caller, &[status(404)]).await, (Err(status(404)), 1));
        assert_eq!(try_with(&caller, &vec![status(500); 9]).await, (Err(status(500)), 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_and_all_of_them_end_in_time() {
        let caller = caller();
        let start = Instant::now();
        let never = async || std::future::pending::<Result<(), Failure>>().await;
        assert_eq!(caller.call(None, never).await, Err(Failure::Timeout));
        assert!(start.elapsed() > 4 * SECOND && start.elapsed() <= 10 * SECOND, "{:?}", start.elapsed());
        let start = Instant::now();
        assert_eq!(caller.call(Some(SECOND / 2), never).await, Err(Failure::Timeout));
        assert_eq!(start.elapsed(), SECOND / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_wants_to_be_asked_later_is() {
        let caller = caller();
        let later = |seconds| Failure::Status { status: 503, retry_after: Some(seconds * SECOND) };
        let start = Instant::now();
        assert_eq!(try_with(&caller, &[later(4)]).await, (Ok(()), 2));
        assert_eq!(start.elapsed(), 4 * SECOND);
        let start = Instant::now();
        assert_eq!(try_with(&caller, &[later(60)]).await, (Err(later(60)), 1), "nobody waits that long");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_breaker_opens_and_one_call_finds_out() {
        let caller = caller();
        let failing = vec![status(500); 9];
        assert_eq!(try_with(&caller, &failing).await.1, 4);
        // The fifth failure in a row opens it, and the call that saw it says what it was.
        assert_eq!(try_with(&caller, &failing).await, (Err(status(500)), 1));
        assert_eq!(caller.state(), State::Open);
        let (refused, tried) = try_with(&caller, &failing).await;
        assert!(matches!(refused, Err(Failure::Open { retry_after }) if retry_after <= 5 * SECOND));
        assert_eq!(tried, 0, "nobody is asked");
        sleep(5 * SECOND).await;
        assert_eq!(caller.state(), State::HalfOpen);
        assert_eq!(try_with(&caller, &failing).await.1, 1, "one try finds out, and it stays open");
        sleep(10 * SECOND).await;
        assert_eq!(try_with(&caller, &[]).await, (Ok(()), 1));
        assert_eq!(caller.state(), State::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_bounded_by_the_number_of_calls() {
        let caller = caller();
        let mut tried = 0;
        // Throttling is no trouble: the breaker stays closed, and only the budget limits.
        for _ in 0..100 {
            tried += try_with(&caller, &vec![status(429); 9]).await.1;
        }
        assert!((110..=130).contains(&tried), "{tried}");
    }
}

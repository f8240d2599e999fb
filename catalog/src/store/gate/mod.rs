//! The gate before a pool: so many inside at once and no more, the others in one queue, the number changed at any time.
//!
//! It knows no connections and no runtime. Who is inside holds a [`Permit`] and leaves by dropping it; who waits holds
//! a [`Turn`] and gives up by dropping that. Every change is made under one short lock, and whoever makes room calls
//! the first in the queue in the same moment: a place is never free while somebody waits for it.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// So many inside at once.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    most_waiting: usize,
}

#[derive(Debug)]
struct State {
    limit: u32,
    inside: u32,
    /// By the number they drew: the first has waited longest.
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
    next: u64,
    /// The integral of `inside` over time up to `since`.
    inside_time: Duration,
    since: Instant,
}

/// How the gate stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many may be inside. After a lowering there may be more for a while.
    pub limit: u32,
    /// How many are.
    pub inside: u32,
    /// How many wait.
    pub waiting: u32,
    /// The integral of `inside` over time.
    pub inside_time: Duration,
}

/// What who arrives gets.
#[derive(Debug)]
pub enum Arrival {
    /// There was room.
    Inside(Permit),
    /// There was none.
    Waits(Turn),
}

/// There is no room in the queue either.
#[derive(Debug, thiserror::Error)]
#[error("the queue is full")]
pub struct QueueFull;

impl Gate {
    /// Lets `limit` in at once (at least 1) and `most_waiting` wait.
    #[must_use]
    pub fn new(limit: u32, most_waiting: usize) -> Arc<Self> {
        let state = State {
            limit: limit.max(1),
            inside: 0,
            waiting: BTreeMap::new(),
            next: 0,
            inside_time: Duration::ZERO,
            since: Instant::now(),
        };
        Arc::new(Self { state: Mutex::new(state), most_waiting })
    }

    /// Goes in if there is room, and to the end of the queue otherwise.
    ///
    /// # Errors
    ///
    /// When the queue is full.
    pub fn arrive(self: &Arc<Self>) -> Result<Arrival, QueueFull> {
        let now = Instant::now();
        let mut state = self.state();
        // Nobody waits while there is room: who arrives overtakes no one.
        if state.inside < state.limit {
            state.count(now, 1);
            return Ok(Arrival::Inside(Permit { gate: Arc::clone(self), entered: now }));
        }
        if state.waiting.len() >= self.most_waiting {
            return Err(QueueFull);
        }
        let (call, called) = oneshot::channel();
        let number = state.next;
        state.next += 1;
        state.waiting.insert(number, call);
        Ok(Arrival::Waits(Turn { gate: Arc::clone(self), number, called, came: false }))
    }

    /// Lets `limit` in at once from now on (at least 1). A higher one takes effect at once, a lower one as those who
    /// are inside leave.
    pub fn set_limit(&self, limit: u32) {
        let mut state = self.state();
        state.limit = limit.max(1);
        state.admit(Instant::now());
    }

    /// How many may be inside.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.state().limit
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut state = self.state();
        state.count(Instant::now(), 0);
        Standing {
            limit: state.limit,
            inside: state.inside,
            waiting: u32::try_from(state.waiting.len()).unwrap_or(u32::MAX),
            inside_time: state.inside_time,
        }
    }

    fn leave(&self) {
        let now = Instant::now();
        let mut state = self.state();
        state.count(now, -1);
        state.admit(now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// So many more are inside from `now` on.
    fn count(&mut self, now: Instant, more: i32) {
        self.inside_time += now.saturating_duration_since(self.since) * self.inside;
        self.since = self.since.max(now);
        self.inside = self.inside.saturating_add_signed(more);
    }

    /// Calls in whom there is room for, in their order.
    fn admit(&mut self, now: Instant) {
        while self.inside < self.limit {
            let Some((_, call)) = self.waiting.pop_first() else { return };
            self.count(now, 1);
            // It is heard: who gives up leaves the queue first, see the drop of a turn.
            let _ = call.send(());
        }
    }
}

/// A place inside, given up when dropped.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    entered: Instant,
}

impl Permit {
    /// How long it has been held.
    #[must_use]
    pub fn held(&self) -> Duration {
        self.entered.elapsed()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gate.leave();
    }
}

/// A place in the queue, given up when dropped.
#[derive(Debug)]
pub struct Turn {
    gate: Arc<Gate>,
    number: u64,
    called: oneshot::Receiver<()>,
    came: bool,
}

impl Turn {
    /// Waits until it is called in.
    pub async fn come(mut self) -> Permit {
        // The queue lives as long as the gate, which this holds: it always ends by a call.
        let _ = (&mut self.called).await;
        self.came = true;
        Permit { gate: Arc::clone(&self.gate), entered: Instant::now() }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.came && self.gate.state().waiting.remove(&self.number).is_none() {
            // It was called and does not come: the place is for the next one.
            self.gate.leave();
        }
    }
}

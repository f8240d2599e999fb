//! What the cache promises, each promise with the gate, the clock or the fault that would break it.

mod freshness;
mod memory;
mod model;
mod redis;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use http::HeaderValue;

use super::*;

/// Why a test's computation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Outage,
    Other,
}

impl Failure for Broken {
    fn is_outage(&self) -> bool {
        *self == Self::Outage
    }

    fn broken() -> Self {
        Self::Other
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct Clockwork(Arc<AtomicI64>);

impl Clockwork {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

fn cache_with(settings: Settings) -> (Arc<Cache<Broken>>, Clockwork) {
    let clock = Clockwork(Arc::new(AtomicI64::new(1_700_000_000_000_000)));
    let hands = Arc::clone(&clock.0);
    let time: Clock = Arc::new(move || Timestamp::from_micros(hands.load(Ordering::Relaxed)).unwrap());
    let cache = Cache::new(settings, time);
    cache.live.store(true, Ordering::Relaxed);
    (cache, clock)
}

fn cache() -> (Arc<Cache<Broken>>, Clockwork) {
    cache_with(Settings::default())
}

/// The question that most tests ask.
fn asked() -> Asked {
    about("milk", Namespace::Products)
}

fn about(text: &str, namespace: Namespace) -> Asked {
    Asked { operation: Operation::ListProducts, namespace, stamp: None, question: Question::of("test").text(text) }
}

fn answer(body: &str) -> Answer {
    Answer::Found { body: body.to_owned().into(), etag: HeaderValue::from_static("\"tag\""), link: None }
}

fn body(served: &Served) -> String {
    match &served.entry.answer {
        Answer::Found { body, .. } => String::from_utf8(body.to_vec()).unwrap(),
        Answer::Absent => "absent".to_owned(),
    }
}

/// A source whose content changes and whose readings are counted.
#[derive(Clone, Default)]
struct Source {
    value: Arc<AtomicUsize>,
    loads: Arc<AtomicUsize>,
}

impl Source {
    async fn load(self) -> Result<Answer, Broken> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        Ok(answer(&self.value.load(Ordering::SeqCst).to_string()))
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }
}

/// Polls until `done`, with a deadline.
async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !done().await {
        assert!(tokio::time::Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

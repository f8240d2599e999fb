//! Tunes the pools: once a window it asks the pods of each instance, has [`crate::tune`] decide, and publishes.
//!
//! It works beside the rounds of [`super::reconcile()`], which tell it what is to be tuned, and under a field manager of
//! its own, so that the two never write the same field of a status. The tuning file both may write, each only if it has
//! seen what is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::time::Instant;

use super::cache::Cache;
use super::observe::Scrape;
use super::validate::{Database, Instance};
use crate::crd::FarmLokalStatus;
use crate::metrics::Metrics;

mod look;
mod tell;
mod tick;
mod turn;

pub use turn::{Fleet, Memory, Turned};

/// How often it is looked whose turn it is.
const PERIOD: Duration = Duration::from_secs(1);
/// Instances worked on at once.
const AT_ONCE: usize = 8;

/// See above.
pub struct Tuner {
    client: Client,
    cache: Arc<Cache>,
    scrape: Arc<dyn Scrape>,
    metrics: Arc<Metrics>,
    clock: fn() -> Timestamp,
    instances: Mutex<HashMap<String, Tuned>>,
}

/// An instance that is tuned.
struct Tuned {
    instance: Arc<Instance>,
    /// That of its object.
    generation: Option<i64>,
    due: Instant,
    /// `None` while it is being worked on.
    window: Option<Window>,
}

/// What is known from the windows before.
#[derive(Default)]
struct Window {
    memory: Memory,
    told: Option<FarmLokalStatus>,
}

impl Tuner {
    /// Tunes nothing yet.
    #[must_use]
    pub fn new(
        client: Client,
        cache: Arc<Cache>,
        scrape: Arc<dyn Scrape>,
        metrics: Arc<Metrics>,
        clock: fn() -> Timestamp,
    ) -> Self {
        Self { client, cache, scrape, metrics, clock, instances: Mutex::default() }
    }

    /// Tunes `instance` from now on, if it has pools to tune; `generation` is that of its object.
    pub fn look_after(&self, instance: &Instance, generation: Option<i64>) {
        let key = key(instance);
        let Database::Server { tuning, .. } = &instance.database else { return self.forget(&key) };
        if instance.paused {
            return self.forget(&key);
        }
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(instance.clone());
        match instances.get_mut(&key) {
            Some(tuned) => (tuned.instance, tuned.generation) = (next, generation),
            None => {
                let due = Instant::now() + tuning.interval;
                let tuned = Tuned { instance: next, generation, due, window: Some(Window::default()) };
                instances.insert(key, tuned);
            }
        }
    }

    /// Tunes it no longer.
    pub fn forget(&self, key: &str) {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Tunes whoever's turn it is, for ever.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            futures::stream::iter(self.due()).for_each_concurrent(AT_ONCE, |key| self.turn(key)).await;
        }
    }

    /// One window of every instance, due or not; for tests, whose windows are as long as they like.
    pub async fn turn_all(&self) {
        let keys: Vec<_> = self.instances.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for key in keys {
            self.turn(key).await;
        }
    }

    fn due(&self) -> Vec<String> {
        let now = Instant::now();
        let instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let due = instances.iter().filter(|(_, tuned)| tuned.due <= now && tuned.window.is_some());
        due.map(|(key, _)| key.clone()).collect()
    }

    async fn turn(&self, key: String) {
        let Some((instance, generation, mut window)) = self.take(&key) else { return };
        let ended = self.tick(&instance, generation, &mut window).await;
        if let Err(error) = &ended {
            tracing::warn!(object = key, %error, "its pools could not be tuned in this window");
        }
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(false) = ended {
            instances.remove(&key);
        } else if let Some(tuned) = instances.get_mut(&key) {
            tuned.window = Some(window);
            tuned.due = Instant::now() + interval(&tuned.instance);
        }
    }

    fn take(&self, key: &str) -> Option<(Arc<Instance>, Option<i64>, Window)> {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let tuned = instances.get_mut(key)?;
        Some((Arc::clone(&tuned.instance), tuned.generation, tuned.window.take()?))
    }
}

fn interval(instance: &Instance) -> Duration {
    match &instance.database {
        Database::Server { tuning, .. } => tuning.interval,
        Database::Embedded { .. } => Duration::MAX,
    }
}

/// How an instance is called here.
#[must_use]
pub fn key(instance: &Instance) -> String {
    format!("{}/{}", instance.namespace, instance.name)
}

//! The tuning file: looked at each second, checked, and applied to the database's pool while serving.
//!
//! A file that is read rather than an event that is waited for: a mounted ConfigMap changes by the swap of a link some
//! folders above, and one small read a second sees that wherever it is.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::Store;
use farmlokal_telemetry::tuning::{Tuning, TuningError};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Keeps the pool at the size that the file says.
pub struct Tuner {
    file: PathBuf,
    pod_uid: Option<String>,
    store: Arc<dyn Store>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    applied: Option<Applied>,
    error: Option<String>,
}

#[derive(Clone)]
struct Applied {
    tuning: Tuning,
    at: Timestamp,
    /// What the pool may have by it.
    connections: u32,
}

/// What has become of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where it is.
    pub file: PathBuf,
    /// The generation that holds; 0 for none.
    pub generation: u64,
    /// Since when it holds.
    pub applied_at: Option<Timestamp>,
    /// What was wrong with the file at the last look; what was applied before it holds.
    pub error: Option<String>,
}

/// Why the file is not applied as it is.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the tuning file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error(transparent)]
    Wrong(#[from] TuningError),
    #[error("the tuning file's generation is {generation}, and {applied} is applied; raise it with each change")]
    Old { generation: u64, applied: u64 },
    #[error("the tuning file allows {asked} connections, but database.max_connections_ceiling is {got}, which holds")]
    Ceiling { asked: u32, got: u32 },
}

impl Tuner {
    /// Watches `file` for this pod, which Kubernetes calls `pod_uid`.
    pub fn new(file: PathBuf, pod_uid: Option<String>, store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { file, pod_uid, store, clock, state: Mutex::default() }
    }

    /// What has become of the file.
    pub fn status(&self) -> Status {
        let state = self.state();
        Status {
            file: self.file.clone(),
            generation: state.applied.as_ref().map_or(0, |applied| applied.tuning.generation),
            applied_at: state.applied.as_ref().map(|applied| applied.at),
            error: state.error.clone(),
        }
    }

    /// Looks at the file until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.look().await;
            // Which of the two it was is asked at the loop's head.
            let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
        }
    }

    /// Looks at the file, and applies it if it is right and new.
    pub async fn look(&self) {
        let error = self.apply().await.err().map(|refusal| refusal.to_string());
        let before = std::mem::replace(&mut self.state().error, error.clone());
        match error {
            Some(error) if before.as_ref() != Some(&error) => tracing::warn!("{error}"),
            None if before.is_some() => tracing::info!("the tuning file is right again"),
            _ => {}
        }
    }

    async fn apply(&self) -> Result<(), Refusal> {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file)).await;
        let tuning = Tuning::parse(&read.map_err(io::Error::other)??)?;
        let asked = tuning.limit_of(self.pod_uid.as_deref());
        let before = self.state().applied.clone();
        let applied = match before {
            Some(applied) if !is_new(&applied.tuning, &tuning)? => applied,
            _ => {
                let connections = self.store.set_limit(asked).await;
                tracing::info!(generation = tuning.generation, connections, "the database's pool has a new size");
                let applied = Applied { tuning, at: (self.clock)(), connections };
                self.state().applied = Some(applied.clone());
                applied
            }
        };
        let got = applied.connections;
        if got < asked { Err(Refusal::Ceiling { asked, got }) } else { Ok(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `tuning` is another one than what is `applied`. One that is no younger counts for nothing: a late reading of
/// an old file must not undo what the operator knows to hold.
fn is_new(applied: &Tuning, tuning: &Tuning) -> Result<bool, Refusal> {
    if applied == tuning {
        return Ok(false);
    }
    if tuning.generation <= applied.generation {
        return Err(Refusal::Old { generation: tuning.generation, applied: applied.generation });
    }
    Ok(true)
}

#[cfg(test)]
mod tests;

//! The database's own count of the pods' connections, asked every 50 ms.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use tokio::task::JoinHandle;

const EVERY: Duration = Duration::from_millis(50);
const COUNT: &str = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = ?";
/// The most connections there ever were, of all accounts; kept by the server itself, so no sample is missed.
const HIGH_WATER: &str = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status \
     WHERE variable_name = 'MAX_USED_CONNECTIONS'";

/// What the samples of a time showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// How many there were.
    pub samples: u32,
    /// The most connections in one of them.
    pub most: u32,
    /// All connections, summed.
    pub sum: u64,
}

impl Counts {
    fn note(&mut self, connections: u32) {
        self.samples += 1;
        self.most = self.most.max(connections);
        self.sum += u64::from(connections);
    }

    /// Connections on average.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum as f64 / f64::from(self.samples.max(1))
    }
}

/// Counts until it ends.
#[derive(Debug)]
pub struct Census {
    counts: Arc<Mutex<Counts>>,
    stop: Arc<AtomicBool>,
    counting: JoinHandle<Result<u32, String>>,
}

impl Census {
    /// Counts the connections of `user` from now on, over one of its own by `url`.
    ///
    /// # Errors
    ///
    /// When the database does not let it.
    pub async fn begin(url: &str, user: &'static str) -> Result<Self, String> {
        let mut connection = MySqlConnection::connect(url).await.map_err(told)?;
        let (counts, stop) = (Arc::<Mutex<Counts>>::default(), Arc::<AtomicBool>::default());
        let (noted, stopped) = (Arc::clone(&counts), Arc::clone(&stop));
        let counting = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let now: i64 = sqlx::query_scalar(COUNT).bind(user).fetch_one(&mut connection).await.map_err(told)?;
                noted.lock().unwrap_or_else(PoisonError::into_inner).note(u32::try_from(now).unwrap_or(u32::MAX));
                tokio::time::sleep(EVERY).await;
            }
            let most: i64 = sqlx::query_scalar(HIGH_WATER).fetch_one(&mut connection).await.map_err(told)?;
            Ok(u32::try_from(most).unwrap_or(u32::MAX))
        });
        Ok(Self { counts, stop, counting })
    }

    /// What was counted since this was asked last.
    #[must_use]
    pub fn take(&self) -> Counts {
        std::mem::take(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends it: the most connections the server ever had at once, of all accounts, this one's included.
    ///
    /// # Errors
    ///
    /// When it had to stop counting before.
    pub async fn end(self) -> Result<u32, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.counting.await.map_err(told)?
    }
}

fn told(error: impl std::error::Error) -> String {
    format!("the count of connections: {error}")
}

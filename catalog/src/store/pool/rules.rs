//! What differs between the engines.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Database;

/// See above.
pub(in crate::store) struct Rules<DB: Database> {
    /// The engine's name in traces, once it is known.
    pub(in crate::store) system: Arc<OnceLock<&'static str>>,
    /// How long a call may take before the database counts as silent.
    pub(in crate::store) call_within: Duration,
    /// A connection that has not come back by then is given up, and its place is free.
    pub(in crate::store) returns_within: Duration,
    /// Whether a connection is fit for use after a call that came to no end.
    pub(in crate::store) survives: bool,
    /// A connection that was opened so long ago is closed rather than used.
    pub(in crate::store) lives_at_most: Duration,
    /// The same for one that has rested for so long.
    pub(in crate::store) rests_at_most: Duration,
    /// Who ends statements whose callers have gone, if they would run on.
    pub(in crate::store) server: Option<Arc<dyn Server<DB>>>,
}

/// The other end of connections.
#[async_trait]
pub(in crate::store) trait Server<DB: Database>: Send + Sync {
    /// What it calls a new connection.
    async fn name(&self, connection: &mut DB::Connection) -> Result<String, sqlx::Error>;

    /// Ends the connection of this name, whatever it is doing, and waits until it is gone.
    async fn end(&self, name: &str);
}

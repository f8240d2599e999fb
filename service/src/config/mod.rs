//! The configuration: typed, checked whole at start, secrets hidden.

mod load;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use farmlokal_catalog::store::{DatabaseUrl, Options};

pub use load::{ConfigError, load};

/// The commented defaults: the file that `farmlokal config` prints, and the documentation.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Everything that can be configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The public port.
    pub http: Http,
    /// Where the admin port listens.
    pub admin_listen: SocketAddr,
    /// The catalogue's database.
    pub database: Database,
    /// Where the search index is; `None` to search by SQL.
    pub search_dir: Option<PathBuf>,
    /// How many products an empty embedded database is filled with.
    pub seed_rows: u64,
    /// Logging.
    pub log: Log,
}

/// The public port.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Connections at once.
    pub max_connections: usize,
    /// From a request's head to its answer.
    pub request_timeout: Duration,
    /// For a request's head to arrive.
    pub header_timeout: Duration,
    /// Largest body.
    pub max_body_bytes: usize,
    /// From SIGTERM to the listener's end.
    pub drain_delay: Duration,
    /// For requests under way to end.
    pub shutdown_timeout: Duration,
    /// Seals cursors.
    pub cursor_secret: Secret,
}

/// The catalogue's database.
#[derive(Debug, Clone)]
pub struct Database {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Where it is read, if elsewhere.
    pub replica_url: Option<DatabaseUrl>,
    /// Whether it is the embedded one, which is migrated and seeded at start.
    pub embedded: bool,
    /// How it is opened.
    pub options: Options,
}

/// Logging.
#[derive(Debug, Clone)]
pub struct Log {
    /// Directives of `tracing_subscriber`'s `EnvFilter`.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A text that shows itself to nobody.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The embedded database's place in the data folder.
fn embedded_url(dir: &str) -> Option<DatabaseUrl> {
    let path: PathBuf = [dir, "farmlokal.db"].iter().collect();
    format!("sqlite:{}", path.display()).parse().ok()
}

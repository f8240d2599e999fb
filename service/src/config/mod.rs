//! The configuration: typed, checked whole at start, secrets hidden.

mod cache;
mod cors;
mod database;
mod http;
mod limits;
mod load;
mod log;
mod oauth;
mod reader;
mod redis;
mod search;
mod subscriptions;
mod suppliers;
mod webhooks;

use std::fmt;
use std::net::SocketAddr;

pub use cache::Cache;
pub use cors::{Cors, Origins};
pub use database::Database;
pub use http::Http;
pub use limits::Limits;
pub use load::{ConfigError, load};
pub use log::Log;
pub use oauth::OAuth;
pub use redis::Redis;
pub use search::Search;
pub use subscriptions::Subscriptions;
pub use suppliers::Supplier;
pub use webhooks::Webhooks;

/// The commented defaults: the file that `farmlokal config` prints, and the documentation.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Everything that can be configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// The public port.
    pub http: Http,
    /// Rate limits and load shedding.
    pub limits: Limits,
    /// Cross-origin requests.
    pub cors: Cors,
    /// Where the admin port listens.
    pub admin_listen: SocketAddr,
    /// The catalogue's database.
    pub database: Database,
    /// Finished answers.
    pub cache: Cache,
    /// The Redis that replicas share.
    pub redis: Redis,
    /// The search index.
    pub search: Search,
    /// How many products an empty embedded database is filled with.
    pub seed_rows: u64,
    /// Events that others send.
    pub webhooks: Webhooks,
    /// Access tokens.
    pub oauth: OAuth,
    /// Whose offers are pulled into the catalogue, by name.
    pub suppliers: Vec<Supplier>,
    /// Telling others of changes.
    pub subscriptions: Subscriptions,
    /// Logging and tracing.
    pub log: Log,
    /// Settings that are accepted in this release only, each with its remedy.
    pub warnings: Vec<String>,
}

/// A text that shows itself to nobody.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: String) -> Self {
        Self(text)
    }

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

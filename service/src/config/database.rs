//! `[database]`: where the catalogue is kept.

use std::path::PathBuf;

use farmlokal_catalog::store::{DatabaseUrl, Engine, Options};

use super::reader::Reader;

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

pub(super) fn read(reader: &mut Reader) -> Option<Database> {
    let dir = reader.text("data.dir");
    let url = reader.text("database.url");
    let replica_url = reader.text("database.replica_url");
    let max_connections = reader.whole("database.max_connections", 1, 10_000);
    let acquire_timeout = reader.millis("database.acquire_timeout_ms", 1);
    let statement_timeout = reader.millis("database.statement_timeout_ms", 1);
    let replica_lag = reader.millis("database.replica_lag_ms", 0);

    let embedded = url.as_deref() == Some("");
    let url = if embedded { dir.as_deref().and_then(embedded_url) } else { reader.parse("database.url", url?) };
    let replica_url = match replica_url? {
        none if none.is_empty() => None,
        url => reader.parse::<DatabaseUrl>("database.replica_url", url),
    };
    let url = url?;
    if replica_url.as_ref().is_some_and(|replica| replica.engine() != Engine::Mysql || url.engine() != Engine::Mysql) {
        reader.mistake("database.replica_url", "needs MySQL or MariaDB here and in database.url");
    }
    let options = Options {
        max_connections: u32::try_from(max_connections?).ok()?,
        acquire_timeout: acquire_timeout?,
        statement_timeout: statement_timeout?,
        replica_lag: replica_lag?,
        ..Options::default()
    };
    Some(Database { url, replica_url, embedded, options })
}

/// The embedded database's place in the data folder.
fn embedded_url(dir: &str) -> Option<DatabaseUrl> {
    let path: PathBuf = [dir, "farmlokal.db"].iter().collect();
    format!("sqlite:{}", path.display()).parse().ok()
}

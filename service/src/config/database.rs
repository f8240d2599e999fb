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
    /// The file that says how many connections to use from now on, if there is one.
    pub tuning_file: Option<PathBuf>,
    /// This pod's UID, by which that file may name it.
    pub pod_uid: Option<String>,
}

pub(super) fn read(reader: &mut Reader) -> Option<Database> {
    let dir = reader.text("data.dir");
    let url = reader.text("database.url");
    let replica_url = reader.text("database.replica_url");
    let max_connections = reader.whole("database.max_connections", 1, 10_000);
    let ceiling = reader.whole("database.max_connections_ceiling", 1, 10_000);
    let max_waiting = reader.whole("database.max_waiting", 0, 1_000_000);
    let acquire_timeout = reader.millis("database.acquire_timeout_ms", 1);
    let statement_timeout = reader.millis("database.statement_timeout_ms", 1);
    let replica_lag = reader.millis("database.replica_lag_ms", 0);
    let tuning_file = reader.text("database.tuning_file");
    let pod_uid = reader.text("database.pod_uid");

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
    if max_connections.zip(ceiling).is_some_and(|(first, most)| first > most) {
        reader.mistake("database.max_connections_ceiling", "must be no lower than database.max_connections");
    }
    let options = Options {
        max_connections: u32::try_from(max_connections?).ok()?,
        max_connections_ceiling: u32::try_from(ceiling?).ok()?,
        max_waiting: usize::try_from(max_waiting?).ok()?,
        acquire_timeout: acquire_timeout?,
        statement_timeout: statement_timeout?,
        replica_lag: replica_lag?,
        ..Options::default()
    };
    let (tuning_file, pod_uid) = (given(tuning_file?).map(PathBuf::from), given(pod_uid?));
    Some(Database { url, replica_url, embedded, options, tuning_file, pod_uid })
}

/// What was given, if it was.
fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// The embedded database's place in the data folder.
fn embedded_url(dir: &str) -> Option<DatabaseUrl> {
    let path: PathBuf = [dir, "farmlokal.db"].iter().collect();
    format!("sqlite:{}", path.display()).parse().ok()
}

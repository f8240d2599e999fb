//! From defaults, file and environment to a checked configuration, or all that is wrong with it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use farmlokal_catalog::store::{Engine, Options};
use figment::Figment;
use figment::providers::{Env, Format as _, Toml};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

use super::{Config, DEFAULTS, Database, Http, Log, LogFormat, Secret, embedded_url};

const PREFIX: &str = "FARMLOKAL_";
/// Environment variables that share the prefix and are not configuration: the tests' servers, and
/// what Kubernetes sets for a Service of that name.
const FOREIGN: [&str; 4] = ["FARMLOKAL_TEST_", "FARMLOKAL_SERVICE_", "FARMLOKAL_PORT", "FARMLOKAL_ADMIN_"];

/// Everything that is wrong, each with its key, where it was set, and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} mistake(s):", self.0.len())?;
        self.0.iter().try_for_each(|mistake| writeln!(f, "  - {mistake}"))?;
        write!(f, "`farmlokal config` prints every key with its default and meaning")
    }
}

impl std::error::Error for ConfigError {}

/// The configuration of `file` (if any) and the environment over the defaults.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let mut layers = Figment::from(Toml::string(DEFAULTS));
    if let Some(path) = file {
        if !path.is_file() {
            return Err(ConfigError(vec![format!("--config {}: there is no such file", path.display())]));
        }
        layers = layers.merge(Toml::file_exact(path));
    }
    let foreign = |name: &str| FOREIGN.iter().any(|prefix| name.starts_with(prefix) && !name.contains("__"));
    let ours = Env::raw().filter(move |name| {
        let name = name.as_str().to_ascii_uppercase();
        name.starts_with(PREFIX) && !foreign(&name)
    });
    let environment = ours.map(|name| name.as_str()[PREFIX.len()..].into()).split("__");
    check(&layers.merge(environment))
}

fn check(layers: &Figment) -> Result<Config, ConfigError> {
    let mut reader = Reader { layers, mistakes: Vec::new() };
    reader.unknown_keys();
    let http = http(&mut reader);
    let admin_listen = reader.listen("admin.listen");
    let database = database(&mut reader);
    let search_dir = search_dir(&mut reader);
    let seed_rows = reader.whole("seed.rows", 0, 1_000_000_000);
    let log = log(&mut reader);
    match (http, admin_listen, database, search_dir, seed_rows, log) {
        (Some(http), Some(admin_listen), Some(database), Some(search_dir), Some(seed_rows), Some(log))
            if reader.mistakes.is_empty() =>
        {
            Ok(Config { http, admin_listen, database, search_dir, seed_rows, log })
        }
        _ => Err(ConfigError(reader.mistakes)),
    }
}

// Every key is read before any is used, so that all mistakes come to light.

fn http(reader: &mut Reader) -> Option<Http> {
    let listen = reader.listen("http.listen");
    let max_connections = reader.whole("http.max_connections", 1, 1_000_000);
    let request_timeout = reader.millis("http.request_timeout_ms", 1);
    let header_timeout = reader.millis("http.header_timeout_ms", 1);
    let max_body_bytes = reader.whole("http.max_body_bytes", 1, 64 * 1024 * 1024);
    let drain_delay = reader.millis("http.drain_delay_ms", 0);
    let shutdown_timeout = reader.millis("http.shutdown_timeout_ms", 1);
    let cursor_secret = reader.text("http.cursor_secret");
    if cursor_secret.as_deref() == Some("") {
        reader.mistake("http.cursor_secret", "must not be empty");
    }
    Some(Http {
        listen: listen?,
        max_connections: usize::try_from(max_connections?).ok()?,
        request_timeout: request_timeout?,
        header_timeout: header_timeout?,
        max_body_bytes: usize::try_from(max_body_bytes?).ok()?,
        drain_delay: drain_delay?,
        shutdown_timeout: shutdown_timeout?,
        cursor_secret: Secret(cursor_secret?),
    })
}

fn database(reader: &mut Reader) -> Option<Database> {
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
        url => reader.parse::<farmlokal_catalog::store::DatabaseUrl>("database.replica_url", url),
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
    };
    Some(Database { url, replica_url, embedded, options })
}

/// The folder of the search index, if there is to be one.
fn search_dir(reader: &mut Reader) -> Option<Option<PathBuf>> {
    let dir = reader.text("data.dir");
    let index: bool = reader.read("search.index", "must be true or false")?;
    let dir = dir?;
    if dir.is_empty() {
        reader.mistake("data.dir", "must be a folder such as ./data");
        return None;
    }
    Some(index.then(|| Path::new(&dir).join("search")))
}

fn log(reader: &mut Reader) -> Option<Log> {
    let filter = reader.text("log.filter");
    let format = reader.text("log.format");
    if let Some(filter) = &filter
        && let Err(error) = tracing_subscriber::EnvFilter::try_new(filter)
    {
        reader.mistake("log.filter", &format!("must be a level such as info, or module=level ({error})"));
    }
    let format = match format?.as_str() {
        "auto" => LogFormat::Auto,
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => {
            reader.mistake("log.format", "must be auto, text or json");
            return None;
        }
    };
    Some(Log { filter: filter?, format })
}

struct Reader<'a> {
    layers: &'a Figment,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    /// Notes a mistake. Never shows the value: it may be a secret.
    fn mistake(&mut self, key: &str, remedy: &str) {
        let origin = self.layers.find_metadata(key).map_or_else(String::new, |metadata| match &metadata.source {
            Some(source) => format!(" ({source})"),
            None if metadata.name.contains("environment") => format!(" ({})", variable(key)),
            None => String::new(),
        });
        self.mistakes.push(format!("{key}{origin} {remedy}"));
    }

    fn read<T: DeserializeOwned>(&mut self, key: &str, remedy: &str) -> Option<T> {
        let value = self.layers.extract_inner_lossy(key);
        if value.is_err() {
            self.mistake(key, remedy);
        }
        value.ok()
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, "must be a text")
    }

    fn whole(&mut self, key: &str, min: u64, max: u64) -> Option<u64> {
        let remedy = format!("must be a whole number from {min} to {max}");
        let value: u64 = self.read(key, &remedy)?;
        if !(min..=max).contains(&value) {
            self.mistake(key, &remedy);
            return None;
        }
        Some(value)
    }

    fn millis(&mut self, key: &str, min: u64) -> Option<Duration> {
        self.whole(key, min, 3_600_000).map(Duration::from_millis)
    }

    fn listen(&mut self, key: &str) -> Option<std::net::SocketAddr> {
        let text = self.text(key)?;
        let address = text.parse().ok();
        if address.is_none() {
            self.mistake(key, "must be an address and port such as 127.0.0.1:8080 or [::]:8080");
        }
        address
    }

    fn parse<T: std::str::FromStr<Err: fmt::Display>>(&mut self, key: &str, text: String) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.mistake(key, &error.to_string())).ok()
    }

    /// Keys that the defaults do not have, such as a misspelt one, which would otherwise do nothing.
    fn unknown_keys(&mut self) {
        let defaults = keys(&Figment::from(Toml::string(DEFAULTS)).extract().unwrap_or_default());
        match self.layers.extract::<Dict>() {
            Ok(set) => {
                for key in keys(&set).difference(&defaults) {
                    let section = key.split('.').next().unwrap_or_default();
                    let siblings: Vec<&str> = defaults
                        .iter()
                        .filter(|known| known.starts_with(&format!("{section}.")))
                        .map(String::as_str)
                        .collect();
                    let known =
                        if siblings.is_empty() { "there is no such section".to_owned() } else { siblings.join(", ") };
                    self.mistake(key, &format!("is not a key; known are: {known}"));
                }
            }
            Err(error) => self.mistakes.push(error.to_string()),
        }
    }
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// `section.key` of everything in `dict`.
fn keys(dict: &Dict) -> BTreeSet<String> {
    dict.iter()
        .flat_map(|(name, value)| match value {
            Value::Dict(_, inner) => keys(inner).into_iter().map(|key| format!("{name}.{key}")).collect(),
            _ => vec![name.clone()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str) -> Result<Config, ConfigError> {
        check(&Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(toml)))
    }

    #[test]
    fn the_defaults_are_an_embedded_instance() {
        let config = with("").unwrap();
        assert!(config.database.embedded);
        assert_eq!(config.database.url.to_string(), "sqlite:./data/farmlokal.db");
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.seed_rows, 1_000_000);
    }

    #[test]
    fn all_mistakes_are_reported_at_once_with_key_and_remedy() {
        let ConfigError(mistakes) = with(
            "[http]\nlisten = 'nowhere'\nmax_connections = 0\nmax_conections = 5\n[database]\nurl = 'postgres://u:hunter2@h/d'\n\
             max_connections = 'many'\n[log]\nformat = 'xml'\n[cahce]\nsize = 1",
        )
        .unwrap_err();
        for expected in [
            "http.listen must be an address and port",
            "http.max_connections must be a whole number from 1",
            "http.max_conections is not a key; known are: http.cursor_secret",
            "database.url must be a URL such as mysql://",
            "database.max_connections must be a whole number",
            "log.format must be auto, text or json",
            "cahce.size is not a key; known are: there is no such section",
        ] {
            assert!(mistakes.iter().any(|mistake| mistake.contains(expected)), "{expected}: {mistakes:#?}");
        }
        assert_eq!(mistakes.len(), 7, "{mistakes:#?}");
        assert!(!mistakes.concat().contains("hunter2"), "a password is not repeated");
    }

    #[test]
    fn a_replica_needs_a_server_on_both_sides() {
        let ConfigError(mistakes) = with("[database]\nreplica_url = 'mysql://u:p@h/d'").unwrap_err();
        assert!(mistakes[0].contains("database.replica_url"), "{mistakes:?}");
        assert!(with("[database]\nurl = 'mysql://u:p@h/d'\nreplica_url = 'mysql://u:p@r/d'").is_ok());
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = with("[http]\ncursor_secret = 'hunter2'\n[database]\nurl = 'mysql://u:hunter2@h/d'").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

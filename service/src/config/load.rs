//! From defaults, file and environment to a checked configuration, or all that is wrong with it.

use std::fmt;
use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format as _, Toml};

use super::reader::{PREFIX, Reader, key_of};
use super::{
    Config, DEFAULTS, cache, cors, database, http, limits, log, oauth, redis, search, subscriptions, suppliers,
    webhooks,
};

/// Environment variables that share the prefix and are not configuration: the tests' servers, what
/// Kubernetes sets for a Service of that name, and the credentials for `farmlokal token`.
const FOREIGN: [&str; 5] =
    ["FARMLOKAL_TEST_", "FARMLOKAL_SERVICE_", "FARMLOKAL_PORT", "FARMLOKAL_ADMIN_", "FARMLOKAL_CLIENT_"];

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
    let environment = ours.map(|name| key_of(&name.as_str()[PREFIX.len()..]).into());
    check(&layers.merge(environment))
}

fn check(layers: &Figment) -> Result<Config, ConfigError> {
    let mut reader = Reader::new(layers);
    reader.unknown_keys();
    // Every section is read before any is used, so that all mistakes come to light.
    let http = http::read(&mut reader);
    let limits = limits::read(&mut reader);
    let cors = cors::read(&mut reader);
    let admin_listen = reader.listen("admin.listen");
    let database = database::read(&mut reader);
    let cache = cache::read(&mut reader);
    let redis = redis::read(&mut reader);
    let search = search::read(&mut reader);
    let seed_rows = reader.whole("seed.rows", 0, 1_000_000_000);
    let webhooks = webhooks::read(&mut reader);
    let subscriptions = subscriptions::read(&mut reader);
    let oauth = oauth::read(&mut reader);
    let suppliers = suppliers::read(&mut reader);
    let log = log::read(&mut reader);
    let (mistakes, warnings) = reader.finish();
    let config = || {
        Some(Config {
            http: http?,
            limits: limits?,
            cors: cors?,
            admin_listen: admin_listen?,
            database: database?,
            cache: cache?,
            redis: redis?,
            search: search?,
            seed_rows: seed_rows?,
            webhooks: webhooks?,
            subscriptions: subscriptions?,
            oauth: oauth?,
            suppliers: suppliers?,
            log: log?,
            warnings,
        })
    };
    config().filter(|_| mistakes.is_empty()).ok_or(ConfigError(mistakes))
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
    fn the_setting_that_switched_the_index_off_is_accepted_with_a_warning() {
        assert!(with("").unwrap().warnings.is_empty());
        let config = with("[search]\nindex = false").unwrap();
        assert!(config.warnings[0].starts_with("search.index no longer has an effect"), "{:?}", config.warnings);
        assert!(config.search.readiness_waits && config.warnings.len() == 1);
        let ConfigError(mistakes) = with("[search]\nindexed = false").unwrap_err();
        assert!(mistakes[0].contains("search.indexed is not a key; known are: search.readiness_waits"), "{mistakes:?}");
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
    fn subscribers_are_served_as_it_is_written() {
        let config = with("[subscriptions]\nallow_networks = '10.1.0.0/16, fd00::/8'\nschedule = '1s 2m'").unwrap();
        let allows = |address: &str| config.subscriptions.rules.allow_networks.contain(address.parse().unwrap());
        assert!(allows("10.1.2.3") && allows("fd00::1") && !allows("10.2.0.0"));
        assert!(!config.subscriptions.rules.allow_http);
        let ConfigError(mistakes) =
            with("[subscriptions]\nallow_networks = '10.1.0.0/16 fd00::/8'\nschedule = 'soon'\nallow_http = 7")
                .unwrap_err();
        for (mistake, expected) in
            mistakes.iter().zip(["allow_http must be true", "allow_networks must be networks", "schedule must list"])
        {
            assert!(mistake.contains(expected), "{mistakes:?}");
        }
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    }

    #[test]
    fn limits_are_read_and_refused_by_key() {
        let limits = with("[limits]\nread = 0\nwrite = 7\nwindow_s = 10").unwrap().limits;
        let [read, _, write, ..] = limits.policies;
        assert_eq!((read, write.map(|policy| policy.quota())), (None, Some(7)));
        let ConfigError(mistakes) = with(
            "[limits]\nread = -1\nexempt = 'localhost'\ntrusted_proxies = '10.0.0.0/40'\nproxies_write = 'Via'\nmax_in_flight = 0\n\
             [cors]\nallowed_origins = 'https://shop.example/'",
        )
        .unwrap_err();
        for expected in [
            "limits.read must be a whole number from 0",
            "limits.exempt must be networks such as 10.0.0.0/8, fd00::/8, 192.0.2.7, with commas between them; localhost is none",
            "limits.trusted_proxies must be networks",
            "limits.proxies_write must be X-Forwarded-For or Forwarded",
            "limits.max_in_flight must be a whole number from 1",
            "cors.allowed_origins must be * or origins such as https://shop.example",
        ] {
            assert!(mistakes.iter().any(|mistake| mistake.contains(expected)), "{expected}: {mistakes:#?}");
        }
        assert_eq!(mistakes.len(), 6, "{mistakes:#?}");
    }

    #[test]
    fn a_tuned_pool_begins_below_its_ceiling() {
        let tuned = "[database]\nmax_connections = 8\nmax_connections_ceiling = 8\ntuning_file = '/etc/farmlokal/tuning.json'\n\
                     pod_uid = '4a1f'";
        let database = with(tuned).unwrap().database;
        let file = database.tuning_file.as_deref().and_then(|file| file.to_str());
        assert_eq!((file, database.pod_uid.as_deref()), (Some("/etc/farmlokal/tuning.json"), Some("4a1f")));
        let untuned = with("").unwrap().database;
        assert_eq!((untuned.tuning_file, untuned.pod_uid), (None, None));
        let ConfigError(mistakes) = with("[database]\nmax_connections = 9\nmax_connections_ceiling = 8").unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        let expected = "database.max_connections_ceiling must be no lower than database.max_connections";
        assert!(mistakes[0].contains(expected), "{mistakes:?}");
    }

    #[test]
    fn a_replica_needs_a_server_on_both_sides() {
        let ConfigError(mistakes) = with("[database]\nreplica_url = 'mysql://u:p@h/d'").unwrap_err();
        assert!(mistakes[0].contains("database.replica_url"), "{mistakes:?}");
        assert!(with("[database]\nurl = 'mysql://u:p@h/d'\nreplica_url = 'mysql://u:p@r/d'").is_ok());
    }

    const FARM: &str = "[suppliers.green-valley]\nbase_url = 'https://farm.example/api'\n\
                        token_url = 'https://farm.example/token'\nclient_id = 'us'\nclient_secret = 'hunter2'\n";

    #[test]
    fn suppliers_are_sections_with_given_names() {
        assert_eq!(with("").unwrap().suppliers.len(), 0);
        let farm = &with(FARM).unwrap().suppliers[0];
        assert_eq!((farm.name.as_str(), farm.page_size), ("green-valley", 100));
        assert_eq!(farm.offers.as_str(), "https://farm.example/api/offers");
        let ConfigError(mistakes) =
            with(&format!("{FARM}page_sise = 7\n[suppliers.Green_]\nbase_url = 'ftp://hunter2'\npage_size = 0"))
                .unwrap_err();
        for expected in [
            "suppliers.green-valley.page_sise is not a key; known are: suppliers.NAME.base_url",
            "suppliers.Green_ must be named by",
            "suppliers.Green_.base_url must be a URL such as",
            "suppliers.Green_.token_url must be a text",
            "suppliers.Green_.client_secret must be a text",
            "suppliers.Green_.page_size must be a whole number from 1 to 1000",
        ] {
            assert!(mistakes.iter().any(|mistake| mistake.contains(expected)), "{expected}: {mistakes:#?}");
        }
        assert!(!mistakes.concat().contains("hunter2"), "{mistakes:?}");
    }

    #[test]
    fn variables_name_what_people_named() {
        assert_eq!(key_of("SUPPLIERS__GREEN_VALLEY__CLIENT_SECRET"), "suppliers.green-valley.client_secret");
        assert_eq!(key_of("DATABASE__MAX_CONNECTIONS"), "database.max_connections");
        assert_eq!(key_of("SUPPLIERS__A"), "suppliers.a");
    }

    #[test]
    fn secrets_are_not_shown() {
        let toml = format!(
            "{FARM}[http]\ncursor_secret = 'hunter2'\n[database]\nurl = 'mysql://u:hunter2@h/d'\n[webhooks]\n\
             sources = 'a=whsec_hunter2hunter2hunter2hunter2hunt'\n\
             [oauth]\nkey_secret = 'hunter2 hunter2 hunter2 hunter2 hunter2'"
        );
        let config = with(&toml).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let ConfigError(mistakes) = with("[webhooks]\nsources = 'a=hunter2'\nretention_hours = 23").unwrap_err();
        assert!(mistakes[0].starts_with("webhooks.sources") && mistakes[0].contains("must list each source"));
        assert!(mistakes[1].contains("from 24 to") && !mistakes.concat().contains("hunter2"), "{mistakes:?}");
    }

    #[test]
    fn an_issuer_is_an_origin_and_a_key_secret_is_long() {
        for issuer in ["https://api.example.com", "http://127.0.0.1:8080", "http://[::1]:1"] {
            let config = with(&format!("[oauth]\nissuer = '{issuer}'")).unwrap();
            assert_eq!(config.oauth.issuer.as_deref(), Some(issuer));
        }
        for issuer in ["api.example.com", "https://api.example.com/", "https://a.b/c", "ftp://a.b", "https://u@a.b"] {
            let ConfigError(mistakes) = with(&format!("[oauth]\nissuer = '{issuer}'")).unwrap_err();
            assert!(mistakes[0].contains("oauth.issuer must be scheme, host"), "{mistakes:?}");
        }
        let ConfigError(mistakes) = with("[oauth]\nkey_secret = 'hunter2'").unwrap_err();
        assert!(mistakes[0].contains("32 characters") && !mistakes[0].contains("hunter2"), "{mistakes:?}");
    }
}

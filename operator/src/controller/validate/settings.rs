//! The service's settings: those that follow from the object, and those that it makes itself.

use std::collections::BTreeMap;

use super::Database;
use crate::crd::FarmLokalSpec;

/// Where the service keeps files.
pub const DATA_DIR: &str = "/var/lib/farmlokal";
/// Where the tuning file is mounted.
pub const TUNING_DIR: &str = "/etc/farmlokal/tuning";
/// The port of the API in a pod.
pub const HTTP_PORT: i32 = 8080;
/// The port of probes and metrics in a pod.
pub const ADMIN_PORT: i32 = 9090;

/// The most connections a process takes.
const CEILING: u32 = 10_000;

/// Settings that others rely on, and what to do instead of making them.
const OURS: [(&str, &str); 13] = [
    ("http.listen", "the Service knows the port; set service.port"),
    ("http.cursor_secret", "it is generated, and kept in the Secret NAME-generated"),
    ("oauth.key_secret", "it is generated, and kept in the Secret NAME-generated"),
    ("admin.listen", "probes rely on it"),
    ("data.dir", "the volume is mounted there"),
    ("seed.rows", "set seed.rows of the spec"),
    ("database.url", "set database.secretRef"),
    ("database.replica_url", "set database.replicaSecretRef"),
    ("database.max_connections", "set database.budget or tuning"),
    ("database.max_connections_ceiling", "set tuning.maxPoolPerPod"),
    ("database.pod_uid", "each pod has its own"),
    ("database.tuning_file", "set tuning"),
    ("redis.url", "set redis.secretRef"),
];

/// Settings that have gone from the service, each with its remedy. They are passed on for one release, in which the
/// service accepts them with a warning.
const RETIRED: [(&str, &str); 1] = [(
    "search.index",
    "no longer has an effect: the search index is the only search engine. Remove it; the next release refuses it",
)];

/// The warnings about retired settings in `config`.
pub(super) fn warnings(config: &BTreeMap<String, String>) -> Vec<String> {
    let retired = RETIRED.iter().filter(|(key, _)| config.contains_key(*key));
    retired.map(|(key, remedy)| format!("config has {key}, which {remedy}")).collect()
}

/// A setting that is not the object's to make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config has {key}, which the operator sets: {remedy}")]
pub struct InvalidSetting {
    key: String,
    remedy: &'static str,
}

/// What settings follow from.
pub(super) struct Settings<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) port: i32,
    pub(super) spec: &'a FarmLokalSpec,
    pub(super) database: &'a Database,
}

impl Settings<'_> {
    /// By environment variable. What the object says goes over what follows from it, where it may.
    pub(super) fn merged(&self) -> Result<BTreeMap<String, String>, InvalidSetting> {
        let mut settings = self.derived();
        for (key, value) in &self.spec.config {
            if let Some((_, remedy)) = OURS.iter().find(|(ours, _)| ours == key) {
                return Err(InvalidSetting { key: key.clone(), remedy });
            }
            settings.insert(variable(key), value.clone());
        }
        Ok(settings)
    }

    fn derived(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::from([
            (variable("http.listen"), format!("0.0.0.0:{HTTP_PORT}")),
            (variable("admin.listen"), format!("0.0.0.0:{ADMIN_PORT}")),
            (variable("data.dir"), DATA_DIR.to_owned()),
            (variable("oauth.issuer"), self.issuer()),
            (variable("log.format"), "json".to_owned()),
        ]);
        let proxies = self.spec.ingress.as_ref().and_then(|ingress| ingress.trusted_proxies.clone());
        let proxies = proxies.or(self.spec.http_route.as_ref().and_then(|route| route.trusted_proxies.clone()));
        settings.extend(proxies.map(|proxies| (variable("limits.trusted_proxies"), proxies)));
        match self.database {
            Database::Embedded { .. } => {
                let rows = self.spec.seed.as_ref().map(|seed| seed.rows);
                settings.extend(rows.map(|rows| (variable("seed.rows"), rows.to_string())));
            }
            Database::Server { connections, .. } => {
                // The tuning file rules from the first moment on. What stands here depends on nothing that scaling
                // changes: another number would replace all pods, only to be overruled.
                settings.insert(variable("database.max_connections"), 1.to_string());
                let most = connections.total.min(CEILING);
                settings.insert(variable("database.max_connections_ceiling"), most.to_string());
            }
        }
        settings
    }

    /// Who issues tokens: the same for all pods, whichever way clients come.
    fn issuer(&self) -> String {
        let outside = match (&self.spec.ingress, &self.spec.http_route) {
            (Some(ingress), _) => {
                let scheme = if ingress.tls_secret_name.is_some() { "https" } else { "http" };
                Some(format!("{scheme}://{}", ingress.host))
            }
            (None, Some(route)) => {
                // A wildcard is nobody's address.
                route.hostnames.iter().find(|host| !host.starts_with('*')).map(|host| format!("https://{host}"))
            }
            (None, None) => None,
        };
        outside.unwrap_or_else(|| cluster_url(self.name, self.namespace, self.port))
    }
}

/// Where a Service answers within its cluster.
pub(super) fn cluster_url(name: &str, namespace: &str, port: i32) -> String {
    let port = if port == 80 { String::new() } else { format!(":{port}") };
    format!("http://{name}.{namespace}.svc{port}")
}

/// The environment variable of a key of the service's configuration.
#[must_use]
pub fn variable(key: &str) -> String {
    format!("FARMLOKAL_{}", key.to_uppercase().replace('.', "__").replace('-', "_"))
}

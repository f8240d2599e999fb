//! Step 2: reads all that deciding takes. Nothing after it asks the API server in order to decide.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Client;
use kube::api::{Api, DynamicObject, ListParams};
use url::Url;

use super::kind::Kind;
use super::live::Live;
use super::names::{self, INSTANCE, MANAGED_BY, MANAGER};
use super::validate::{Database, Instance, SecretKey};
use crate::crd::Reason;

/// What there is.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Hashes of the values of Secrets that pods need, by Secret and key.
    pub secrets: BTreeMap<SecretKey, String>,
    /// What is wrong with them, if anything.
    pub missing: Option<Missing>,
    /// Which database the URL means: host, port and name, hashed; no user and no password.
    pub database: Option<String>,
    /// Whether the Secret with what the operator generates is there.
    pub has_generated: bool,
    /// The children.
    pub live: Live,
    /// The pods, those of Jobs included.
    pub pods: Vec<Pod>,
    /// Products that a seeding under way has written, and those it is to write.
    pub seed_progress: Option<(i64, i64)>,
}

impl World {
    /// One hash of all Secrets.
    #[must_use]
    pub fn secrets_hash(&self) -> String {
        names::hash(self.secrets.iter().flat_map(|(secret, hash)| [&*secret.name, &*secret.key, &**hash]))
    }
}

/// A Secret is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// It is not there.
    #[error("there is no Secret {name}: create it in this namespace, with the key {key}")]
    Secret {
        /// The Secret.
        name: String,
        /// What it is to hold.
        key: String,
    },
    /// It lacks a key.
    #[error("the Secret {name} has no key {key}: add it, or name the right key in secretRef.key")]
    Key {
        /// The Secret.
        name: String,
        /// The key.
        key: String,
    },
    /// Its value is no URL of a database server. The value is not shown: it has a password.
    #[error("the key {key} of the Secret {name} must be a URL such as mysql://user:password@host:3306/database")]
    Url {
        /// The Secret.
        name: String,
        /// The key.
        key: String,
    },
}

impl Missing {
    /// The reason for the condition.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Secret { .. } => Reason::SecretNotFound,
            Self::Key { .. } => Reason::SecretKeyMissing,
            Self::Url { .. } => Reason::SecretInvalid,
        }
    }
}

/// Reads what there is.
///
/// # Errors
///
/// When the API server does not answer, or refuses to.
pub async fn dereference(client: &Client, instance: &Instance) -> Result<World, kube::Error> {
    let mut world = World { live: children(client, instance).await?, ..World::default() };
    world.pods = pods(client, instance).await?;
    secrets(client, instance, &mut world).await?;
    Ok(world)
}

async fn children(client: &Client, instance: &Instance) -> Result<Live, kube::Error> {
    let mine = ListParams::default().labels(&format!("{INSTANCE}={},{MANAGED_BY}={MANAGER}", instance.name));
    let mut live = Live::default();
    for kind in Kind::ALL {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &instance.namespace, &kind.resource());
        match api.list(&mine).await {
            Ok(objects) => objects.into_iter().for_each(|object| live.insert(kind, object)),
            Err(kube::Error::Api(status)) if kind.is_optional() && matches!(status.code, 403 | 404) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(live)
}

async fn pods(client: &Client, instance: &Instance) -> Result<Vec<Pod>, kube::Error> {
    let api: Api<Pod> = Api::namespaced(client.clone(), &instance.namespace);
    let mine = ListParams::default().labels(&format!("{INSTANCE}={},{}={}", instance.name, names::NAME, names::APP));
    Ok(api.list(&mine).await?.items)
}

async fn secrets(client: &Client, instance: &Instance, world: &mut World) -> Result<(), kube::Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &instance.namespace);
    world.has_generated = api.get_metadata_opt(&instance.child(super::build::GENERATED)).await?.is_some();
    for wanted in instance.secrets() {
        let secret = api.get_opt(&wanted.name).await?;
        match value(secret, wanted) {
            Ok(value) => note(instance, world, wanted, &value),
            Err(missing) => world.missing = world.missing.take().or(Some(missing)),
        }
    }
    if let Some(name) = &instance.secret_settings {
        let key = SecretKey { name: name.clone(), key: "*".to_owned() };
        match api.get_opt(name).await? {
            Some(secret) => {
                let data = secret.data.unwrap_or_default();
                let texts: Vec<_> = data
                    .iter()
                    .flat_map(|(key, value)| [key.clone(), String::from_utf8_lossy(&value.0).into()])
                    .collect();
                world.secrets.insert(key, names::hash(texts.iter().map(String::as_str)));
            }
            None => {
                let missing = Missing::Secret { name: name.clone(), key: "FARMLOKAL_…".to_owned() };
                world.missing = world.missing.take().or(Some(missing));
            }
        }
    }
    Ok(())
}

fn value(secret: Option<Secret>, SecretKey { name, key }: &SecretKey) -> Result<String, Missing> {
    let (name, key) = (name.clone(), key.clone());
    let Some(secret) = secret else { return Err(Missing::Secret { name, key }) };
    let bytes = secret.data.unwrap_or_default().remove(&key);
    let Some(bytes) = bytes else { return Err(Missing::Key { name, key }) };
    String::from_utf8(bytes.0).map_err(|_| Missing::Url { name, key })
}

fn note(instance: &Instance, world: &mut World, wanted: &SecretKey, value: &str) {
    world.secrets.insert(wanted.clone(), names::hash([value]));
    let Database::Server { url, .. } = &instance.database else { return };
    if url != wanted {
        return;
    }
    match identity(value) {
        Some(identity) => world.database = Some(identity),
        None => {
            let missing = Missing::Url { name: wanted.name.clone(), key: wanted.key.clone() };
            world.missing = world.missing.take().or(Some(missing));
        }
    }
}

/// Which database a URL means, whoever opens it.
fn identity(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok().filter(|url| url.scheme() == "mysql")?;
    let (host, port) = (url.host_str()?, url.port().unwrap_or(3306).to_string());
    Some(names::hash([host, &port, url.path()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_the_same_whoever_opens_it() {
        let one = identity("mysql://farm:secret@db.shop:3306/farm").unwrap();
        assert_eq!(identity("mysql://other:word@db.shop/farm"), Some(one.clone()));
        assert_ne!(identity("mysql://farm:secret@db.shop/barn"), Some(one.clone()));
        assert_ne!(identity("mysql://farm:secret@elsewhere/farm"), Some(one));
        for wrong in ["", "db.shop", "postgres://db/farm", "mysql:///farm", "sqlite:farm.db"] {
            assert_eq!(identity(wrong), None, "{wrong}");
        }
    }
}

//! Step 2: gathers all that deciding takes. Nothing after it asks the API server in order to decide.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use kube::Client;

use super::cache::Cache;
use super::live::Live;
use super::names;
use super::secrets::{Digest, Secrets};
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
    /// How many pods there may be for now, if that is fewer than asked for.
    pub held: Option<i32>,
}

impl World {
    /// One hash of all Secrets.
    #[must_use]
    pub fn secrets_hash(&self) -> String {
        names::hash(self.secrets.iter().flat_map(|(secret, hash)| [&*secret.name, &*secret.key, &**hash]))
    }

    /// Notes what a Secret has, or lacks.
    fn note(&mut self, instance: &Instance, wanted: &SecretKey, secret: Option<&Digest>) {
        let (name, key) = (wanted.name.clone(), wanted.key.clone());
        let Some(secret) = secret else { return self.lacks(Missing::Secret { name, key }) };
        let Some(value) = secret.0.get(&key) else { return self.lacks(Missing::Key { name, key }) };
        self.secrets.insert(wanted.clone(), value.hash.clone());
        if matches!(&instance.database, Database::Server { url, .. } if url == wanted) {
            self.database = value.database.clone();
            if self.database.is_none() {
                self.lacks(Missing::Url { name, key });
            }
        }
    }

    /// The first thing that is missing is told.
    fn lacks(&mut self, missing: Missing) {
        self.missing.get_or_insert(missing);
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

/// Finds out what there is: children and pods are known by watches, Secrets are read if they changed.
///
/// # Errors
///
/// When the API server does not answer, or refuses to.
pub async fn dereference(
    client: &Client,
    cache: &Cache,
    secrets: &Secrets,
    instance: &Instance,
) -> Result<World, kube::Error> {
    cache.filled().await;
    let owner = instance.owner();
    let mut world = World { live: cache.live(&owner), pods: cache.pods(&owner), ..World::default() };
    let digest = async |name: &str| secrets.digest(client, &instance.namespace, name).await;
    world.has_generated = digest(&instance.child(super::build::GENERATED)).await?.is_some();
    for wanted in instance.secrets() {
        let secret = digest(&wanted.name).await?;
        world.note(instance, wanted, secret.as_deref());
    }
    if let Some(name) = &instance.secret_settings {
        let key = SecretKey { name: name.clone(), key: "*".to_owned() };
        match digest(name).await? {
            Some(secret) => drop(world.secrets.insert(key, secret.hash())),
            None => world.lacks(Missing::Secret { name: name.clone(), key: "FARMLOKAL_…".to_owned() }),
        }
    }
    Ok(world)
}

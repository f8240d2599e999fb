//! Step 1, pure: is what is asked for possible, and what is it in full?
//!
//! [`Instance`] is all that later steps know of the object: every default is filled in, every rule holds.

use std::time::Duration;

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube::ResourceExt as _;

use super::validate::budget::Connections;
use super::validate::settings::{InvalidSetting, Settings};
use crate::crd::{FarmLokal, FarmLokalSpec, Reason, SecretRef, Seed};

pub mod budget;
mod instance;
pub mod settings;

pub use instance::{Database, Instance, Scale, SecretKey, Tuning};

/// Rows of an embedded database nobody said anything about; the service's own default.
const EMBEDDED_ROWS: i64 = 1_000_000;
const STORAGE: &str = "8Gi";
const KEY: &str = "url";
const INTERVAL_SECONDS: u64 = 60;
const WAIT_TARGET_MS: u64 = 20;

/// What the operator itself decides.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The image of those who name none.
    pub image: String,
}

/// Why an object cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// The object does not fit the schema: it is older than the schema, or the schema in the cluster is.
    #[error("the object cannot be read: {0}; correct it, or bring the CustomResourceDefinition up to date")]
    Malformed(String),
    /// A rule of the schema is broken; the object is older than the rule, or the schema in the cluster is.
    #[error("{0}")]
    Rule(String),
    /// A setting is not the object's to make.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// Connections are too few.
    #[error(transparent)]
    Budget(#[from] budget::TooSmall),
}

impl InvalidSpec {
    /// The reason for the condition.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Malformed(_) => Reason::Malformed,
            Self::Rule(_) | Self::Setting(_) => Reason::InvalidSpec,
            Self::Budget(_) => Reason::BudgetTooSmall,
        }
    }
}

/// Checks an object and fills in what it leaves open.
///
/// # Errors
///
/// When a rule is broken; the message says which, and what would be right.
pub fn validate(object: &FarmLokal, defaults: &Defaults) -> Result<Instance, InvalidSpec> {
    check_rules(object)?;
    let spec = object.spec.clone();
    let (name, namespace) = (object.name_any(), object.namespace().unwrap_or_default());
    let scale = scale(&spec);
    let database = database(&spec)?;
    let port = spec.service.as_ref().and_then(|service| service.port).unwrap_or(80);
    let settings = Settings { name: &name, namespace: &namespace, port, spec: &spec, database: &database }.merged()?;
    let embedded_rows = if spec.database.is_some() { 0 } else { EMBEDDED_ROWS };
    let wants_policy = spec.network_policy.as_ref().and_then(|policy| policy.enabled).unwrap_or(true);
    Ok(Instance {
        uid: object.uid().unwrap_or_default(),
        image: spec.image.unwrap_or_else(|| defaults.image.clone()),
        pull_policy: spec.image_pull_policy.map(|policy| format!("{policy:?}")),
        pull_secrets: spec.image_pull_secrets.into_iter().map(|r| LocalObjectReference { name: r.name }).collect(),
        database,
        redis: spec.redis.map(|redis| redis.secret_ref.into()),
        scale,
        seed: spec.seed.unwrap_or(Seed { rows: embedded_rows, blocking: false }),
        warnings: settings::warnings(&spec.config),
        settings,
        secret_settings: spec.config_secret_ref.map(|secret| secret.name),
        service: spec.service.unwrap_or_default(),
        port,
        ingress: spec.ingress,
        http_route: spec.http_route,
        network_policy: wants_policy.then(|| spec.network_policy.unwrap_or_default()),
        resources: spec.resources.unwrap_or_default(),
        pod: spec.pod.unwrap_or_default(),
        telemetry: spec.telemetry,
        paused: spec.paused,
        deletion_policy: spec.deletion_policy.unwrap_or_default(),
        name,
        namespace,
    })
}

/// The rules of the schema, for objects that were made before a rule was.
fn check_rules(object: &FarmLokal) -> Result<(), InvalidSpec> {
    object.validate_cel().map_err(|errors| InvalidSpec::Rule(errors.to_string()))
}

fn scale(spec: &FarmLokalSpec) -> Scale {
    let fewest = if spec.database.is_some() { 2 } else { 1 };
    match (&spec.autoscaling, spec.stopped) {
        (_, true) => Scale::Stopped,
        (Some(auto), _) => {
            Scale::Auto { min: auto.min_replicas, max: auto.max_replicas, cpu_percent: auto.cpu_percent.unwrap_or(70) }
        }
        (None, _) => Scale::Fixed(spec.replicas.unwrap_or(fewest)),
    }
}

fn database(spec: &FarmLokalSpec) -> Result<Database, InvalidSpec> {
    let Some(server) = spec.database.clone() else {
        let storage = spec.storage.clone().unwrap_or_default();
        return Ok(Database::Embedded {
            size: storage.size.unwrap_or_else(|| STORAGE.to_owned()),
            class: storage.storage_class_name,
        });
    };
    let tuning = spec.tuning.clone().unwrap_or_default();
    // A stopped instance keeps its share: it may be started while others run.
    let most = scale(&FarmLokalSpec { stopped: false, ..spec.clone() }).most();
    let most = u32::try_from(most).unwrap_or_default();
    Ok(Database::Server {
        url: server.secret_ref.into(),
        replica_url: server.replica_secret_ref.map(Into::into),
        connections: Connections::divide(&server.budget.unwrap_or_default(), &tuning, most)?,
        tuning: Tuning::of(&tuning),
    })
}

impl Tuning {
    fn of(asked: &crate::crd::Tuning) -> Self {
        let given =
            |value: Option<i32>, otherwise: u64| value.and_then(|it| u64::try_from(it).ok()).unwrap_or(otherwise);
        Self {
            mode: asked.mode.unwrap_or_default(),
            interval: Duration::from_secs(given(asked.interval_seconds, INTERVAL_SECONDS)),
            wait_target: Duration::from_millis(given(asked.acquire_wait_target_ms, WAIT_TARGET_MS)),
        }
    }
}

impl From<SecretRef> for SecretKey {
    fn from(secret: SecretRef) -> Self {
        Self { name: secret.name, key: secret.key.unwrap_or_else(|| KEY.to_owned()) }
    }
}

#[cfg(test)]
mod tests;

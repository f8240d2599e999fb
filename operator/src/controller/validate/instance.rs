//! What is asked for, with nothing left open.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::LocalObjectReference;

use super::budget::Connections;
use super::settings;
use crate::controller::cache::Owner;
use crate::controller::names;
use crate::crd::{
    DeletionPolicy, HttpRoute, Ingress, NetworkPolicy, PodOptions, Resources, Seed, Service, Telemetry, TuningMode,
};

/// What is asked for, in full.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The object's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID; empty when it is only rendered.
    pub uid: String,
    /// The image that is to serve.
    pub image: String,
    /// When it is pulled.
    pub pull_policy: Option<String>,
    /// With which Secrets.
    pub pull_secrets: Vec<LocalObjectReference>,
    /// Where the catalogue is kept.
    pub database: Database,
    /// The Redis, if any.
    pub redis: Option<SecretKey>,
    /// How many pods.
    pub scale: Scale,
    /// The products to begin with.
    pub seed: Seed,
    /// The service's settings, by environment variable.
    pub settings: BTreeMap<String, String>,
    /// Settings that are accepted in this release only, each with its remedy.
    pub warnings: Vec<String>,
    /// A Secret with further ones.
    pub secret_settings: Option<String>,
    /// The Service.
    pub service: Service,
    /// Its port.
    pub port: i32,
    /// The Ingress, if any.
    pub ingress: Option<Ingress>,
    /// The HTTPRoute, if any.
    pub http_route: Option<HttpRoute>,
    /// The NetworkPolicy, unless there is to be none.
    pub network_policy: Option<NetworkPolicy>,
    /// Processor and memory.
    pub resources: Resources,
    /// Where pods run.
    pub pod: PodOptions,
    /// Where traces are sent.
    pub telemetry: Option<Telemetry>,
    /// Whether nothing is to be changed.
    pub paused: bool,
    /// What becomes of the data in the end.
    pub deletion_policy: DeletionPolicy,
}

/// Where the catalogue is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Database {
    /// In a file on a volume.
    Embedded {
        /// The volume's size.
        size: String,
        /// Its class.
        class: Option<String>,
    },
    /// On a server.
    Server {
        /// Its URL.
        url: SecretKey,
        /// That of a replica.
        replica_url: Option<SecretKey>,
        /// Its connections.
        connections: Connections,
        /// How pools are tuned.
        tuning: Tuning,
    },
}

/// How pools are tuned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuning {
    /// What is done.
    pub mode: TuningMode,
    /// The time between two decisions.
    pub interval: Duration,
    /// The wait for a connection that is short enough, at the 95th percentile.
    pub wait_target: Duration,
}

/// A key of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretKey {
    /// The Secret.
    pub name: String,
    /// The key.
    pub key: String,
}

/// How many pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// None, for now.
    Stopped,
    /// So many.
    Fixed(i32),
    /// As many as an autoscaler finds right.
    Auto {
        /// The fewest.
        min: i32,
        /// The most.
        max: i32,
        /// The use of the processor that it aims at, in percent.
        cpu_percent: i32,
    },
}

impl Scale {
    /// The most pods that are wanted at once.
    #[must_use]
    pub fn most(self) -> i32 {
        match self {
            Self::Stopped => 0,
            Self::Fixed(replicas) => replicas,
            Self::Auto { max, .. } => max,
        }
    }
}

impl Instance {
    /// The object it is of.
    #[must_use]
    pub fn owner(&self) -> Owner {
        (self.namespace.clone(), self.name.clone())
    }

    /// The name of a child.
    #[must_use]
    pub fn child(&self, what: &str) -> String {
        format!("{}-{what}", self.name)
    }

    /// The labels of every child.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        names::labels(&self.name)
    }

    /// Where the service answers within the cluster.
    #[must_use]
    pub fn url(&self) -> String {
        settings::cluster_url(&self.name, &self.namespace, self.port)
    }

    /// The keys of Secrets that pods need.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretKey> {
        let (url, replica) = match &self.database {
            Database::Embedded { .. } => (None, None),
            Database::Server { url, replica_url, .. } => (Some(url), replica_url.as_ref()),
        };
        url.into_iter().chain(replica).chain(&self.redis)
    }
}

//! The resource `FarmLokal`: what people ask for, and what they are told.
//!
//! Nothing has a default in the schema, so what is in the cluster is what somebody wrote; the defaults are in
//! [`crate::controller::validate`].

#![allow(unreachable_pub, reason = "the derive repeats each type inside a function, where nobody reaches it")]

mod conditions;
mod database;
mod exposure;
mod pod;
mod schema;
mod seed;
mod status;
mod tuning;

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

pub use conditions::{ConditionType, Reason};
pub use database::{Budget, Database, Redis, SecretRef, Storage};
pub use exposure::{HttpRoute, Ingress, NetworkPolicy, ParentRef, Service, ServiceType};
pub use pod::{ImagePullPolicy, LocalReference, PodOptions, Resources, Telemetry};
pub use seed::Seed;
pub use status::{
    BudgetStatus, EffectiveStatus, FarmLokalStatus, JobState, LastDecision, MigrationStatus, SeedStatus, TuningStatus,
};
pub use tuning::{BudgetMode, Tuning, TuningMode};

/// A product catalogue that is served: its database's tables, its seed data, its pods and its share of connections.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "farmlokal.dev",
    version = "v1alpha1",
    kind = "FarmLokal",
    plural = "farmlokals",
    doc = "A product catalogue that is served: its database's tables, its seed data, its pods and its share of connections.",
    shortname = "fl",
    category = "farmlokal",
    namespaced,
    status = "FarmLokalStatus",
    derive = "PartialEq",
    derive = "Default",
    cel,
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    selectable = ".spec.database.secretRef.name",
    validation = Rule::new("self.metadata.name.size() <= 48").message("metadata.name must have at most 48 characters: names of children are longer"),
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message("metadata.name must begin with a letter and have only small letters, digits and hyphens: it names a Service"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status", description = "Whether all that was asked for is there"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason", description = "Why, or why not"),
    printcolumn(name = "Replicas", type_ = "string", json_path = ".status.replicaSummary", description = "Pods that are ready, of those wanted"),
    printcolumn(name = "Pool", type_ = "integer", json_path = ".status.tuning.poolMax", description = "Database connections each pod may open"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version", description = "The image that serves"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Budget", type_ = "string", json_path = ".status.budget.summary", priority = 1, description = "Connections given out, of those there are"),
    printcolumn(name = "Migrated", type_ = "string", json_path = ".status.conditions[?(@.type=='Migrated')].reason", priority = 1),
    printcolumn(name = "Seeded", type_ = "string", json_path = ".status.seed.summary", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    cel,
    validation = Rule::new("!(has(self.replicas) && has(self.autoscaling))").message("set replicas or autoscaling, not both"),
    validation = Rule::new("has(self.database) || (!has(self.autoscaling) && (!has(self.replicas) || self.replicas <= 1))").message("more than one replica needs a database server: set database.secretRef, or leave replicas at 1 and autoscaling out"),
    validation = Rule::new("!(has(self.database) && has(self.storage))").message("storage is for the embedded database: leave it out, or leave database out"),
    validation = Rule::new("!(has(self.ingress) && has(self.httpRoute))").message("set ingress or httpRoute, not both"),
    validation = Rule::new(
        "!has(self.database) || !has(self.database.budget) || !has(self.database.budget.connections) || \
         ((has(self.database.budget.minPerPod) ? self.database.budget.minPerPod : 2) + 1) * \
         ((has(self.autoscaling) ? self.autoscaling.maxReplicas : (has(self.replicas) ? self.replicas : 2)) + 2) + \
         (has(self.database.budget.reserved) ? self.database.budget.reserved : 5) <= self.database.budget.connections"
    ).message("database.budget is too small: (minPerPod + 1) connections for each of the most replicas and two more, and those reserved, must be within connections")
)]
pub struct FarmLokalSpec {
    /// The service's image; the operator's own release if absent. Its tables are brought up to date before it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = Rule::new("self.size() > 0 && self.size() <= 512").message("image must have 1 to 512 characters"))]
    pub image: Option<String>,
    /// When nodes pull the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// Secrets to pull the image with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalReference>,
    /// How many pods serve. With the embedded database 1 at the most, and 1 if absent; otherwise 2 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 0 && self <= 1000").message("replicas must be from 0 to 1000"))]
    pub replicas: Option<i32>,
    /// Lets a HorizontalPodAutoscaler choose how many pods serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// The MySQL or MariaDB server. Absent: an embedded database on a volume of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Database>,
    /// A Redis that replicas share answers and quotas by. Absent: each has its own memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
    /// The volume of the embedded database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Generated products for an empty database. Absent: none on a server, 1,000,000 in the embedded database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// How the size of the database pools is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// The Service in front of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Opens the Service to the outside by an Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,
    /// Opens the Service to the outside by an HTTPRoute of the Gateway API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_route: Option<HttpRoute>,
    /// Who may reach the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_policy: Option<NetworkPolicy>,
    /// What a serving pod gets of processor and memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Where pods run, and what else they carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodOptions>,
    /// Where traces and metrics are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// Further settings of the service by their names in its configuration file: `limits.read: "600"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::settings")]
    pub config: BTreeMap<String, String>,
    /// A Secret whose entries are further settings as environment variables: `FARMLOKAL_WEBHOOKS__SOURCES`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_secret_ref: Option<LocalReference>,
    /// Leaves everything as it is; the status is still kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Takes all pods away and keeps the data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// What becomes of the embedded database's volume and the generated secrets when this object is deleted. `Retain`
    /// if absent. A database server is never touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Between how many pods an autoscaler chooses, and by what.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.minReplicas <= self.maxReplicas").message("autoscaling.minReplicas must not be above maxReplicas"),
    validation = Rule::new("self.minReplicas >= 1 && self.maxReplicas <= 1000").message("autoscaling must be from 1 to 1000 replicas")
)]
pub struct Autoscaling {
    /// The fewest pods.
    pub min_replicas: i32,
    /// The most pods.
    pub max_replicas: i32,
    /// The use of the processor, in percent of what pods request, that is aimed at; 70 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000").message("autoscaling.cpuPercent must be from 1 to 1000"))]
    pub cpu_percent: Option<i32>,
}

/// What becomes of data when its object is deleted.
#[derive(Serialize, Deserialize, schemars::JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It stays, and an object of the same name finds it again.
    #[default]
    Retain,
    /// It goes.
    Delete,
}

impl FarmLokalSpec {
    /// Whether something of the Secret `name` is used.
    #[must_use]
    pub fn names_secret(&self, name: &str) -> bool {
        let database = self.database.iter();
        let urls = database.flat_map(|database| [Some(&database.secret_ref), database.replica_secret_ref.as_ref()]);
        let redis = self.redis.iter().map(|redis| Some(&redis.secret_ref));
        urls.chain(redis).flatten().any(|secret| secret.name == name)
            || self.config_secret_ref.as_ref().is_some_and(|secret| secret.name == name)
    }
}

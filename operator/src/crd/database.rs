//! Where the catalogue is kept: a server, or a volume.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// A MySQL 8 or MariaDB 10.6 server, or later ones.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// The Secret with the URL of the server: `mysql://user:password@host:3306/database`.
    pub secret_ref: SecretRef,
    /// The Secret with the URL of a replica that serves the reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_secret_ref: Option<SecretRef>,
    /// How many connections all pods together may open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// A key of a Secret in the same namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct SecretRef {
    /// The Secret's name.
    #[schemars(length(max = 253))]
    #[x_kube(validation = Rule::new("self.size() > 0 && self.size() <= 253").message("secretRef.name must name a Secret"))]
    pub name: String,
    /// The key with the URL; `url` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]{1,253}$')").message("secretRef.key must have only letters, digits, '-', '_' and '.'"))]
    pub key: Option<String>,
}

/// Connections of the database server.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Those there are for this catalogue, of the server's `max_connections`; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 100000").message("budget.connections must be from 1 to 100000"))]
    pub connections: Option<i32>,
    /// Those of them that pods leave alone, for Jobs and people; 5 if absent. Each pod's readiness connection is
    /// counted besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 2 && self <= 100000").message("budget.reserved must be 2 at least, which migrating and seeding need"))]
    pub reserved: Option<i32>,
    /// The fewest a pod gets; 2 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000").message("budget.minPerPod must be from 1 to 1000"))]
    pub min_per_pod: Option<i32>,
}

/// A Redis server, Sentinel or Cluster.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Redis {
    /// The Secret with its URL: `redis://user:password@host:6379/0`.
    pub secret_ref: SecretRef,
}

/// The volume of the embedded database.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.storageClassName) == has(oldSelf.storageClassName)").message("storage.storageClassName cannot change: a volume stays in its class"))]
pub struct Storage {
    /// Its size; 8Gi if absent. It can grow where the class allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(
        validation = Rule::new("isQuantity(self)").message("storage.size must be an amount such as 8Gi"),
        validation = Rule::new("quantity(self).compareTo(quantity(oldSelf)) >= 0").message("storage.size can only grow")
    )]
    pub size: Option<String>,
    /// Its class; the cluster's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("storage.storageClassName cannot change: a volume stays in its class"))]
    pub storage_class_name: Option<String>,
}

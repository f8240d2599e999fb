//! How the size of the database pools is found.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the size of the database pools is found.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.minPoolPerPod) || !has(self.maxPoolPerPod) || self.minPoolPerPod <= self.maxPoolPerPod").message("tuning.minPoolPerPod must not be above maxPoolPerPod"))]
pub struct Tuning {
    /// `Auto` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<TuningMode>,
    /// Seconds between decisions; 60 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 10 && self <= 3600").message("tuning.intervalSeconds must be from 10 to 3600"))]
    pub interval_seconds: Option<i32>,
    /// How long requests should wait for a connection at the most, in milliseconds, 95 of 100 of them; 20 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 60000").message("tuning.acquireWaitTargetMs must be from 1 to 60000"))]
    pub acquire_wait_target_ms: Option<i32>,
    /// The fewest connections of a pod; `database.budget.minPerPod` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000").message("tuning.minPoolPerPod must be from 1 to 1000"))]
    pub min_pool_per_pod: Option<i32>,
    /// The most connections of a pod; what the budget gives if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self >= 1 && self <= 1000").message("tuning.maxPoolPerPod must be from 1 to 1000"))]
    pub max_pool_per_pod: Option<i32>,
    /// `WorstCase` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_mode: Option<BudgetMode>,
}

/// What is done about the pools' size.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TuningMode {
    /// Nothing: each pod has its share of the budget.
    Off,
    /// It is decided and told, not done.
    Observe,
    /// It is done.
    #[default]
    Auto,
}

/// How the budget is kept.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BudgetMode {
    /// No pod gets more than its share if there were as many as there can ever be.
    #[default]
    WorstCase,
    /// Pods that are there share what those that are not there do not use.
    Elastic,
}

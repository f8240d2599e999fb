//! Step 4, pure: the objects that there are to be. One file a kind.

mod autoscaler;
mod config;
mod deployment;
mod disruption_budget;
mod http_route;
mod ingress;
mod job;
mod network_policy;
mod pod;
mod secret;
mod service;
mod service_account;
pub mod tuning;
mod volume;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use kube::core::DynamicObject;

use super::dereference::World;
use super::gates::{Gates, Step};
use super::names::Component;
use super::validate::Instance;
use crate::crd::FarmLokal;

pub use deployment::pods_replicas;
pub use secret::{GENERATED, generated};

/// Everything there is to be, not yet applied. [`super::apply::apply`] takes it apart field by field, so a kind
/// that is added here and applied nowhere does not compile.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Whom pods are.
    pub service_account: ServiceAccount,
    /// How many connections pods may open; none for the embedded database.
    pub tuning: Option<ConfigMap>,
    /// The name pods are reached by.
    pub service: Service,
    /// Who may reach them.
    pub network_policy: Option<NetworkPolicy>,
    /// Where the embedded database is.
    pub volume: Option<PersistentVolumeClaim>,
    /// Brings the tables up to date.
    pub migration: Option<Job>,
    /// Fills the database.
    pub seed: Option<Job>,
    /// What serves; none while gates are closed, which leaves what serves now alone.
    pub serving: Option<Serving>,
    /// The way in from outside.
    pub ingress: Option<Ingress>,
    /// The other way in from outside.
    pub http_route: Option<DynamicObject>,
}

/// What belongs to the pods that serve.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The service's settings.
    pub config: ConfigMap,
    /// The pods.
    pub deployment: Deployment,
    /// How many of them.
    pub autoscaler: Option<HorizontalPodAutoscaler>,
    /// How many of them may go at once.
    pub disruption_budget: Option<PodDisruptionBudget>,
}

/// What the object asks for, given how far the work is. `traceparent` is the trace that this is done in.
#[must_use]
pub fn build(instance: &Instance, world: &World, gates: &Gates, traceparent: Option<&str>) -> Prepared {
    let step = |step: &Option<Step>| step.as_ref().filter(|step| step.wants_job()).map(|step| step.job.clone());
    Prepared {
        service_account: service_account::build(instance),
        tuning: tuning::build(instance, world),
        service: service::build(instance),
        network_policy: network_policy::build(instance),
        volume: volume::build(instance),
        migration: step(&gates.migration).map(|name| job::migrate(instance, name, traceparent)),
        seed: step(&gates.seed).map(|name| job::seed(instance, name, traceparent)),
        serving: gates.are_open().then(|| serving(instance, world, gates, traceparent)),
        ingress: ingress::build(instance),
        http_route: http_route::build(instance),
    }
}

fn serving(instance: &Instance, world: &World, gates: &Gates, traceparent: Option<&str>) -> Serving {
    let config = config::settings(instance);
    Serving {
        deployment: deployment::build(instance, world, gates, &config, traceparent),
        config,
        autoscaler: autoscaler::build(instance, world.held),
        disruption_budget: disruption_budget::build(instance),
    }
}

/// The metadata of a child that goes with its object.
fn metadata(instance: &Instance, name: String) -> ObjectMeta {
    let owner = OwnerReference {
        api_version: FarmLokal::api_version(&()).into_owned(),
        kind: FarmLokal::kind(&()).into_owned(),
        name: instance.name.clone(),
        uid: instance.uid.clone(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    // What is only rendered belongs to nothing that exists.
    let owners = (!instance.uid.is_empty()).then(|| vec![owner]);
    ObjectMeta { owner_references: owners, ..lasting_metadata(instance, name) }
}

/// The metadata of a child that outlives its object.
fn lasting_metadata(instance: &Instance, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(instance.namespace.clone()),
        labels: Some(instance.labels()),
        ..ObjectMeta::default()
    }
}

/// Whether more than one pod serves, at times at least.
fn has_several(instance: &Instance) -> bool {
    instance.scale.most() > 1
}

fn selector_of(instance: &Instance) -> std::collections::BTreeMap<String, String> {
    super::names::selector(&instance.name, Component::Server)
}

fn some<K: Ord, V>(map: std::collections::BTreeMap<K, V>) -> Option<std::collections::BTreeMap<K, V>> {
    (!map.is_empty()).then_some(map)
}

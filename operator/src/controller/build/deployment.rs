//! The pods that serve.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapEnvSource, ConfigMapVolumeSource, Container, EnvFromSource, HTTPGetAction,
    PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Probe, TopologySpreadConstraint, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt as _;

use super::pod::{ADMIN, DATA, mount, plain, template};
use super::{config, has_several, metadata, selector_of, tuning, volume};
use crate::controller::dereference::World;
use crate::controller::gates::Gates;
use crate::controller::growth::limited;
use crate::controller::names::{self, CONFIG, Component, MIGRATION, SECRETS, TEMPLATE, TRACEPARENT};
use crate::controller::validate::settings::{TUNING_DIR, variable};
use crate::controller::validate::{Database, Instance, Scale};

/// A pod ends within this: three seconds until it is known to go, ten for what is under way, and some.
const ENDS_WITHIN_SECONDS: i64 = 15;
const TUNING: &str = "tuning";

/// `replicas` is left to the autoscaler where there is one.
#[must_use]
pub fn pods_replicas(scale: Scale) -> Option<i32> {
    match scale {
        Scale::Stopped => Some(0),
        Scale::Fixed(replicas) => Some(replicas),
        Scale::Auto { .. } => None,
    }
}

pub(super) fn build(
    instance: &Instance,
    world: &World,
    gates: &Gates,
    settings: &ConfigMap,
    traceparent: Option<&str>,
) -> Deployment {
    let mut template = serving(instance, world, settings);
    let hash = names::hash([serde_json::to_string(&template).unwrap_or_default().as_str()]);
    join_trace(&mut template, &hash, world.live.deployment(&instance.name).as_ref(), traceparent);
    let mut metadata = metadata(instance, instance.name.clone());
    let migration =
        gates.migration.as_ref().filter(|step| step.is_done()).map(|step| (MIGRATION.to_owned(), step.hash.clone()));
    metadata.annotations = Some(migration.into_iter().chain([(TEMPLATE.to_owned(), hash)]).collect());
    let is_server = matches!(instance.database, Database::Server { .. });
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: pods_replicas(limited(instance.scale, world.held)),
            selector: LabelSelector { match_labels: Some(selector_of(instance)), ..LabelSelector::default() },
            strategy: Some(if is_server { rolling() } else { one_after_the_other() }),
            // The next old pod is told to end when the one before is gone, so that one at the most is ending: the
            // budget of connections counts on it.
            min_ready_seconds: is_server.then_some(ENDS_WITHIN_SECONDS as i32),
            progress_deadline_seconds: (!is_server).then_some(3_600),
            template,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

/// The trace that a pod joins is the one in which it was changed last: another one would replace it for nothing.
fn join_trace(template: &mut PodTemplateSpec, hash: &str, live: Option<&Deployment>, now: Option<&str>) {
    let unchanged = live.filter(|live| live.annotations().get(TEMPLATE).is_some_and(|of| of == hash));
    let kept = unchanged.and_then(|live| {
        live.spec.as_ref()?.template.metadata.as_ref()?.annotations.as_ref()?.get(TRACEPARENT).cloned()
    });
    let trace = if unchanged.is_some() { kept } else { now.map(str::to_owned) };
    let annotations = template.metadata.get_or_insert_default().annotations.get_or_insert_default();
    annotations.extend(trace.map(|trace| (TRACEPARENT.to_owned(), trace)));
}

fn serving(instance: &Instance, world: &World, settings: &ConfigMap) -> PodTemplateSpec {
    let mut template = template(instance, Component::Server, &["serve", "--wait-for", "60"], None);
    let settings = settings.data.iter().flatten().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    let annotations = template.metadata.get_or_insert_default().annotations.get_or_insert_default();
    annotations.insert(CONFIG.to_owned(), names::hash(settings));
    annotations.insert(SECRETS.to_owned(), world.secrets_hash());
    if let Some(pod) = &mut template.spec {
        pod.termination_grace_period_seconds = Some(ENDS_WITHIN_SECONDS);
        pod.topology_spread_constraints = spread(instance);
        volumes(pod, instance);
        for container in &mut pod.containers {
            serve(container, instance);
        }
    }
    template
}

fn serve(container: &mut Container, instance: &Instance) {
    let settings = ConfigMapEnvSource { name: config::name(instance), optional: None };
    let settings = EnvFromSource { config_map_ref: Some(settings), ..EnvFromSource::default() };
    container.env_from.get_or_insert_default().insert(0, settings);
    // An embedded database is filled before it serves.
    let patience = if matches!(instance.database, Database::Embedded { .. }) { 720 } else { 60 };
    container.startup_probe = Some(probe("/livez", 5, patience));
    container.liveness_probe = Some(probe("/livez", 10, 3));
    container.readiness_probe = Some(probe("/readyz", 5, 2));
    if matches!(instance.database, Database::Server { .. }) {
        let file = format!("{TUNING_DIR}/{}", farmlokal_telemetry::tuning::FILE_NAME);
        container.env.get_or_insert_default().push(plain(&variable("database.tuning_file"), file));
        container.volume_mounts.get_or_insert_default().push(mount(TUNING, TUNING_DIR));
    }
}

fn volumes(pod: &mut PodSpec, instance: &Instance) {
    let volumes = pod.volumes.get_or_insert_default();
    if matches!(instance.database, Database::Embedded { .. }) {
        let claim = PersistentVolumeClaimVolumeSource { claim_name: volume::name(instance), read_only: None };
        for data in volumes.iter_mut().filter(|volume| volume.name == DATA) {
            (data.empty_dir, data.persistent_volume_claim) = (None, Some(claim.clone()));
        }
        return;
    }
    let file = ConfigMapVolumeSource { name: tuning::name(instance), ..ConfigMapVolumeSource::default() };
    volumes.push(Volume { name: TUNING.to_owned(), config_map: Some(file), ..Volume::default() });
}

fn probe(path: &str, period_seconds: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(ADMIN.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        timeout_seconds: Some(2),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

fn rolling() -> DeploymentStrategy {
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

/// The embedded database has one process at a time.
fn one_after_the_other() -> DeploymentStrategy {
    DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None }
}

fn spread(instance: &Instance) -> Option<Vec<TopologySpreadConstraint>> {
    let over_nodes = || {
        vec![TopologySpreadConstraint {
            max_skew: 1,
            topology_key: "kubernetes.io/hostname".to_owned(),
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            label_selector: Some(LabelSelector {
                match_labels: Some(selector_of(instance)),
                ..LabelSelector::default()
            }),
            ..TopologySpreadConstraint::default()
        }]
    };
    instance.pod.topology_spread_constraints.clone().or_else(|| has_several(instance).then(over_nodes))
}

//! What all pods have in common: who they are, what they may not do, and the environment of the service.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EmptyDirVolumeSource, EnvFromSource, EnvVar, EnvVarSource,
    ObjectFieldSelector, PodSecurityContext, PodSpec, PodTemplateSpec, ResourceRequirements, SeccompProfile,
    SecretEnvSource, SecretKeySelector, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::secret::{CURSOR_SECRET, KEY_SECRET};
use super::{secret, service};
use crate::controller::names::{self, APP, Component, TRACEPARENT};
use crate::controller::validate::settings::{ADMIN_PORT, DATA_DIR, HTTP_PORT, variable};
use crate::controller::validate::{Database, Instance, SecretKey};

/// The name of the port of probes and metrics.
pub(super) const ADMIN: &str = "admin";
/// The name of the volume at [`DATA_DIR`].
pub(super) const DATA: &str = "data";
/// Nobody in particular, as in distroless images.
const USER: i64 = 65_532;

/// A pod of a component that runs `command`. `traceparent` is the trace that it joins.
pub(super) fn template(
    instance: &Instance,
    component: Component,
    command: &[&str],
    traceparent: Option<&str>,
) -> PodTemplateSpec {
    let mut labels = instance.pod.labels.clone();
    labels.extend(instance.labels());
    labels.extend(names::selector(&instance.name, component));
    let mut annotations = instance.pod.annotations.clone();
    annotations.extend(traceparent.map(|trace| (TRACEPARENT.to_owned(), trace.to_owned())));
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: super::some(annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            containers: vec![container(instance, component, command)],
            service_account_name: Some(instance.name.clone()),
            automount_service_account_token: Some(false),
            // A Service named farmlokal would otherwise set variables that look like settings.
            enable_service_links: Some(false),
            security_context: Some(pod_security()),
            image_pull_secrets: (!instance.pull_secrets.is_empty()).then(|| instance.pull_secrets.clone()),
            node_selector: super::some(instance.pod.node_selector.clone()),
            tolerations: (!instance.pod.tolerations.is_empty()).then(|| instance.pod.tolerations.clone()),
            affinity: instance.pod.affinity.clone(),
            priority_class_name: instance.pod.priority_class_name.clone(),
            volumes: Some(vec![empty(DATA), empty("tmp")]),
            ..PodSpec::default()
        }),
    }
}

fn container(instance: &Instance, component: Component, command: &[&str]) -> Container {
    let port = |name: &str, number| ContainerPort {
        name: Some(name.to_owned()),
        container_port: number,
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let ports = match component {
        Component::Server => vec![port(service::HTTP, HTTP_PORT), port(ADMIN, ADMIN_PORT)],
        Component::Migrate | Component::Seed => vec![port(ADMIN, ADMIN_PORT)],
    };
    Container {
        name: APP.to_owned(),
        image: Some(instance.image.clone()),
        image_pull_policy: instance.pull_policy.clone(),
        args: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        env: Some(environment(instance, component)),
        env_from: instance.secret_settings.clone().map(|name| {
            let secret = SecretEnvSource { name, optional: None };
            vec![EnvFromSource { secret_ref: Some(secret), ..EnvFromSource::default() }]
        }),
        ports: Some(ports),
        resources: Some(resources(instance)),
        security_context: Some(security()),
        // The last lines of the log say why it ended, and the status shows them.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(vec![mount(DATA, DATA_DIR), mount("tmp", "/tmp")]),
        ..Container::default()
    }
}

/// Secrets and what only the pod itself knows; settings come from the ConfigMap.
fn environment(instance: &Instance, component: Component) -> Vec<EnvVar> {
    let mut variables = Vec::new();
    if let Database::Server { url, replica_url, .. } = &instance.database {
        variables.push(url_from("database.url", url));
        variables.extend(replica_url.as_ref().map(|replica| url_from("database.replica_url", replica)));
        variables.push(from_field(&variable("database.pod_uid"), "metadata.uid"));
    }
    variables.extend(instance.redis.as_ref().map(|redis| url_from("redis.url", redis)));
    let generated = secret::name(instance);
    variables.push(from_secret(&variable("http.cursor_secret"), &generated, CURSOR_SECRET));
    variables.push(from_secret(&variable("oauth.key_secret"), &generated, KEY_SECRET));
    variables.push(from_field("POD_UID", "metadata.uid"));
    variables.push(from_field("TRACEPARENT", &format!("metadata.annotations['{TRACEPARENT}']")));
    variables.extend(telemetry(instance, component));
    variables
}

fn telemetry(instance: &Instance, component: Component) -> Vec<EnvVar> {
    let mut variables = vec![
        plain(
            "OTEL_SERVICE_NAME",
            match component {
                Component::Server => APP.to_owned(),
                Component::Migrate | Component::Seed => format!("{APP}-{}", component.as_str()),
            },
        ),
        from_field("POD_NAME", "metadata.name"),
        from_field("NODE_NAME", "spec.nodeName"),
        plain(
            "OTEL_RESOURCE_ATTRIBUTES",
            format!(
                "service.namespace={},k8s.namespace.name={},k8s.pod.name=$(POD_NAME),k8s.pod.uid=$(POD_UID),k8s.node.name=$(NODE_NAME)",
                instance.name, instance.namespace
            ),
        ),
    ];
    if let Some(telemetry) = &instance.telemetry {
        let share = f64::from(telemetry.sampling_percent.unwrap_or(10)) / 100.0;
        variables.extend([
            plain("OTEL_EXPORTER_OTLP_ENDPOINT", telemetry.otlp_endpoint.clone()),
            plain("OTEL_TRACES_SAMPLER", "parentbased_traceidratio".to_owned()),
            plain("OTEL_TRACES_SAMPLER_ARG", share.to_string()),
        ]);
    }
    variables
}

/// What the pod asks for; what the object leaves open is filled in by resource.
fn resources(instance: &Instance) -> ResourceRequirements {
    let amount = |name: &str, value: &str| (name.to_owned(), Quantity(value.to_owned()));
    let mut requests = BTreeMap::from([amount("cpu", "250m"), amount("memory", "512Mi")]);
    requests.extend(instance.resources.requests.clone().unwrap_or_default());
    let mut limits = BTreeMap::from([amount("memory", "1Gi")]);
    limits.extend(instance.resources.limits.clone().unwrap_or_default());
    ResourceRequirements { requests: Some(requests), limits: Some(limits), claims: None }
}

fn pod_security() -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        run_as_group: Some(USER),
        fs_group: Some(USER),
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        ..PodSecurityContext::default()
    }
}

fn security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

/// A folder that ends with its pod.
fn empty(name: &str) -> Volume {
    Volume { name: name.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
}

pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

pub(super) fn plain(name: &str, value: String) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value), ..EnvVar::default() }
}

fn url_from(setting: &str, secret: &SecretKey) -> EnvVar {
    from_secret(&variable(setting), &secret.name, &secret.key)
}

fn from_secret(variable: &str, name: &str, key: &str) -> EnvVar {
    let key = SecretKeySelector { name: name.to_owned(), key: key.to_owned(), optional: None };
    from(variable, EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() })
}

fn from_field(variable: &str, path: &str) -> EnvVar {
    // The API server fills in the version; said here, so that what is there equals what is asked for.
    let field = ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: path.to_owned() };
    from(variable, EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() })
}

fn from(variable: &str, source: EnvVarSource) -> EnvVar {
    EnvVar { name: variable.to_owned(), value_from: Some(source), ..EnvVar::default() }
}

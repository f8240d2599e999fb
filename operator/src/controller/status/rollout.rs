//! How far the pods that serve are.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt as _;

use crate::controller::gates::shortened;
use crate::controller::live::Live;
use crate::controller::names::{COMPONENT, Component};
use crate::controller::validate::Instance;
use crate::crd::Reason;

/// What the Deployment and its pods tell.
#[derive(Debug, Default)]
pub(super) struct Rollout {
    pub(super) wanted: i32,
    pub(super) replicas: i32,
    pub(super) ready: i32,
    /// Enough pods serve.
    pub(super) is_available: bool,
    /// All of them are as asked, and no others are left.
    pub(super) is_complete: bool,
    /// What serves, if nothing else does.
    pub(super) version: Option<String>,
    pub(super) selector: String,
    /// What keeps a pod from serving.
    trouble: Option<String>,
}

impl Rollout {
    pub(super) fn of(instance: &Instance, live: &Live, pods: &[Pod]) -> Self {
        let selector = super::selector(instance);
        let Some(deployment) = live.deployment(&instance.name) else { return Self { selector, ..Self::default() } };
        let status = deployment.status.clone().unwrap_or_default();
        let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        let is_complete = is_complete(&deployment, &status, wanted);
        Self {
            wanted,
            replicas: status.replicas.unwrap_or_default(),
            ready: status.ready_replicas.unwrap_or_default(),
            is_available: is_available(&status) && status.available_replicas.unwrap_or_default() > 0,
            is_complete,
            version: is_complete.then(|| version(&deployment)).flatten(),
            selector,
            trouble: if is_complete { None } else { trouble(pods) },
        }
    }

    /// Why not all is as asked.
    pub(super) fn why_not(&self) -> (Reason, String) {
        let far = format!("{} of {} pods are ready", self.ready, self.wanted);
        match &self.trouble {
            Some(trouble) => (Reason::PodError, format!("{trouble}; {far}")),
            None => (Reason::RolloutInProgress, far),
        }
    }
}

/// Whether a Deployment's pods are those that are asked for, all of them and no others.
#[must_use]
pub fn is_settled(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    is_complete(deployment, &deployment.status.clone().unwrap_or_default(), wanted)
}

fn is_available(status: &DeploymentStatus) -> bool {
    let conditions = status.conditions.iter().flatten();
    conditions.into_iter().any(|condition| condition.type_ == "Available" && condition.status == "True")
}

fn is_complete(deployment: &Deployment, status: &DeploymentStatus, wanted: i32) -> bool {
    let [all, updated, available] =
        [status.replicas, status.updated_replicas, status.available_replicas].map(Option::unwrap_or_default);
    status.observed_generation >= deployment.metadata.generation && [all, updated, available] == [wanted; 3]
}

/// The tag or digest of the image.
fn version(deployment: &Deployment) -> Option<String> {
    let pod = deployment.spec.as_ref()?.template.spec.as_ref()?;
    let image = pod.containers.first()?.image.as_deref()?;
    Some(tag(image).to_owned())
}

fn tag(image: &str) -> &str {
    if let Some((_, digest)) = image.split_once('@') {
        return digest;
    }
    // A colon before a slash is a registry's port.
    match image.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => "latest",
    }
}

/// What the first pod in trouble says, by name, so that the message does not change by itself.
fn trouble(pods: &[Pod]) -> Option<String> {
    let serving = |pod: &&Pod| pod.labels().get(COMPONENT).is_some_and(|is| is == Component::Server.as_str());
    let mut pods: Vec<_> = pods.iter().filter(serving).collect();
    pods.sort_by_key(|pod| pod.name_any());
    pods.into_iter().find_map(|pod| {
        let said = unschedulable(pod).or_else(|| {
            let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
            containers.iter().find_map(container_trouble)
        })?;
        Some(format!("the pod {}: {said}", pod.name_any()))
    })
}

fn unschedulable(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled")?;
    let stuck = scheduled.status == "False" && scheduled.reason.as_deref() == Some("Unschedulable");
    stuck.then(|| format!("no node takes it: {}", scheduled.message.clone().unwrap_or_default()))
}

fn container_trouble(status: &ContainerStatus) -> Option<String> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    match reason {
        "ContainerCreating" | "PodInitializing" => None,
        "CrashLoopBackOff" => {
            let said = last.and_then(|last| last.message.as_deref()).map(shortened);
            let code = last.map(|last| last.exit_code).unwrap_or_default();
            Some(format!("it crashes with exit code {code}: {}", said.as_deref().unwrap_or("it did not say why")))
        }
        "ImagePullBackOff" | "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull" => {
            let said = waiting.message.as_deref().map(shortened).unwrap_or_default();
            Some(format!("its image cannot be had ({reason}); correct spec.image or imagePullSecrets: {said}"))
        }
        other => Some(format!("{other}: {}", waiting.message.as_deref().map(shortened).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_tag_or_the_digest() {
        for (image, expected) in [
            ("farmlokal", "latest"),
            ("farmlokal:1.2", "1.2"),
            ("registry:5000/farmlokal", "latest"),
            ("registry:5000/farmlokal:2", "2"),
            ("farmlokal:1.2@sha256:abc", "sha256:abc"),
        ] {
            assert_eq!(tag(image), expected, "{image}");
        }
    }
}

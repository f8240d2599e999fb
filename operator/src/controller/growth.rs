//! Whether more pods may come. With more of them each has a smaller share of the budget: new ones begin with theirs, and
//! those that run learn of it from their tuning file, which can take the kubelet a minute. Until they have given back
//! what the new ones will have, no more are let in.

use futures::StreamExt as _;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use super::build::tuning;
use super::dereference::World;
use super::kind::Kind;
use super::names::{COMPONENT, Component};
use super::observe::{Scrape, admin};
use super::validate::budget::Connections;
use super::validate::{Database, Instance, Scale};
use crate::tune::Sample;

/// Pods asked at once.
const AT_ONCE: usize = 8;

/// How many pods there may be for now, if that is fewer than `instance` asks for.
pub(super) async fn held(scrape: &dyn Scrape, instance: &Instance, world: &World) -> Option<i32> {
    let Database::Server { connections, .. } = &instance.database else { return None };
    let now = allowed_now(instance, world)?;
    let asked = instance.scale.most();
    let pods: Vec<_> = world.pods.iter().filter(|pod| is_serving(pod)).map(admin).collect();
    if now < 1 || now >= asked || pods.is_empty() {
        return None;
    }
    let Some(published) = world.live.get(Kind::ConfigMap, &tuning::name(instance)).and_then(tuning::published) else {
        return Some(now);
    };
    let answers = futures::stream::iter(pods).map(async |pod| Sample::parse(&scrape.scrape(pod?).await?).ok());
    let said: Option<Vec<_>> = answers.buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect();
    let may_grow = published.file.pool_max <= connections.per_pod_cap
        && said.is_some_and(|said| have_given_back(&said, published.file.generation, asked, connections));
    (!may_grow).then_some(now)
}

/// Whether pods that say so leave room for `asked` of them.
fn have_given_back(said: &[Sample], generation: u64, asked: i32, connections: &Connections) -> bool {
    let follow = said.iter().all(|sample| sample.generation >= generation);
    if !connections.is_elastic {
        return follow && said.iter().all(|sample| sample.applied <= connections.per_pod_cap);
    }
    let held: u32 = said.iter().map(|sample| sample.applied).sum();
    let new = usize::try_from(asked).unwrap_or_default().saturating_sub(said.len());
    let new = u32::try_from(new).unwrap_or(u32::MAX);
    follow && held.saturating_add(new.saturating_mul(connections.boot)) <= connections.available
}

/// How many pods what is there lets come.
fn allowed_now(instance: &Instance, world: &World) -> Option<i32> {
    let deployment = world.live.deployment(&instance.name)?;
    let replicas = deployment.spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let autoscaler = world.live.get(Kind::HorizontalPodAutoscaler, &instance.name);
    let autoscaler = autoscaler.and_then(|live| live.clone().try_parse::<HorizontalPodAutoscaler>().ok());
    let most = autoscaler.and_then(|autoscaler| Some(autoscaler.spec?.max_replicas));
    Some(most.map_or(replicas, |most| most.max(replicas)))
}

/// Whether a pod has, or may have, connections. One that starts again reads the file that is there by then.
fn is_serving(pod: &Pod) -> bool {
    let containers = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let mut states = containers.filter_map(|container| container.state.as_ref());
    pod.labels().get(COMPONENT).is_some_and(|is| is == Component::Server.as_str())
        && states.any(|state| state.running.is_some())
}

/// `scale`, with no more than `held` pods.
#[must_use]
pub(super) fn limited(scale: Scale, held: Option<i32>) -> Scale {
    let Some(held) = held else { return scale };
    match scale {
        Scale::Stopped => Scale::Stopped,
        Scale::Fixed(replicas) => Scale::Fixed(replicas.min(held)),
        Scale::Auto { min, max, cpu_percent } => Scale::Auto { min: min.min(held), max: max.min(held), cpu_percent },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(generation: u64, applied: u32) -> Sample {
        Sample { generation, applied, ..Sample::default() }
    }

    fn connections(is_elastic: bool) -> Connections {
        let (total, available, worst_case_pods) = (60, 40, 4);
        Connections { total, available, worst_case_pods, min_per_pod: 2, per_pod_cap: 10, boot: 5, is_elastic }
    }

    #[test]
    fn all_have_to_follow_and_to_fit() {
        let may = |said: &[Sample]| have_given_back(said, 3, 3, &connections(false));
        assert!(may(&[sample(3, 10), sample(4, 2)]));
        assert!(!may(&[sample(3, 10), sample(2, 2)]), "one has not heard of it");
        assert!(!may(&[sample(3, 11), sample(3, 2)]), "one still holds more");
    }

    #[test]
    fn what_is_lent_must_leave_the_first_share_of_new_ones() {
        let may = |said: &[Sample]| have_given_back(said, 3, 4, &connections(true));
        assert!(may(&[sample(3, 28), sample(3, 2)]));
        assert!(!may(&[sample(3, 29), sample(3, 2)]));
    }

    #[test]
    fn a_scale_is_limited_whole() {
        let auto = |min, max| Scale::Auto { min, max, cpu_percent: 70 };
        assert_eq!(limited(auto(3, 9), Some(2)), auto(2, 2));
        assert_eq!(limited(auto(1, 9), Some(4)), auto(1, 4));
        assert_eq!(limited(Scale::Fixed(3), Some(2)), Scale::Fixed(2));
        assert_eq!(limited(Scale::Fixed(3), None), Scale::Fixed(3));
        assert_eq!(limited(Scale::Stopped, Some(2)), Scale::Stopped);
    }
}

//! How many pods may go at once when nodes are emptied.

use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{has_several, metadata, selector_of};
use crate::controller::validate::Instance;

/// None for a single pod: it would only keep its node from being emptied.
pub(super) fn build(instance: &Instance) -> Option<PodDisruptionBudget> {
    has_several(instance).then(|| PodDisruptionBudget {
        metadata: metadata(instance, instance.name.clone()),
        spec: Some(PodDisruptionBudgetSpec {
            max_unavailable: Some(IntOrString::Int(1)),
            selector: Some(LabelSelector { match_labels: Some(selector_of(instance)), ..LabelSelector::default() }),
            // A pod that does not become ready must not keep its node.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    })
}

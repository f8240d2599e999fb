//! How many pods serve, by the use of the processor.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget, ResourceMetricSource,
};

use super::metadata;
use crate::controller::growth::limited;
use crate::controller::validate::{Instance, Scale};

/// One pod at a time, a minute apart: longer than a pod takes to end, so that one at the most is ending, which the
/// budget of connections counts on.
const SECONDS_BETWEEN: i32 = 60;

pub(super) fn build(instance: &Instance, held: Option<i32>) -> Option<HorizontalPodAutoscaler> {
    let Scale::Auto { min, max, cpu_percent } = limited(instance.scale, held) else { return None };
    let target = MetricTarget {
        type_: "Utilization".to_owned(),
        average_utilization: Some(cpu_percent),
        ..MetricTarget::default()
    };
    let cpu = MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource { name: "cpu".to_owned(), target }),
        ..MetricSpec::default()
    };
    let one = HPAScalingPolicy { type_: "Pods".to_owned(), value: 1, period_seconds: SECONDS_BETWEEN };
    let down = HPAScalingRules { policies: Some(vec![one]), ..HPAScalingRules::default() };
    Some(HorizontalPodAutoscaler {
        metadata: metadata(instance, instance.name.clone()),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: instance.name.clone(),
            },
            min_replicas: Some(min),
            max_replicas: max,
            metrics: Some(vec![cpu]),
            behavior: Some(HorizontalPodAutoscalerBehavior { scale_down: Some(down), scale_up: None }),
        }),
        ..HorizontalPodAutoscaler::default()
    })
}

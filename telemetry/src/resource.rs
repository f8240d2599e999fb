//! Who sends traces and metrics: the attributes that all of them share.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};

use crate::environment::{Variables, variable};

/// What Kubernetes' downward API puts into a container's environment, and the attribute it becomes.
const DOWNWARD: [(&str, &str); 4] = [
    ("POD_NAME", "k8s.pod.name"),
    ("POD_NAMESPACE", "k8s.namespace.name"),
    ("POD_UID", "k8s.pod.uid"),
    ("NODE_NAME", "k8s.node.name"),
];

/// This process of the program `service`. `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` add to that, and win.
#[must_use]
pub fn resource(service: &'static str, version: &'static str) -> Resource {
    let named = variable("OTEL_SERVICE_NAME").map(|name| KeyValue::new("service.name", name));
    Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(own(service, version, &variable))
        .with_detector(Box::new(EnvResourceDetector::new()))
        .with_attributes(named)
        .build()
}

fn own(service: &'static str, version: &'static str, variables: Variables<'_>) -> Vec<KeyValue> {
    let pod = DOWNWARD.into_iter().filter_map(|(name, key)| Some(KeyValue::new(key, variables(name)?)));
    let instance = variables("POD_UID").unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
    let mut attributes: Vec<_> = pod.collect();
    attributes.push(KeyValue::new("service.name", service));
    attributes.push(KeyValue::new("service.version", version));
    attributes.push(KeyValue::new("service.instance.id", instance));
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_named_where_there_is_one() {
        let names = |variables: Variables<'_>| {
            let mut names: Vec<_> = own("farmlokal", "1", variables)
                .into_iter()
                .map(|attribute| format!("{}={}", attribute.key, attribute.value))
                .collect();
            names.sort();
            names
        };
        let variables = |name: &str| Some(format!("the-{}", name.to_ascii_lowercase()));
        assert_eq!(
            names(&variables),
            [
                "k8s.namespace.name=the-pod_namespace",
                "k8s.node.name=the-node_name",
                "k8s.pod.name=the-pod_name",
                "k8s.pod.uid=the-pod_uid",
                "service.instance.id=the-pod_uid",
                "service.name=farmlokal",
                "service.version=1",
            ]
        );
        assert_eq!(names(&|_| None).len(), 3);
        assert_ne!(names(&|_| None), names(&|_| None), "instances differ");
    }
}

//! Who may reach the pods: everybody the API, and of the admin port only those who look after it.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata;
use crate::controller::names::{INSTANCE, MANAGER, NAME};
use crate::controller::validate::Instance;
use crate::controller::validate::settings::{ADMIN_PORT, HTTP_PORT};

pub(super) fn build(instance: &Instance) -> Option<NetworkPolicy> {
    let policy = instance.network_policy.as_ref()?;
    let admin = std::iter::once(operator()).chain(policy.metrics_from.clone()).collect();
    // Jobs' pods too: the operator asks a seeding how far it is.
    let pods = [(NAME, "farmlokal"), (INSTANCE, &instance.name)];
    let pods: BTreeMap<_, _> = pods.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Some(NetworkPolicy {
        metadata: metadata(instance, instance.name.clone()),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector { match_labels: Some(pods), ..LabelSelector::default() }),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: Some(vec![rule(HTTP_PORT, None), rule(ADMIN_PORT, Some(admin))]),
            egress: None,
        }),
    })
}

fn operator() -> NetworkPolicyPeer {
    let labels = [(NAME.to_owned(), MANAGER.to_owned())];
    NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector::default()),
        pod_selector: Some(LabelSelector { match_labels: Some(labels.into()), ..LabelSelector::default() }),
        ip_block: None,
    }
}

fn rule(port: i32, from: Option<Vec<NetworkPolicyPeer>>) -> NetworkPolicyIngressRule {
    let port = NetworkPolicyPort {
        port: Some(IntOrString::Int(port)),
        protocol: Some("TCP".to_owned()),
        ..NetworkPolicyPort::default()
    };
    NetworkPolicyIngressRule { from, ports: Some(vec![port]) }
}

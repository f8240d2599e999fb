//! The name that pods are reached by.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{metadata, selector_of, some};
use crate::controller::validate::Instance;

/// The name of the API's port, in Services and pods.
pub(super) const HTTP: &str = "http";

pub(super) fn build(instance: &Instance) -> Service {
    let mut metadata = metadata(instance, instance.name.clone());
    metadata.annotations = some(instance.service.annotations.clone());
    let port = ServicePort {
        name: Some(HTTP.to_owned()),
        port: instance.port,
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(HTTP.to_owned())),
        app_protocol: Some("http".to_owned()),
        ..ServicePort::default()
    };
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(format!("{:?}", instance.service.type_.unwrap_or_default())),
            selector: Some(selector_of(instance)),
            ports: Some(vec![port]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

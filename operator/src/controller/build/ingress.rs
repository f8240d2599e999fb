//! The way in from outside.

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec,
    IngressTLS, ServiceBackendPort,
};

use super::service::HTTP;
use super::{metadata, some};
use crate::controller::validate::Instance;

pub(super) fn build(instance: &Instance) -> Option<Ingress> {
    let wanted = instance.ingress.as_ref()?;
    let mut metadata = metadata(instance, instance.name.clone());
    metadata.annotations = some(wanted.annotations.clone());
    let service = IngressServiceBackend {
        name: instance.name.clone(),
        port: Some(ServiceBackendPort { name: Some(HTTP.to_owned()), number: None }),
    };
    let path = HTTPIngressPath {
        path: Some("/".to_owned()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend { service: Some(service), resource: None },
    };
    let rule = IngressRule { host: Some(wanted.host.clone()), http: Some(HTTPIngressRuleValue { paths: vec![path] }) };
    let tls = wanted
        .tls_secret_name
        .clone()
        .map(|secret| vec![IngressTLS { hosts: Some(vec![wanted.host.clone()]), secret_name: Some(secret) }]);
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            rules: Some(vec![rule]),
            tls,
            default_backend: None,
        }),
        ..Ingress::default()
    })
}

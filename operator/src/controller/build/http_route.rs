//! The way in from outside by the Gateway API, of which we need so little that its types are not worth a dependency.

use kube::core::{DynamicObject, TypeMeta};
use serde_json::json;

use super::metadata;
use crate::controller::kind::Kind;
use crate::controller::validate::Instance;

pub(super) fn build(instance: &Instance) -> Option<DynamicObject> {
    let wanted = instance.http_route.as_ref()?;
    let resource = Kind::HttpRoute.resource();
    let mut spec = json!({
        "parentRefs": wanted.parent_refs,
        "rules": [{"backendRefs": [{"name": instance.name, "port": instance.port}]}],
    });
    if !wanted.hostnames.is_empty() {
        spec["hostnames"] = json!(wanted.hostnames);
    }
    Some(DynamicObject {
        types: Some(TypeMeta { api_version: resource.api_version, kind: resource.kind }),
        metadata: metadata(instance, instance.name.clone()),
        data: json!({"spec": spec}),
    })
}

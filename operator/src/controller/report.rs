//! Writes the status, if it is another one, and tells of what turned.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::events::edges;
use super::names::MANAGER;
use super::publisher::Publisher;
use super::status::own;
use crate::crd::{FarmLokal, FarmLokalStatus};

/// Writes `new` if it says anything else than `old`, and publishes what turned. Whether it was written.
///
/// # Errors
///
/// When the API server does not take it; an object that is gone by now needs no status.
pub async fn report(
    client: &Client,
    publisher: &Publisher,
    object: &ObjectReference,
    old: &FarmLokalStatus,
    new: &FarmLokalStatus,
) -> Result<bool, kube::Error> {
    if own(old) == *new {
        return Ok(false);
    }
    let resource = ApiResource::erase::<FarmLokal>(&());
    let (name, namespace) = (object.name.clone().unwrap_or_default(), object.namespace.clone().unwrap_or_default());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
    let patch = json!({"apiVersion": resource.api_version, "kind": resource.kind, "status": new});
    match api.patch_status(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&patch)).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(false),
        Err(error) => return Err(error),
    }
    for event in edges(old, new) {
        // The status says it all; an event that is lost is no reason to do everything again.
        if let Err(error) = publisher.publish(&event, object).await {
            tracing::warn!(%error, "an event could not be published");
        }
    }
    Ok(true)
}

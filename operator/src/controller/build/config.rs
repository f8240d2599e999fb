//! The settings: of which a change replaces the pods.

use k8s_openapi::api::core::v1::ConfigMap;

use super::metadata;
use crate::controller::validate::Instance;

/// The settings, as environment variables.
pub(super) fn settings(instance: &Instance) -> ConfigMap {
    ConfigMap {
        metadata: metadata(instance, name(instance)),
        data: Some(instance.settings.clone()),
        ..ConfigMap::default()
    }
}

pub(super) fn name(instance: &Instance) -> String {
    instance.child("config")
}

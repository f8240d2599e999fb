//! Whom pods are: an account that may do nothing in the cluster.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::{metadata, some};
use crate::controller::validate::Instance;

pub(super) fn build(instance: &Instance) -> ServiceAccount {
    let mut metadata = metadata(instance, instance.name.clone());
    metadata.annotations = some(instance.pod.service_account_annotations.clone());
    ServiceAccount {
        metadata,
        // Pods do not speak to the API server.
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

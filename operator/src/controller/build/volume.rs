//! Where the embedded database is.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{lasting_metadata, metadata};
use crate::controller::validate::{Database, Instance};
use crate::crd::DeletionPolicy;

pub(super) fn build(instance: &Instance) -> Option<PersistentVolumeClaim> {
    let Database::Embedded { size, class } = &instance.database else { return None };
    let metadata = match instance.deletion_policy {
        DeletionPolicy::Delete => metadata(instance, name(instance)),
        DeletionPolicy::Retain => lasting_metadata(instance, name(instance)),
    };
    let size = [("storage".to_owned(), Quantity(size.clone()))];
    Some(PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: class.clone(),
            resources: Some(VolumeResourceRequirements { requests: Some(size.into()), limits: None }),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    })
}

pub(super) fn name(instance: &Instance) -> String {
    instance.child("data")
}

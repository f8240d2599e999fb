//! What the operator makes up once: secrets that all replicas share and nobody has to choose.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;

use super::{lasting_metadata, metadata};
use crate::controller::validate::Instance;
use crate::crd::DeletionPolicy;

/// What its name ends in.
pub const GENERATED: &str = "generated";
/// Key: seals cursors.
pub(super) const CURSOR_SECRET: &str = "cursor-secret";
/// Key: encrypts the keys that sign tokens, in the database. Without it they are lost, so it stays as long as the data.
pub(super) const KEY_SECRET: &str = "key-secret";

/// The Secret, with texts drawn by `draw`. It is made when there is none, and never overwritten.
#[must_use]
pub fn generated(instance: &Instance, mut draw: impl FnMut() -> String) -> Secret {
    let name = instance.child(GENERATED);
    let metadata = match instance.deletion_policy {
        DeletionPolicy::Delete => metadata(instance, name),
        DeletionPolicy::Retain => lasting_metadata(instance, name),
    };
    let texts = [CURSOR_SECRET, KEY_SECRET].map(|key| (key.to_owned(), draw()));
    Secret { metadata, string_data: Some(texts.into()), type_: Some("Opaque".to_owned()), ..Secret::default() }
}

/// Its name.
pub(super) fn name(instance: &Instance) -> String {
    generated(instance, String::new).name_any()
}

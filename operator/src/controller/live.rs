//! What there is in the cluster that belongs to an object.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use serde::de::DeserializeOwned;

use super::kind::Kind;
use super::names::{INSTANCE, MANAGED_BY, MANAGER};
use super::validate::Instance;

/// A kind and a name in the object's namespace.
pub type ChildName = (Kind, String);

/// Children as the API server has them.
#[derive(Debug, Clone, Default)]
pub struct Live {
    objects: BTreeMap<ChildName, DynamicObject>,
}

impl Live {
    /// Adds one, or replaces it.
    pub fn insert(&mut self, kind: Kind, object: DynamicObject) {
        self.objects.insert((kind, object.name_any()), object);
    }

    /// Takes one away.
    pub fn remove(&mut self, child: &ChildName) {
        self.objects.remove(child);
    }

    /// One by its name.
    #[must_use]
    pub fn get(&self, kind: Kind, name: &str) -> Option<&DynamicObject> {
        self.objects.get(&(kind, name.to_owned()))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&ChildName, &DynamicObject)> {
        self.objects.iter()
    }

    /// The Deployment `name`.
    #[must_use]
    pub fn deployment(&self, name: &str) -> Option<Deployment> {
        self.get(Kind::Deployment, name).and_then(typed)
    }

    /// The Job `name`.
    #[must_use]
    pub fn job(&self, name: &str) -> Option<Job> {
        self.get(Kind::Job, name).and_then(typed)
    }
}

fn typed<T: DeserializeOwned>(object: &DynamicObject) -> Option<T> {
    serde_json::from_value(serde_json::to_value(object).ok()?).ok()
}

/// Whether `object` may be changed on behalf of `instance`: it is controlled by it; or by nobody, and carries its
/// labels, as data does that outlived an earlier object of the same name.
#[must_use]
pub fn is_ours(object: &DynamicObject, instance: &Instance) -> bool {
    match object.owner_references().iter().find(|owner| owner.controller == Some(true)) {
        Some(owner) => owner.uid == instance.uid,
        None => {
            let labels = object.labels();
            labels.get(MANAGED_BY).is_some_and(|by| by == MANAGER)
                && labels.get(INSTANCE).is_some_and(|name| *name == instance.name)
        }
    }
}

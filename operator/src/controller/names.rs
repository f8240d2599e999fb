//! Names and labels of what is made for an object.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// Who applies, in `managedFields`.
pub const MANAGER: &str = "farmlokal-operator";
/// Who hands the number of replicas over to an autoscaler.
pub const REPLICAS_MANAGER: &str = "farmlokal-operator-replicas";
/// Who tells how pools are tuned.
pub const TUNER: &str = "farmlokal-operator-tuner";
/// What runs in the pods.
pub const APP: &str = "farmlokal";

/// Label: what an object is an instance of.
pub const NAME: &str = "app.kubernetes.io/name";
/// Label: the `FarmLokal` it belongs to.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// Label: who looks after it.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Label: what it does.
pub const COMPONENT: &str = "app.kubernetes.io/component";

/// Annotation: hash of what was applied.
pub const APPLIED: &str = "farmlokal.dev/applied";
/// Annotation of a Deployment: the migrations that its image relies on.
pub const MIGRATION: &str = "farmlokal.dev/migration";
/// Annotation of a Deployment: hash of its pods, traces left out.
pub const TEMPLATE: &str = "farmlokal.dev/template";
/// Annotation of pods: hash of the configuration they began with.
pub const CONFIG: &str = "farmlokal.dev/config";
/// Annotation of pods: hash of the Secrets they began with.
pub const SECRETS: &str = "farmlokal.dev/secrets";
/// Annotation of the tuning file: what it follows from.
pub const TUNER_MEMORY: &str = "farmlokal.dev/tuner";
/// Annotation: the W3C `traceparent` of the work that something is part of.
pub const TRACEPARENT: &str = "farmlokal.dev/traceparent";

/// What a pod does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// It serves.
    Server,
    /// It brings tables up to date.
    Migrate,
    /// It fills the database.
    Seed,
}

impl Component {
    /// As a label's value and as part of names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Migrate => "migrate",
            Self::Seed => "seed",
        }
    }
}

/// The labels of everything that belongs to `instance`.
#[must_use]
pub fn labels(instance: &str) -> BTreeMap<String, String> {
    [(NAME, APP), (INSTANCE, instance), (MANAGED_BY, MANAGER), ("app.kubernetes.io/part-of", APP)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The labels by which the pods of a component are found. They never change.
#[must_use]
pub fn selector(instance: &str, component: Component) -> BTreeMap<String, String> {
    [(NAME, APP), (INSTANCE, instance), (COMPONENT, component.as_str())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// A hash of some texts in hexadecimal; other texts, or the same cut elsewhere, give another one.
#[must_use]
pub fn hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of a Job: the same work has the same name. At most 63 characters for an instance's name of 48.
#[must_use]
pub fn job(instance: &str, component: Component, hash: &str) -> String {
    format!("{instance}-{}-{}", component.as_str(), hash.get(..6).unwrap_or(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_leaves_room_for_a_job() {
        assert_eq!(job(&"a".repeat(48), Component::Migrate, &hash(["x"])).len(), 63);
    }

    #[test]
    fn hashes_see_where_texts_are_cut() {
        assert_ne!(hash(["ab", "c"]), hash(["a", "bc"]));
        assert_eq!(hash(["ab"]).len(), 16);
    }
}

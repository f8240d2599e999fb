//! What the API server has told of children and of pods, kept up to date by watches, so that a round asks for nothing.
//!
//! Objects are kept as packed text and without what nobody reads, to be small; they are parsed when their turn comes.

mod packed;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::Event;
use serde_json::Value;
use tokio::sync::watch;

use super::kind::Kind;
use super::live::Live;
use super::names::{APP, INSTANCE, MANAGED_BY, MANAGER, NAME};
use packed::{Packed, Pattern};

/// The namespace and the name of a `FarmLokal`.
pub type Owner = (String, String);

/// What is watched for the sake of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watched {
    /// Children of a kind.
    Child(Kind),
    /// Pods, those of Jobs included.
    Pod,
}

#[derive(Debug, Default)]
struct All {
    by_owner: HashMap<Owner, BTreeMap<(Watched, String), Kept>>,
    patterns: BTreeMap<Watched, Pattern>,
}

/// See above.
#[derive(Debug, Default)]
pub struct Cache {
    kept: Mutex<All>,
    /// Watches that have not told yet all there is.
    pending: watch::Sender<usize>,
}

#[derive(Debug)]
struct Kept {
    version: u64,
    packed: Packed,
}

impl Watched {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Child).chain([Self::Pod])
    }

    /// Where the API server keeps it.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        match self {
            Self::Child(kind) => kind.resource(),
            Self::Pod => ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod")),
        }
    }

    /// The labels of ours.
    #[must_use]
    pub fn labels(self) -> String {
        match self {
            Self::Child(_) => format!("{MANAGED_BY}={MANAGER}"),
            Self::Pod => format!("{NAME}={APP}"),
        }
    }

    /// Takes away what nobody reads.
    fn prune(self, object: &mut DynamicObject) {
        object.metadata.managed_fields = None;
        let read: &[&str] = match self {
            Self::Child(Kind::Job) => &["status"],
            Self::Pod => {
                if let Some(status) = object.data.get_mut("status").and_then(Value::as_object_mut) {
                    status.retain(|key, _| {
                        matches!(key.as_str(), "phase" | "podIP" | "conditions" | "containerStatuses")
                    });
                }
                &["status"]
            }
            Self::Child(_) => return,
        };
        if let Some(data) = object.data.as_object_mut() {
            data.retain(|key, _| read.contains(&key.as_str()));
        }
    }
}

impl Cache {
    /// Waits until every watch has told all there is: before, nothing is known to be absent.
    pub async fn filled(&self) {
        // Its sender is here, so it cannot be gone.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }

    /// The children of an object.
    #[must_use]
    pub fn live(&self, owner: &Owner) -> Live {
        let mut live = Live::default();
        for ((watched, _), kept) in self.lock().by_owner.get(owner).into_iter().flatten() {
            if let (Watched::Child(kind), Some(object)) = (watched, parsed(kept)) {
                live.insert(*kind, object);
            }
        }
        live
    }

    /// Its pods.
    #[must_use]
    pub fn pods(&self, owner: &Owner) -> Vec<Pod> {
        let all = self.lock();
        let pods = all.by_owner.get(owner).into_iter().flatten().filter(|((watched, _), _)| *watched == Watched::Pod);
        pods.filter_map(|(_, kept)| serde_json::from_slice(&kept.packed.text()).ok()).collect()
    }

    /// One child.
    #[must_use]
    pub fn child(&self, owner: &Owner, kind: Kind, name: &str) -> Option<DynamicObject> {
        self.lock().by_owner.get(owner)?.get(&(Watched::Child(kind), name.to_owned())).and_then(parsed)
    }

    /// Keeps a child that was just written; a watch that is behind does not undo it.
    pub fn put(&self, kind: Kind, object: &DynamicObject) {
        if let Some(owner) = owner(object) {
            self.keep(Watched::Child(kind), owner, object.clone(), false);
        }
    }

    /// Forgets a child that was just deleted.
    pub fn remove(&self, owner: &Owner, kind: Kind, name: &str) {
        self.take(owner, &(Watched::Child(kind), name.to_owned()));
    }

    fn keep(&self, watched: Watched, owner: Owner, mut object: DynamicObject, as_it_is: bool) {
        let version = version(&object);
        let mut all = self.lock();
        let key = (watched, object.name_any());
        if !as_it_is
            && all.by_owner.get(&owner).and_then(|kept| kept.get(&key)).is_some_and(|kept| kept.version > version)
        {
            return;
        }
        watched.prune(&mut object);
        let text = serde_json::to_vec(&object).unwrap_or_default();
        let packed = all.patterns.entry(watched).or_default().pack(&text);
        all.by_owner.entry(owner).or_default().insert(key, Kept { version, packed });
    }

    fn take(&self, owner: &Owner, key: &(Watched, String)) {
        let mut all = self.lock();
        if let Some(kept) = all.by_owner.get_mut(owner) {
            kept.remove(key);
            if kept.is_empty() {
                all.by_owner.remove(owner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who keeps a cache up to date with one watch.
#[derive(Debug)]
pub struct Listener {
    cache: Arc<Cache>,
    watched: Watched,
    /// All if there is none.
    namespace: Option<String>,
    has_told: bool,
    /// What was told since it began to tell all there is.
    told: HashSet<(Owner, String)>,
}

impl Listener {
    /// For the watch of `watched` in a namespace, or in all. The cache waits for it from now on.
    #[must_use]
    pub fn new(cache: Arc<Cache>, watched: Watched, namespace: Option<String>) -> Self {
        cache.pending.send_modify(|pending| *pending += 1);
        Self { cache, watched, namespace, has_told: false, told: HashSet::new() }
    }

    /// Notes what the watch tells; the objects whose turn comes because of it.
    pub fn note(&mut self, event: Event<DynamicObject>) -> Vec<Owner> {
        match event {
            Event::Init => self.told.clear(),
            Event::InitDone => return self.compare(),
            Event::InitApply(object) => return self.applied(object, true),
            Event::Apply(object) => return self.applied(object, false),
            Event::Delete(object) => {
                let Some(owner) = owner(&object) else { return vec![] };
                self.cache.take(&owner, &(self.watched, object.name_any()));
                return vec![owner];
            }
        }
        vec![]
    }

    fn applied(&mut self, object: DynamicObject, as_it_is: bool) -> Vec<Owner> {
        let Some(owner) = owner(&object) else { return vec![] };
        if as_it_is {
            self.told.insert((owner.clone(), object.name_any()));
        }
        self.cache.keep(self.watched, owner.clone(), object, as_it_is);
        vec![owner]
    }

    /// All was told: what was not is gone since, and nobody said so.
    fn compare(&mut self) -> Vec<Owner> {
        let told = std::mem::take(&mut self.told);
        let mut gone = Vec::new();
        for (owner, kept) in &self.cache.lock().by_owner {
            if self.namespace.as_ref().is_some_and(|namespace| *namespace != owner.0) {
                continue;
            }
            let names = kept.keys().filter(|(watched, _)| *watched == self.watched).map(|(_, name)| name);
            gone.extend(names.map(|name| (owner.clone(), name.clone())).filter(|it| !told.contains(it)));
        }
        for (owner, name) in &gone {
            self.cache.take(owner, &(self.watched, name.clone()));
        }
        if !std::mem::replace(&mut self.has_told, true) {
            self.cache.pending.send_modify(|pending| *pending -= 1);
        }
        gone.into_iter().map(|(owner, _)| owner).collect()
    }
}

/// Whose it is: our labels say so.
fn owner(object: &DynamicObject) -> Option<Owner> {
    Some((object.namespace()?, object.labels().get(INSTANCE)?.clone()))
}

/// Versions of one kind are numbers that grow.
fn version(object: &DynamicObject) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

fn parsed(kept: &Kept) -> Option<DynamicObject> {
    serde_json::from_slice(&kept.packed.text()).ok()
}

#[cfg(test)]
mod tests;

//! What the server keeps.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::apply::{self, Managers};
use super::call::{Call, Verb};

/// Group, kind in plural, namespace and name.
type Key = (String, String, String, String);
type Answer = Result<Value, (StatusCode, String)>;

/// What happened to an object: the word of a watch, and the object.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) group: String,
    pub(super) plural: String,
    pub(super) word: &'static str,
    pub(super) object: Value,
}

pub(super) struct Objects {
    all: BTreeMap<Key, (Value, Managers)>,
    version: u64,
    pub(super) changes: broadcast::Sender<Change>,
}

impl Default for Objects {
    fn default() -> Self {
        Self { all: BTreeMap::new(), version: 0, changes: broadcast::Sender::new(4096) }
    }
}

impl Objects {
    pub(super) fn answer(&mut self, call: &Call, body: Value) -> Answer {
        match call.verb {
            _ if !knows(&call.group) => Err(not_found(call)),
            Verb::Get => self.get(call).map(|object| presented(&object, call)),
            Verb::List => Ok(self.list(call)),
            Verb::Create => self.create(call, body),
            Verb::Update => self.update(call, body),
            Verb::Patch => self.patch(call, body),
            Verb::Delete => self.delete(call, &body),
            Verb::Watch => unreachable!("watches are answered elsewhere"),
        }
    }

    fn get(&self, call: &Call) -> Answer {
        self.all.get(&key(call, None)).map(|(object, _)| object.clone()).ok_or_else(|| not_found(call))
    }

    pub(super) fn list(&self, call: &Call) -> Value {
        let mut items: Vec<_> = self.matching(call).map(|object| presented(object, call)).collect();
        // The list says what its items are.
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.retain(|key, _| key != "apiVersion" && key != "kind");
        }
        let version =
            if call.group.is_empty() { call.version.clone() } else { format!("{}/{}", call.group, call.version) };
        let (version, kind) = if call.metadata_only {
            ("meta.k8s.io/v1".to_owned(), "PartialObjectMetadataList")
        } else {
            (version, "List")
        };
        json!({"apiVersion": version, "kind": kind, "metadata": {"resourceVersion": self.version.to_string()}, "items": items})
    }

    pub(super) fn matching<'a>(&'a self, call: &'a Call) -> impl Iterator<Item = &'a Value> {
        let kinds = self.all.iter().filter(|((group, plural, ..), _)| *group == call.group && plural == call.plural());
        kinds.map(|(_, (object, _))| object).filter(|object| call.wants(object))
    }

    fn create(&mut self, call: &Call, body: Value) -> Answer {
        let name = body["metadata"]["name"].as_str().unwrap_or("generated").to_owned();
        if self.all.contains_key(&key(call, Some(&name))) {
            return Err((StatusCode::CONFLICT, format!("{} \"{name}\" already exists", call.resource)));
        }
        self.store(call, &name, Value::Null, body, Managers::default())
    }

    fn update(&mut self, call: &Call, body: Value) -> Answer {
        let (old, managers) = self.all.get(&key(call, None)).cloned().ok_or_else(|| not_found(call))?;
        let read = &body["metadata"]["resourceVersion"];
        if !read.is_null() && *read != old["metadata"]["resourceVersion"] {
            return Err((StatusCode::CONFLICT, "the object has been modified".to_owned()));
        }
        let name = call.name.clone().unwrap_or_default();
        self.store(call, &name, old, body, managers)
    }

    fn patch(&mut self, call: &Call, body: Value) -> Answer {
        let name = call.name.clone().unwrap_or_default();
        let there = self.all.get(&key(call, None)).cloned();
        if there.is_none() && (!call.applies || call.resource.contains('/')) {
            return Err(not_found(call));
        }
        let (old, mut managers) = there.unwrap_or_default();
        let mut new = old.clone();
        if call.applies {
            apply::apply(&mut new, &mut managers, call.query.get("fieldManager").unwrap(), &body);
        } else {
            apply::merge(&mut new, &body);
        }
        if call.plural() == "jobs" && !old.is_null() && old["spec"] != new["spec"] {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "spec.template: field is immutable".to_owned()));
        }
        self.store(call, &name, old, new, managers)
    }

    fn store(&mut self, call: &Call, name: &str, old: Value, mut new: Value, managers: Managers) -> Answer {
        // What is written by a subresource, and what is not.
        if call.resource.ends_with("/status") {
            let status = new["status"].take();
            new = old.clone();
            new["status"] = status;
        } else if let Some(status) = old.get("status") {
            new["status"] = status.clone();
        }
        let metadata = new["metadata"].as_object_mut().unwrap();
        metadata.insert("name".to_owned(), json!(name));
        metadata.extend(call.namespace.clone().map(|namespace| ("namespace".to_owned(), json!(namespace))));
        for kept in ["uid", "creationTimestamp", "generation", "resourceVersion", "managedFields"] {
            metadata.insert(kept.to_owned(), old["metadata"][kept].clone());
        }
        if old.is_null() {
            metadata.insert("uid".to_owned(), json!(format!("uid-{}", self.version)));
            metadata.insert("creationTimestamp".to_owned(), json!("2026-01-01T00:00:00Z"));
        }
        let generation = old["metadata"]["generation"].as_i64().unwrap_or_default();
        if new["spec"] != old["spec"] {
            new["metadata"]["generation"] = json!(generation + 1);
        }
        let fields = apply::managed_fields(&managers);
        let unchanged = !old.is_null() && new == old;
        self.all.insert(key(call, Some(name)), (new.clone(), managers));
        if unchanged {
            return Ok(new);
        }
        self.version += 1;
        new["metadata"]["resourceVersion"] = json!(self.version.to_string());
        new["metadata"]["managedFields"] = fields;
        if let Some((stored, _)) = self.all.get_mut(&key(call, Some(name))) {
            *stored = new.clone();
        }
        self.tell(call, if old.is_null() { "ADDED" } else { "MODIFIED" }, &new);
        Ok(new)
    }

    fn delete(&mut self, call: &Call, options: &Value) -> Answer {
        let object = self.get(call)?;
        let uid = &options["preconditions"]["uid"];
        if !uid.is_null() && *uid != object["metadata"]["uid"] {
            return Err((StatusCode::CONFLICT, "the uid is another one".to_owned()));
        }
        self.all.remove(&key(call, None));
        self.version += 1;
        self.tell(call, "DELETED", &object);
        self.collect(&object["metadata"]["uid"]);
        Ok(object)
    }

    /// What an object that is gone owned goes as well.
    fn collect(&mut self, uid: &Value) {
        let owned = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == *uid))
        };
        let gone: Vec<_> =
            self.all.iter().filter(|(_, (object, _))| owned(object)).map(|(key, _)| key.clone()).collect();
        gone.iter().for_each(|key| drop(self.all.remove(key)));
    }

    fn tell(&self, call: &Call, word: &'static str, object: &Value) {
        let change =
            Change { group: call.group.clone(), plural: call.plural().to_owned(), word, object: object.clone() };
        // Nobody may watch.
        let _ = self.changes.send(change);
    }
}

/// As much of an object as is asked for.
pub(super) fn presented(object: &Value, call: &Call) -> Value {
    if !call.metadata_only {
        return object.clone();
    }
    json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]})
}

/// There is no Gateway API here.
fn knows(group: &str) -> bool {
    group != "gateway.networking.k8s.io"
}

fn key(call: &Call, name: Option<&str>) -> Key {
    let name = name.map(str::to_owned).or_else(|| call.name.clone()).unwrap_or_default();
    (call.group.clone(), call.plural().to_owned(), call.namespace.clone().unwrap_or_default(), name)
}

fn not_found(call: &Call) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("{} {:?} not found", call.resource, call.name))
}

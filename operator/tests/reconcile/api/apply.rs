//! Server-side apply, as far as the operator uses it: fields that an applier no longer names go, unless another one
//! names them; conflicts are forced.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What each manager applied last.
pub(super) type Managers = BTreeMap<String, Value>;

/// Applies `wanted` as `manager`.
pub(super) fn apply(object: &mut Value, managers: &mut Managers, manager: &str, wanted: &Value) {
    let mut wanted = wanted.clone();
    if let Some(metadata) = wanted.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    let before = managers.insert(manager.to_owned(), wanted.clone());
    let others: Vec<_> =
        managers.iter().filter(|(name, _)| *name != manager).map(|(_, applied)| applied.clone()).collect();
    if let Some(before) = before {
        let kept: Vec<&Value> = others.iter().chain([&wanted]).collect();
        remove(object, &before, &kept);
    }
    put(object, &wanted);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
}

/// Takes away the leaves of `before` that none of `kept` has.
fn remove(object: &mut Value, before: &Value, kept: &[&Value]) {
    let (Some(fields), Some(before)) = (object.as_object_mut(), before.as_object()) else { return };
    for (key, before) in before {
        let kept: Vec<_> = kept.iter().filter_map(|value| value.get(key)).collect();
        if kept.is_empty() {
            fields.remove(key);
        } else if let Some(field) = fields.get_mut(key) {
            match list_key(before) {
                Some(id) => remove_items(field, before, &kept, id),
                None => remove(field, before, &kept),
            }
        }
    }
}

fn remove_items(list: &mut Value, before: &Value, kept: &[&Value], id: &str) {
    let has =
        |list: &Value, item: &Value| list.as_array().is_some_and(|items| items.iter().any(|it| it[id] == item[id]));
    if let Some(items) = list.as_array_mut() {
        items.retain(|item| !has(before, item) || kept.iter().any(|kept| has(kept, item)));
    }
}

/// Puts `wanted` into `object`: maps by key, lists of named things by name, all else as a whole.
fn put(object: &mut Value, wanted: &Value) {
    match wanted {
        Value::Object(fields) => {
            if !object.is_object() {
                *object = json!({});
            }
            for (key, wanted) in fields {
                put(&mut object[key.as_str()], wanted);
            }
        }
        Value::Array(items) if list_key(wanted).is_some() && object.is_array() => {
            let id = list_key(wanted).unwrap();
            let there = object.as_array_mut().unwrap();
            for item in items {
                match there.iter_mut().find(|it| it[id] == item[id]) {
                    Some(it) => put(it, item),
                    None => there.push(item.clone()),
                }
            }
        }
        wanted => *object = wanted.clone(),
    }
}

/// By what the things in a list are told apart, if they are.
fn list_key(list: &Value) -> Option<&'static str> {
    let items = list.as_array().filter(|items| !items.is_empty())?;
    ["type", "uid", "name"].into_iter().find(|key| items.iter().all(|item| item.get(key).is_some_and(Value::is_string)))
}

/// A merge patch (RFC 7386).
pub(super) fn merge(object: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut object[key.as_str()], value);
        }
    }
}

/// `metadata.managedFields`; lists are taken as leaves.
pub(super) fn managed_fields(managers: &Managers) -> Value {
    let entry = |(manager, applied): (&String, &Value)| json!({"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields(applied)});
    managers.iter().map(entry).collect()
}

fn fields(applied: &Value) -> Value {
    let fields: Map<_, _> =
        applied.as_object().into_iter().flatten().map(|(key, value)| (format!("f:{key}"), fields(value))).collect();
    Value::Object(fields)
}

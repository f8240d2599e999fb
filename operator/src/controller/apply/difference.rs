//! Whether an object has to be written.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use serde_json::Value;

use crate::controller::names::{self, APPLIED, MANAGER};

/// A hash of all that is asked of an object.
pub(super) fn hash_of(object: &DynamicObject) -> String {
    names::hash([serde_json::to_string(object).unwrap_or_default().as_str()])
}

/// Whether `live` is what `wanted` says. What others added, and what the API server filled in, does not matter. The
/// hash notices what we no longer ask for; comparing, what others made of what we ask for.
pub(super) fn is_as_applied(wanted: &DynamicObject, live: &DynamicObject) -> bool {
    // Lists leave out the kind.
    let [wanted, live] = [wanted, live].map(|object| DynamicObject { types: None, ..object.clone() });
    let [wanted, live] = [wanted, live].map(|object| serde_json::to_value(object).unwrap_or_default());
    let hash = |object: &Value| object.pointer("/metadata/annotations").and_then(|all| all.get(APPLIED)).cloned();
    hash(&wanted) == hash(&live) && holds(&wanted, &live, false)
}

/// Whether all of `wanted` is in `live`. `amounts`: whether texts are amounts, which the API server may write in
/// another unit.
fn holds(wanted: &Value, live: &Value, amounts: bool) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => wanted.iter().all(|(key, wanted)| {
            let amounts = amounts || matches!(key.as_str(), "requests" | "limits" | "sizeLimit");
            match live.get(key) {
                Some(live) => holds(wanted, live, amounts),
                None => is_nothing(wanted),
            }
        }),
        (Value::Array(wanted), Value::Array(live)) if wanted.iter().all(Value::is_object) => {
            wanted.iter().all(|wanted| live.iter().any(|live| holds(wanted, live, amounts)))
        }
        (Value::String(wanted), Value::String(live)) if amounts && wanted != live => is_same_amount(wanted, live),
        (wanted, live) => wanted == live,
    }
}

/// The API server leaves out what is empty.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        _ => false,
    }
}

fn is_same_amount(one: &str, other: &str) -> bool {
    let value = |text: &str| amount(&Quantity(text.to_owned()));
    value(one).is_some_and(|one| value(other) == Some(one))
}

/// A quantity in thousandths.
fn amount(quantity: &Quantity) -> Option<i128> {
    let text = quantity.0.trim();
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (thousandths, exponent): (i128, u32) = match unit {
        "m" => (1, 0),
        "" => (1_000, 0),
        "k" => (1_000, 1),
        "M" => (1_000, 2),
        "G" => (1_000, 3),
        "T" => (1_000, 4),
        "P" => (1_000, 5),
        "Ki" => (1_024, 1),
        "Mi" => (1_024, 2),
        "Gi" => (1_024, 3),
        "Ti" => (1_024, 4),
        "Pi" => (1_024, 5),
        _ => return None,
    };
    let scale = match (thousandths, exponent) {
        (1, _) => 1,
        (base, exponent) => base.checked_pow(exponent)?.checked_mul(1_000)?,
    };
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    Some(digits.checked_mul(scale)? / divisor)
}

/// Whether our own applying owns `spec.replicas`.
pub(super) fn owns_replicas(live: &DynamicObject) -> bool {
    live.managed_fields().iter().any(|entry| {
        entry.manager.as_deref() == Some(MANAGER)
            && entry.operation.as_deref() == Some("Apply")
            && entry.fields_v1.as_ref().is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    })
}

/// Whether a Job has ended, well or not.
pub(super) fn has_ended(job: &DynamicObject) -> bool {
    let conditions = job.data.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        matches!(condition["type"].as_str(), Some("Complete" | "Failed")) && condition["status"] == "True"
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_asked_for_has_to_be_there() {
        let wanted = json!({"spec": {"args": ["a", "b"], "env": [{"name": "A", "value": "1"}], "dir": {}, "none": []}});
        let with = |change: fn(&mut Value)| {
            let mut live = json!({"status": {}, "spec": {
                "args": ["a", "b"], "env": [{"name": "B"}, {"name": "A", "value": "1"}], "dir": {}, "more": 1}});
            change(&mut live);
            live
        };
        assert!(holds(&wanted, &with(|_| {}), false), "what others add does not matter");
        for change in [
            |live: &mut Value| live["spec"]["args"] = json!(["b", "a"]),
            |live: &mut Value| live["spec"]["args"] = json!(["a", "b", "c"]),
            |live: &mut Value| live["spec"]["env"] = json!([{"name": "A", "value": "2"}]),
            |live: &mut Value| live["spec"]["env"] = json!([]),
            |live: &mut Value| live["spec"] = json!(null),
        ] {
            assert!(!holds(&wanted, &with(change), false), "{}", with(change));
        }
    }

    #[test]
    fn amounts_are_compared_as_such_and_only_where_they_are_amounts() {
        for (one, other) in [("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("2k", "2000")] {
            let cpu = |text: &str| json!({"resources": {"requests": {"cpu": text}}});
            assert!(holds(&cpu(one), &cpu(other), false), "{one} {other}");
            assert!(!holds(&json!({"value": one}), &json!({"value": other}), false), "{one} {other}");
        }
        assert!(!is_same_amount("1Gi", "1G"));
        assert!(!is_same_amount("", "x"));
    }
}

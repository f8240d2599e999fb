//! The CustomResourceDefinition: its rules, one by one, and that the chart has the one of the code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

use std::collections::BTreeSet;
use std::path::Path;

use farmlokal_operator::commands::crd_yaml;
use farmlokal_operator::crd::{FarmLokal, FarmLokalSpec};
use kube::CustomResourceExt as _;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Rule {
    message: String,
    was: Option<Object>,
    accept: Object,
    refuse: Object,
}

#[derive(Deserialize)]
struct Object {
    name: Option<String>,
    #[serde(default)]
    spec: FarmLokalSpec,
}

impl Object {
    fn full(self) -> FarmLokal {
        FarmLokal::new(self.name.as_deref().unwrap_or("corner"), self.spec)
    }
}

fn rules() -> Vec<Rule> {
    serde_saphyr::from_str(include_str!("rules.yaml")).unwrap()
}

/// What is wrong with an object, if anything.
fn wrong(object: &FarmLokal, was: Option<&FarmLokal>) -> String {
    let checked = match was {
        Some(was) => object.validate_cel_update(was),
        None => object.validate_cel(),
    };
    checked.err().map(|errors| errors.to_string()).unwrap_or_default()
}

#[test]
fn each_rule_lets_through_what_is_right_and_refuses_what_is_not() {
    for Rule { message, was, accept, refuse } in rules() {
        let was = was.map(Object::full);
        assert_eq!(wrong(&accept.full(), was.as_ref()), "", "{message}");
        let said = wrong(&refuse.full(), was.as_ref());
        assert!(said.contains(&message), "expected: {message}\nsaid: {said:?}");
    }
}

#[test]
fn no_rule_is_without_a_case() {
    let mut messages = BTreeSet::new();
    collect(&serde_json::to_value(FarmLokal::crd()).unwrap(), &mut messages);
    let with_cases: BTreeSet<_> = rules().into_iter().map(|rule| rule.message).collect();
    assert_eq!(messages, with_cases);
}

fn collect(schema: &Value, messages: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array);
            messages.extend(rules.into_iter().flatten().map(|rule| rule["message"].as_str().unwrap().to_owned()));
            fields.values().for_each(|value| collect(value, messages));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, messages)),
        _ => {}
    }
}

/// A default that the API server fills in looks like drift to whoever keeps the objects in a repository.
#[test]
fn the_schema_fills_in_nothing() {
    assert!(!serde_json::to_string(&FarmLokal::crd()).unwrap().contains("\"default\":"));
}

#[test]
fn conditions_are_merged_by_type() {
    let schema = serde_json::to_value(FarmLokal::crd()).unwrap();
    let conditions =
        schema.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/conditions").unwrap();
    assert_eq!(conditions["x-kubernetes-list-type"], "map");
    assert_eq!(conditions["x-kubernetes-list-map-keys"], serde_json::json!(["type"]));
}

#[test]
fn the_chart_has_the_definition_of_the_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/farmlokal-operator/files/crd.yaml");
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == crd_yaml().unwrap(),
        "run: cargo run -q -p farmlokal-operator -- crd > charts/farmlokal-operator/files/crd.yaml"
    );
}

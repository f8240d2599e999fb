//! Objects for tests. The name is not the product's, so that a test notices where the two are mixed up.

use serde_json::{Value, json};

use super::validate::{Defaults, Instance, validate};
use crate::crd::FarmLokal;

pub(crate) fn object(spec: Value) -> FarmLokal {
    let metadata = json!({"name": "corner", "namespace": "shop", "uid": "uid-of-corner", "generation": 1});
    let kind = json!({"apiVersion": "farmlokal.dev/v1alpha1", "kind": "FarmLokal", "metadata": metadata, "spec": spec});
    serde_json::from_value(kind).unwrap()
}

pub(crate) fn defaults() -> Defaults {
    Defaults { image: "farmlokal:test".to_owned() }
}

pub(crate) fn instance(spec: Value) -> Instance {
    validate(&object(spec), &defaults()).unwrap()
}

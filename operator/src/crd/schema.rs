//! Pieces of the schema that no Rust type says by itself.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Names and values of the service's own settings. A rule over a map needs a bound on its size.
pub(super) fn settings(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 100,
        "additionalProperties": {"type": "string", "maxLength": 4096},
        "x-kubernetes-validations": [{
            "rule": "self.all(key, key.matches('^[a-z][a-z0-9_-]*([.][a-z][a-z0-9_-]*)+$'))",
            "message": "config has names such as limits.read: a section, a dot, and a key, in small letters"
        }]
    })
}

/// An object of Kubernetes' own, whose parts its own server checks when it is used.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// A list of such objects.
pub(super) fn any_objects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}
    })
}

/// Amounts by resource: `{cpu: 250m, memory: 512Mi}`.
pub(super) fn amounts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {"x-kubernetes-int-or-string": true}
    })
}

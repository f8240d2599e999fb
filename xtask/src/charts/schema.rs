//! The schema of the instance chart's values: its `spec` is what the definition has, so that a wrong name is refused
//! before anything is sent to a cluster, which would only leave it out.

use serde_json::{Map, Value, json};

use super::{Generated, INSTANCE, definition, directory, yaml};

/// Where the schema of the objects stands in the definition.
pub(super) const OBJECT: &str = "/spec/versions/0/schema/openAPIV3Schema/properties";

/// The schema as it is in the chart, with the `spec` of the definition.
pub(super) fn instance() -> Result<Generated, String> {
    let file = directory(INSTANCE).join("values.schema.json");
    let mut schema = yaml::read(&file)?;
    let definition = definition()?;
    let spec = definition.pointer(&format!("{OBJECT}/spec")).ok_or("the definition has no spec")?;
    schema["properties"]["spec"] = plain(spec);
    let text = serde_json::to_string_pretty(&schema).map_err(|error| error.to_string())?;
    Ok(Generated { file, text: text + "\n" })
}

/// A schema of a definition as JSON Schema; what only an API server understands is left to it.
fn plain(schema: &Value) -> Value {
    if schema["x-kubernetes-int-or-string"] == true {
        return json!({"type": ["integer", "string"]});
    }
    let mut plain = Map::new();
    for key in ["description", "type", "required", "enum", "maxLength", "maxProperties"] {
        plain.extend(schema.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    plain.extend(
        ["items", "additionalProperties"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), self::plain(schema.get(key)?)))),
    );
    if let Some(properties) = schema["properties"].as_object() {
        let properties = properties.iter().map(|(name, schema)| (name.clone(), self::plain(schema)));
        plain.insert("properties".to_owned(), properties.collect());
        plain.insert("additionalProperties".to_owned(), false.into());
    }
    if schema["nullable"] == true {
        plain.insert("type".to_owned(), json!([schema["type"], "null"]));
        if let Some(values) = plain.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
    }
    Value::Object(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused_at_every_depth_but_where_any_may_stand() {
        let of_definition = json!({
            "type": "object",
            "properties": {
                "pod": {"type": "object", "nullable": true, "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}}},
                "affinity": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "mode": {"type": "string", "nullable": true, "enum": ["Off"]},
                "cpu": {"x-kubernetes-int-or-string": true},
            },
        });
        let expected = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "pod": {
                    "type": ["object", "null"],
                    "additionalProperties": false,
                    "properties": {"labels": {"type": "object", "additionalProperties": {"type": "string"}}},
                },
                "affinity": {"type": "object"},
                "mode": {"type": ["string", "null"], "enum": ["Off", null]},
                "cpu": {"type": ["integer", "string"]},
            },
        });
        assert_eq!(plain(&of_definition), expected);
    }
}

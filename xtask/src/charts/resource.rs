//! The page of the documentation that lists all fields of the resource, from its definition.

use std::fmt::Write as _;

use serde_json::Value;

use super::readme::cell;
use super::schema::OBJECT;
use super::{Generated, definition};
use crate::command::root;

const ABOUT: &str = "# The resource FarmLokal

Made from the definition by `cargo xtask charts`. Nothing has a default in the schema, so an object in the cluster says what somebody
wrote; what happens where a field is absent stands beside it. `kubectl explain farmlokal.spec` tells the same.

The least that works is `spec: {}`. How to install, and examples: [install](install.md).
";

/// The page.
pub(super) fn page() -> Result<Generated, String> {
    let definition = definition()?;
    let object = definition.pointer(OBJECT).ok_or("the definition has no schema")?;
    let mut text = ABOUT.to_owned();
    for (title, part) in [("What is asked for", "spec"), ("What there is", "status")] {
        let _ = write!(text, "\n## {title}\n\n| field | type | what it is |\n| --- | --- | --- |\n");
        fields(&object[part], part, &mut text);
    }
    text.push_str("\n## What is refused\n\nThe API server refuses an object, and says:\n\n");
    let mut rules = Vec::new();
    collect_rules(&definition, &mut rules);
    rules.sort();
    rules.dedup();
    for rule in rules {
        let _ = writeln!(text, "- {rule}");
    }
    Ok(Generated { file: root().join("docs/farmlokal-resource.md"), text })
}

/// A row for each field, those within it after it.
fn fields(schema: &Value, path: &str, text: &mut String) {
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let must = required.is_some_and(|all| all.iter().any(|one| one == name));
        let must = if must { ", required" } else { "" };
        let about = field["description"].as_str().unwrap_or_default();
        let _ = writeln!(text, "| `{path}` | {}{must} | {} |", kind(field), cell(about));
        fields(field, &path, text);
        fields(&field["items"], &format!("{path}[]"), text);
    }
}

/// `string`, `list of objects`, or the words to choose from.
fn kind(field: &Value) -> String {
    if let Some(words) = field["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if field["x-kubernetes-int-or-string"] == true {
        return "amount".to_owned();
    }
    match field["type"].as_str().unwrap_or_default() {
        "array" => format!("list of {}s", kind(&field["items"])),
        "object" if field["additionalProperties"].is_object() => {
            format!("map of {}s", kind(&field["additionalProperties"]))
        }
        other => other.to_owned(),
    }
}

fn collect_rules<'a>(schema: &'a Value, rules: &mut Vec<&'a str>) {
    match schema {
        Value::Object(fields) => {
            let of_this = fields.get("x-kubernetes-validations").and_then(Value::as_array);
            rules.extend(of_this.into_iter().flatten().filter_map(|rule| rule["message"].as_str()));
            fields.values().for_each(|value| collect_rules(value, rules));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_rules(value, rules)),
        _ => {}
    }
}

//! What the charts make of their cases, as text that a person can review: each `ci/NAME-values.yaml` beside
//! `ci/NAME.rendered.yaml`. Both Helms make the same.

use std::path::Path;

use serde_json::Value;

use super::helm::Helm;
use super::{CHARTS, Generated, OPERATOR, cases, definition, directory, render, yaml};

/// The render of each case.
///
/// # Errors
///
/// When the Helms differ, or something of `files/` is not passed on as it is.
pub(super) fn all(helms: &[Helm; 2]) -> Result<Vec<Generated>, String> {
    let mut made = Vec::new();
    for chart in CHARTS {
        for values in cases(chart)? {
            let texts =
                helms.each_ref().map(|helm| render(helm, chart, &values).map(|text| without_empty_lines(&text)));
            let [three, four] = texts;
            let (three, text) = (three?, four?);
            if three != text {
                return Err(format!("{}: Helm 3 and Helm 4 render it differently", values.display()));
            }
            let documents: Result<Vec<_>, _> = yaml::documents(&text).map(reviewed).collect();
            let documents = documents.map_err(|error| format!("{}: {error}", values.display()))?;
            let file = values.to_string_lossy().replace("-values.yaml", ".rendered.yaml").into();
            made.push(Generated { file, text: documents.join("---\n") });
        }
    }
    Ok(made)
}

/// Where a template ends in empty lines, Helm 3 leaves them out and Helm 4 does not.
fn without_empty_lines(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A document, but for what it took from a file of the chart: that is reviewed there, and compared here.
fn reviewed(document: &str) -> Result<String, String> {
    let Some(cut) = document.find("\nspec:\n").or_else(|| document.find("\ndata:\n")) else {
        return Ok(document.to_owned());
    };
    let object = yaml::parse(document)?;
    let is_file = match object["kind"].as_str() {
        Some("CustomResourceDefinition") => object["spec"] == definition()?["spec"],
        Some("PrometheusRule") => object["spec"]["groups"] == rules(&object)?,
        Some("ConfigMap") => {
            object["data"].as_object().is_some_and(|data| data.iter().all(|(name, text)| is_dashboard(name, text)))
        }
        _ => return Ok(document.to_owned()),
    };
    let kind = object["kind"].as_str().unwrap_or_default();
    if is_file {
        Ok(format!("{}\n# The rest is as in files/.\n", &document[..cut]))
    } else {
        Err(format!("the {kind} is not as in files/"))
    }
}

/// The alerts of all files, with the runbook's place as the object has it.
fn rules(object: &Value) -> Result<Value, String> {
    let mut groups = Vec::new();
    for file in ["operator.yaml", "service.yaml"] {
        let rules = yaml::read(&directory(OPERATOR).join("files/rules").join(file))?;
        groups.extend(rules["groups"].as_array().cloned().unwrap_or_default());
    }
    let url =
        object.pointer("/spec/groups/0/rules/0/annotations/runbook_url").and_then(Value::as_str).unwrap_or_default();
    let place = url.split('#').next().unwrap_or_default();
    let text = Value::from(groups).to_string().replace("docs/operations.md#", &format!("{place}#"));
    yaml::parse(&text)
}

fn is_dashboard(name: &str, text: &Value) -> bool {
    let file = name.trim_start_matches("farmlokal-");
    let file = directory(OPERATOR).join("files/dashboards").join(Path::new(file));
    let there = std::fs::read_to_string(file).unwrap_or_default();
    text.as_str().is_some_and(|text| text.trim() == there.trim())
}

//! A bill of materials: every crate in a program, as CycloneDX.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::command::cargo;

/// That of a package of ours: the crates that are linked into it on this platform, by Cargo.lock.
pub(super) fn of(package: &str) -> Result<String, String> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut command = cargo("metadata --format-version 1 --locked --filter-platform");
    let output = command.arg(platform).output().map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let bill = bill(&metadata, package).ok_or_else(|| format!("cargo metadata says nothing of {package}"))?;
    serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())
}

fn bill(metadata: &Value, package: &str) -> Option<Value> {
    let packages = metadata["packages"].as_array()?;
    let root = packages.iter().find(|it| it["name"] == package)?;
    let linked = linked(metadata, root["id"].as_str()?)?;
    let mut components: Vec<Value> = packages
        .iter()
        .filter(|it| it["id"] != root["id"] && it["id"].as_str().is_some_and(|id| linked.contains(id)))
        .map(component)
        .collect();
    components.sort_by_key(|it| it["bom-ref"].to_string());
    Some(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": package, "version": root["version"]}},
        "components": components,
    }))
}

/// The ids of `root` and of what is linked with it: what only tests or builds need is left out.
fn linked<'a>(metadata: &'a Value, root: &'a str) -> Option<BTreeSet<&'a str>> {
    let nodes = metadata["resolve"]["nodes"].as_array()?;
    let (mut seen, mut next) = (BTreeSet::new(), vec![root]);
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        let dependencies = nodes.iter().find(|it| it["id"] == id)?["deps"].as_array()?;
        let normal =
            |it: &&Value| it["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it["kind"].is_null()));
        next.extend(dependencies.iter().filter(normal).filter_map(|it| it["pkg"].as_str()));
    }
    Some(seen)
}

fn component(package: &Value) -> Value {
    let (name, version) = (&package["name"], &package["version"]);
    let place = format!("pkg:cargo/{}@{}", name.as_str().unwrap_or_default(), version.as_str().unwrap_or_default());
    let mut component = json!({"type": "library", "bom-ref": place, "name": name, "version": version, "purl": place});
    if let Some(license) = package["license"].as_str() {
        // An older way to write "or".
        component["licenses"] = json!([{"expression": license.replace('/', " OR ")}]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_listed_and_nothing_else() {
        let package = |name: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0"});
        let needs = |pkg: &str, kind: Value| json!({"pkg": pkg, "dep_kinds": [{"kind": kind}]});
        let packages = ["farm", "milk", "cow", "test", "other"].map(package);
        let metadata = json!({
            "packages": packages,
            "resolve": {"nodes": [
                {"id": "farm", "deps": [needs("milk", Value::Null), needs("test", json!("dev"))]},
                {"id": "milk", "deps": [needs("cow", Value::Null)]},
                {"id": "cow", "deps": [needs("milk", Value::Null)]},
                {"id": "test", "deps": []},
                {"id": "other", "deps": []},
            ]},
        });
        let bill = bill(&metadata, "farm").unwrap();
        let names: Vec<_> =
            bill["components"].as_array().unwrap().iter().map(|it| it["purl"].as_str().unwrap()).collect();
        assert_eq!(names, ["pkg:cargo/cow@1.0.0", "pkg:cargo/milk@1.0.0"]);
        assert_eq!(bill["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert!(super::bill(&metadata, "none").is_none());
    }
}

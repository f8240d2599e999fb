//! What is made for an object, as text that a person can review: each file in `cases` beside what is rendered for it.
//! All of it is valid for Kubernetes by its own schemas, strictly, in the oldest and the newest version.
//!
//! Pods are replaced when their template changes, so a difference here is one that every running instance will see
//! when the operator is updated.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, whose helpers clippy does not know as such")]

use std::path::{Path, PathBuf};
use std::process::Command;

use farmlokal_operator::commands::render;
use farmlokal_operator::controller::validate::Defaults;
use farmlokal_testkit::kubernetes::validator;
use serde_json::Value;

/// The oldest and the newest that we say we run on.
const VERSIONS: [&str; 2] = ["1.33", "1.37"];

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render/cases")
}

/// Names of the cases, sorted, and what is rendered for each.
fn rendered() -> Vec<(String, String)> {
    let mut all: Vec<_> = std::fs::read_dir(cases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| file.strip_suffix(".yaml").map(str::to_owned))
        .filter(|name| !name.ends_with(".rendered"))
        .map(|name| {
            let text = std::fs::read_to_string(cases().join(format!("{name}.yaml"))).unwrap();
            let image = "registry.example/farmlokal:1".to_owned();
            (name, render(&text, &Defaults { image }).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_made_is_what_was_reviewed() {
    let accept = std::env::var_os("ACCEPT").is_some();
    let mut others = Vec::new();
    for (name, text) in rendered() {
        let file = cases().join(format!("{name}.rendered.yaml"));
        if accept {
            std::fs::write(&file, &text).unwrap();
        }
        if std::fs::read_to_string(&file).unwrap_or_default() != text {
            others.push(name);
        }
    }
    assert!(
        others.is_empty(),
        "{others:?} are rendered otherwise; if that is meant: ACCEPT=1 cargo test -p farmlokal-operator --test render, \
         and look at what git diff says"
    );
}

#[test]
fn what_is_made_is_valid() {
    let validator = validator::program();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in rendered() {
        // Kubernetes has no schema of the Gateway API's kinds.
        let documents = text.split("---\n").filter(|document| !document.contains("kind: HTTPRoute"));
        let file = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&file, documents.collect::<Vec<_>>().join("---\n")).unwrap();
        for version in VERSIONS {
            let output = Command::new(&validator)
                .args(["--strict", "--kubernetes-version", version])
                .arg(&file)
                .output()
                .unwrap_or_else(|error| panic!("{}: {error}", validator.display()));
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.contains("passed"), "{name}, Kubernetes {version}:\n{said}");
        }
    }
}

/// What the restricted Pod Security Standard asks of a pod.
#[test]
fn every_pod_is_a_restricted_one() {
    let mut seen = 0;
    for (name, text) in rendered() {
        for document in text.split("---\n").filter(|document| !document.is_empty()) {
            let object: Value = serde_saphyr::from_str(document).unwrap();
            let Some(pod) = object.pointer("/spec/template/spec") else { continue };
            seen += 1;
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
            for container in pod["containers"].as_array().unwrap() {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
                assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
                assert_eq!(security["capabilities"]["drop"], serde_json::json!(["ALL"]), "{name}");
            }
            for volume in pod["volumes"].as_array().unwrap() {
                let kinds = volume.as_object().unwrap().keys().filter(|key| *key != "name");
                let allowed = ["emptyDir", "persistentVolumeClaim", "configMap"];
                assert!(kinds.into_iter().all(|kind| allowed.contains(&kind.as_str())), "{name}: {volume}");
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

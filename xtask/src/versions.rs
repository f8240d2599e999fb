//! `cargo xtask versions`: one version of each crate whose types or globals cross our borders.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;

use crate::command::root;

/// Two versions of any of these compile, and then quietly do not meet: two runtimes, two error
/// types, two trace contexts.
const SINGLE: [&str; 15] = [
    "http",
    "hyper",
    "opentelemetry",
    "opentelemetry-http",
    "opentelemetry-otlp",
    "opentelemetry-prometheus",
    "opentelemetry-proto",
    "opentelemetry_sdk",
    "poem",
    "poem-openapi",
    "rustls",
    "sqlx",
    "tokio",
    "tracing",
    "tracing-opentelemetry",
];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

/// Checks `Cargo.lock`; an error has one line for each crate with several versions.
pub(crate) fn check() -> Result<(), String> {
    let file = root().join("Cargo.lock");
    let lock = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let repeated = repeated(&lock)?;
    if repeated.is_empty() { Ok(()) } else { Err(repeated.join("\n")) }
}

fn repeated(lock: &str) -> Result<Vec<String>, String> {
    let lock: Lock = toml::from_str(lock).map_err(|error| format!("Cargo.lock: {error}"))?;
    let versions = |name: &str| -> BTreeSet<String> {
        let named = lock.package.iter().filter(|package| package.name == name);
        named.map(|package| package.version.clone()).collect()
    };
    Ok(SINGLE
        .iter()
        .map(|name| (name, versions(name)))
        .filter(|(_, versions)| versions.len() > 1)
        .map(|(name, versions)| {
            let versions: Vec<_> = versions.into_iter().collect();
            format!("{name} occurs in {} versions: {}", versions.len(), versions.join(", "))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let package = |(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n");
        let packages: String = packages.iter().copied().map(package).collect();
        format!("version = 4\n\n{packages}")
    }

    #[test]
    fn several_versions_are_named() {
        let lock =
            lock(&[("http", "0.2.12"), ("http", "1.5.0"), ("syn", "1.0.0"), ("syn", "2.0.0"), ("tokio", "1.54.1")]);
        let expected = vec!["http occurs in 2 versions: 0.2.12, 1.5.0".to_owned()];
        assert_eq!(repeated(&lock), Ok(expected));
    }

    #[test]
    fn one_version_is_fine() {
        assert_eq!(repeated(&lock(&[("http", "1.5.0"), ("tokio", "1.54.1")])), Ok(vec![]));
    }

    #[test]
    fn what_is_no_lock_file_is_told() {
        assert!(repeated("package = 1").is_err_and(|it| it.starts_with("Cargo.lock: ")));
    }
}

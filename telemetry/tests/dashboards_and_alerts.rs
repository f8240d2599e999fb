//! Dashboards and alerts ask for what there is, in PromQL that holds, and lead to a page that helps.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use farmlokal_telemetry::metrics::{Kind, table};
use farmlokal_testkit::program;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files in `folder`, with their texts.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = root().join(folder);
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect();
    assert!(!files.is_empty(), "{}", folder.display());
    files
}

fn rules() -> Vec<(PathBuf, String)> {
    files("charts/farmlokal-operator/files/rules")
}

fn dashboards() -> Vec<(PathBuf, Value)> {
    let files = files("charts/farmlokal-operator/files/dashboards");
    files.into_iter().map(|(file, text)| (file, serde_json::from_str(&text).unwrap())).collect()
}

/// The panels of a dashboard that show something.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

fn expressions(panel: &Value) -> impl Iterator<Item = &str> {
    panel["targets"].as_array().unwrap().iter().map(|target| target["expr"].as_str().unwrap())
}

/// The values behind `key` in lines of YAML such as `- alert: FarmLokalSlow`.
fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.trim_start_matches([' ', '-']).strip_prefix(key)).map(str::trim)
}

/// All names in `text` that look like ours but are neither a metric nor a label of the table.
fn unknown(text: &str) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for metric in table::all() {
        let name = metric.prometheus_name();
        if let Kind::Histogram(_) = metric.kind {
            known.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{name}{suffix}")));
        } else {
            known.insert(name);
        }
        known.extend(metric.labels.iter().map(|label| label.prometheus_name()));
    }
    let ours = |word: &&str| ["farmlokal_", "http_", "db_", "process_"].iter().any(|prefix| word.starts_with(prefix));
    let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || "_:".contains(character)));
    words.filter(ours).filter(|word| !known.contains(*word)).map(str::to_owned).collect()
}

/// Runs `promtool`, which must be content.
fn promtool(arguments: &[&str], files: &[PathBuf]) {
    let promtool = program::find("promtool").expect("promtool is missing: install Debian's package prometheus");
    let output = Command::new(promtool).args(arguments).args(files).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

fn paths(files: Vec<(PathBuf, String)>) -> Vec<PathBuf> {
    files.into_iter().map(|(file, _)| file).collect()
}

#[test]
fn names_that_are_in_no_table_are_noticed() {
    let found = unknown("sum by (http_route) (rate(farmlokal_load_shed_total[5m])) + farmlokal_lode_shed_total");
    assert_eq!(found, BTreeSet::from(["farmlokal_lode_shed_total".to_owned()]));
    assert_eq!(unknown("http_server_request_duration_seconds").len(), 1, "no series of a histogram is called so");
}

#[test]
fn alerts_hold_and_fire_when_they_should() {
    promtool(&["check", "rules"], &paths(rules()));
    promtool(&["test", "rules"], &paths(files("telemetry/tests/rules")));
}

#[test]
fn alerts_ask_for_what_there_is() {
    for (file, text) in rules() {
        let recorded: BTreeSet<_> = values(&text, "record:").collect();
        let names = unknown(&text);
        assert!(names.is_empty(), "{}: {names:?}", file.display());
        let words = text.split(|character: char| !(character.is_ascii_alphanumeric() || "_:".contains(character)));
        for word in words.filter(|word| word.starts_with("namespace_job") && word.contains(":farmlokal_")) {
            assert!(recorded.contains(word.trim_end_matches(':')), "{}: {word} is not recorded", file.display());
        }
    }
}

#[test]
fn each_alert_is_tested_both_ways_and_has_a_page() {
    let tests: String = files("telemetry/tests/rules").into_iter().map(|(_, text)| text).collect();
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let headings: BTreeSet<_> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let mut alerts = BTreeSet::new();
    for (file, text) in rules() {
        for alert in values(&text, "alert:") {
            assert!(tests.contains(&format!("alertname: {alert}\n")), "{alert} is not seen to fire");
            assert!(headings.contains(alert), "docs/operations.md has nothing under ### {alert}");
            let link = format!("runbook_url: docs/operations.md#{}\n", alert.to_lowercase());
            assert!(text.contains(&link), "{}: {alert} has no {link}", file.display());
            alerts.insert(alert.to_owned());
        }
    }
    let stale = headings.iter().filter(|it| it.starts_with("FarmLokal") && !alerts.contains(**it));
    assert_eq!(stale.count(), 0, "docs/operations.md tells of alerts that are no more");
}

#[test]
fn panels_ask_for_what_there_is_and_say_what_they_show() {
    let mut ids = BTreeSet::new();
    for (file, dashboard) in dashboards() {
        let file = file.display();
        assert!(ids.insert(dashboard["uid"].as_str().unwrap().to_owned()), "{file}");
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().unwrap();
            let description = panel["description"].as_str().unwrap_or_default();
            assert!(description.len() > 30 && description.ends_with('.'), "{file}: {title} has no description");
            assert!(expressions(panel).count() > 0, "{file}: {title}");
            for expression in expressions(panel) {
                let names = unknown(expression);
                assert!(names.is_empty(), "{file}: {title}: {names:?}");
            }
        }
    }
}

/// Grafana's variables aside, each question of a panel is one that Prometheus understands.
#[test]
fn panels_ask_in_promql_that_holds() {
    let mut rules = "groups:\n- name: panels\n  rules:\n".to_owned();
    let dashboards = dashboards();
    let panels = dashboards.iter().flat_map(|(_, dashboard)| panels(dashboard));
    for (number, expression) in panels.flat_map(expressions).enumerate() {
        let expression = expression.replace("$__rate_interval", "5m");
        let _ = write!(rules, "  - record: panel:{number}\n    expr: {}\n", Value::from(expression));
    }
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    fs::write(file.path(), rules).unwrap();
    promtool(&["check", "rules"], &[file.path().to_owned()]);
}

/// A dashboard that leaves a metric out hides what was worth measuring.
#[test]
fn each_metric_is_on_a_dashboard() {
    let shown: String = dashboards().iter().map(|(_, dashboard)| dashboard.to_string()).collect();
    // What is shown otherwise: progress in the operator's status, counts elsewhere.
    let elsewhere = [
        "farmlokal_seed_rows_done",
        "farmlokal_seed_rows_wanted",
        "farmlokal_cache_local_entries",
        "farmlokal_cache_shared",
        "farmlokal_search_index_size_bytes",
        "farmlokal_search_index_lag_rows",
        "farmlokal_search_index_build_duration_seconds",
        "farmlokal_pool_tuning_generation",
        "db_client_connection_use_time_seconds",
    ];
    for name in table::all().map(|metric| metric.prometheus_name()) {
        assert!(shown.contains(&name) != elsewhere.contains(&name.as_str()), "{name}");
    }
}

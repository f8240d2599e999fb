//! What each command prints and returns.

use std::process::Output;
use std::time::Instant;

use tempfile::TempDir;

use crate::child::{PATIENCE, Process, farmlokal};

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let data = TempDir::new().unwrap();
    let (mut command, ..) = farmlokal(&data);
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn openapi_prints_the_document_and_nothing_else() {
    let output = run(&["openapi"], &[]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), include_str!("../../../docs/openapi.json"));
}

#[test]
fn config_prints_the_commented_defaults() {
    let output = run(&["config"], &[]);
    assert_eq!(text(&output.stdout), farmlokal::config::DEFAULTS);
}

#[test]
fn every_mistake_in_the_configuration_is_told_before_anything_starts() {
    let output = run(
        &["serve"],
        &[
            ("FARMLOKAL_HTTP__LISTEN", "here"),
            ("FARMLOKAL_HTPP__PORT", "1"),
            ("FARMLOKAL_DATABASE__URL", "mysql://u:hunter2@"),
        ],
    );
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    for expected in [
        "3 mistake(s)",
        "http.listen (FARMLOKAL_HTTP__LISTEN) must be an address",
        "htpp.port (FARMLOKAL_HTPP__PORT) is not a key",
        "database.url (FARMLOKAL_DATABASE__URL) must be a URL",
        "`farmlokal config` prints every key",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_missing_file_and_an_unreachable_server_are_named() {
    let output = run(&["--config", "nowhere.toml"], &[]);
    assert!(text(&output.stderr).contains("nowhere.toml: there is no such file"));
    let output = run(&["migrate"], &[("FARMLOKAL_DATABASE__URL", "mysql://u:hunter2@127.0.0.1:1/d")]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("mysql://u:***@127.0.0.1:1/d") && !said.contains("hunter2"), "{said}");
}

#[test]
fn healthcheck_tells_a_ready_service_from_none() {
    let data = TempDir::new().unwrap();
    let launch = farmlokal(&data);
    let environment: Vec<(String, String)> = launch
        .0
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?.into(), value?.to_str()?.into())))
        .collect();
    let check = || {
        std::process::Command::new(env!("CARGO_BIN_EXE_farmlokal"))
            .arg("healthcheck")
            .envs(environment.clone())
            .output()
            .unwrap()
    };
    assert_eq!(check().status.code(), Some(1));
    let _process = Process::serving(launch);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let output = check();
        if output.status.success() {
            break;
        }
        assert!(Instant::now() < deadline, "{}", text(&output.stderr));
    }
}

#[test]
fn seed_fills_a_database_of_its_own() {
    let data = TempDir::new().unwrap();
    let url = format!("sqlite:{}", data.path().join("own.db").display());
    let seed = |rows: &str| run(&["seed", "--rows", rows, "--batch", "100"], &[("FARMLOKAL_DATABASE__URL", &url)]);
    let output = seed("250");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("250 products"), "{}", text(&output.stdout));
    assert!(seed("250").status.success(), "again is nothing to do");
    let other = seed("900");
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stderr).contains("--rows 250"), "{}", text(&other.stderr));
}

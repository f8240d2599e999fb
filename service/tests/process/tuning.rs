//! The tuning file of a running service.

use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{PATIENCE, Process, farmlokal};

/// What the admin port says of the pools, once it is what is `wanted`.
async fn until(process: &Process, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = reqwest::get(format!("{}/v1/admin/pool", process.admin)).await.unwrap();
        assert_eq!(answer.status(), 200);
        let pools: Value = answer.json().await.unwrap();
        if wanted(&pools) {
            return pools;
        }
        assert!(Instant::now() < deadline, "it stays like this: {pools}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn changes_the_pool_of_a_running_service() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("tuning.json");
    std::fs::write(&file, r#"{"generation":5,"poolMax":20,"boot":3,"pods":["this"]}"#).unwrap();
    let (mut command, public, admin) = farmlokal(&data);
    command.env("FARMLOKAL_DATABASE__TUNING_FILE", &file).env("FARMLOKAL_DATABASE__POD_UID", "this");
    let process = Process::serving((command, public, admin));

    let pools = until(&process, |pools| pools["tuning"]["generation"] == 5).await;
    assert_eq!((&pools["pools"][0]["pool"], &pools["pools"][0]["limit"]), (&json!("primary"), &json!(20)));
    assert_eq!((&pools["tuning"]["file"], &pools["tuning"]["error"]), (&json!(file), &Value::Null));
    assert!(pools["tuning"]["appliedAt"].is_string(), "{pools}");

    std::fs::write(&file, r#"{"generation":6,"poolMax":2}"#).unwrap();
    until(&process, |pools| pools["pools"][0]["limit"] == 2).await;
    std::fs::write(&file, "{").unwrap();
    let wrong = until(&process, |pools| pools["tuning"]["error"].is_string()).await;
    assert_eq!((&wrong["pools"][0]["limit"], &wrong["tuning"]["generation"]), (&json!(2), &json!(6)));
    let products = reqwest::get(format!("{}/v1/products", process.public)).await.unwrap();
    assert_eq!(products.status(), 200);
}

#[tokio::test]
async fn without_a_file_the_configuration_holds() {
    let data = TempDir::new().unwrap();
    let (mut command, public, admin) = farmlokal(&data);
    command.env("FARMLOKAL_DATABASE__MAX_CONNECTIONS", "7");
    let process = Process::serving((command, public, admin));
    let pools = until(&process, |pools| pools["pools"][0]["limit"] == 7).await;
    assert_eq!(pools["tuning"], Value::Null);
    let names: Vec<_> = pools["pools"].as_array().unwrap().iter().map(|pool| &pool["pool"]).collect();
    assert_eq!(names, ["primary", "writer", "probe"]);
}

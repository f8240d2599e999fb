//! Secrets that are named, and those that are made.

use farmlokal_operator::crd::ConditionType;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use crate::rounds::bench::{Bench, NAME, base64, condition, message};

pub(crate) async fn a_missing_secret_is_told_and_found(bench: &Bench) {
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    let object = bench.round().await;
    for about in [ConditionType::DependenciesReady, ConditionType::Ready] {
        assert_eq!(condition(&object, about), ("False".into(), "SecretNotFound".into()));
    }
    assert!(message(&object, ConditionType::Ready).contains("Secret db"));
    bench.database().await;
    assert_eq!(condition(&bench.round().await, ConditionType::DependenciesReady).0, "True");
}

pub(crate) async fn a_missing_key_is_told(bench: &Bench) {
    bench.secret("db", "password", "x").await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready).1, "SecretKeyMissing");
    assert!(message(&object, ConditionType::Ready).contains("no key url"));
}

pub(crate) async fn what_is_no_url_is_told_and_not_shown(bench: &Bench) {
    bench.secret("db", "url", "hunter2").await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready).1, "SecretInvalid");
    assert!(!serde_json::to_string(&object.status).unwrap().contains("hunter2"));
}

pub(crate) async fn another_value_replaces_pods(bench: &Bench) {
    bench.database().await;
    bench.secret("redis", "url", "redis://:one@redis.example").await;
    let spec = json!({"database": {"secretRef": {"name": "db"}}, "redis": {"secretRef": {"name": "redis"}}});
    bench.ask(spec).await;
    bench.settle().await;
    let first = bench.pod_annotations().await;
    bench.merge::<Secret>("redis", json!({"data": {"unrelated": base64("x")}})).await;
    bench.round().await;
    assert_eq!(bench.pod_annotations().await, first, "only the keys that are used count");
    bench.merge::<Secret>("redis", json!({"data": {"url": base64("redis://:two@redis.example")}})).await;
    bench.round().await;
    assert_ne!(bench.pod_annotations().await, first);
    let deployment: Deployment = bench.find(NAME).await.unwrap();
    let text = serde_json::to_string(&deployment).unwrap();
    assert!(!text.contains("two@") && !text.contains("secret@"), "values stay in their Secrets");
}

pub(crate) async fn generated_secrets_are_made_once(bench: &Bench) {
    bench.ask(json!({})).await;
    bench.settle().await;
    bench.merge::<Secret>("corner-generated", json!({"data": {"cursor-secret": base64("mine")}})).await;
    let before: Secret = bench.find("corner-generated").await.unwrap();
    bench.change(json!({"config": {"limits.read": "7"}})).await;
    bench.settle().await;
    assert_eq!(bench.find::<Secret>("corner-generated").await.unwrap(), before);
}

//! What is right stays untouched; what is not becomes so.

use farmlokal_telemetry::tuning::FILE_NAME;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use serde_json::json;

use crate::rounds::bench::{Bench, NAME};

fn full() -> serde_json::Value {
    json!({
        "database": {"secretRef": {"name": "db"}, "budget": {"connections": 200}},
        "autoscaling": {"minReplicas": 2, "maxReplicas": 4},
        "seed": {"rows": 1000},
        "ingress": {"host": "shop.example", "tlsSecretName": "cert"},
        // The API server writes amounts in its own way.
        "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": "2.5", "memory": "2048Mi"}},
        "pod": {"nodeSelector": {"disk": "fast"}, "tolerations": [{"key": "farm", "operator": "Exists"}]},
        "telemetry": {"otlpEndpoint": "http://collector:4317"},
    })
}

pub(crate) async fn a_second_round_writes_nothing(bench: &Bench) {
    bench.database().await;
    bench.ask(full()).await;
    bench.settle().await;
    let before = bench.written().await;
    bench.round().await;
    assert_eq!(bench.written().await, before);
}

pub(crate) async fn what_others_change_is_changed_back(bench: &Bench) {
    bench.ask(json!({})).await;
    bench.settle().await;
    bench.merge::<Deployment>(NAME, json!({"spec": {"replicas": 5}})).await;
    bench.merge::<ConfigMap>("corner-config", json!({"data": {"FARMLOKAL_HTTP__LISTEN": "0.0.0.0:1"}})).await;
    bench.merge::<Service>(NAME, json!({"metadata": {"labels": {"app.kubernetes.io/part-of": "theirs"}}})).await;
    bench.round().await;
    assert_eq!(bench.replicas().await, Some(1));
    let settings: ConfigMap = bench.find("corner-config").await.unwrap();
    assert_eq!(settings.data.unwrap()["FARMLOKAL_HTTP__LISTEN"], "0.0.0.0:8080");
    let labels = bench.find::<Service>(NAME).await.unwrap().metadata.labels.unwrap();
    assert_eq!(labels["app.kubernetes.io/part-of"], "farmlokal");
}

pub(crate) async fn what_others_add_stays(bench: &Bench) {
    bench.ask(json!({})).await;
    bench.settle().await;
    bench.merge::<Service>(NAME, json!({"metadata": {"annotations": {"cloud.example/lb": "1"}}})).await;
    let before = bench.written().await;
    bench.round().await;
    assert_eq!(bench.written().await, before);
}

pub(crate) async fn what_is_deleted_comes_back(bench: &Bench) {
    bench.ask(json!({})).await;
    bench.settle().await;
    let _ = bench.api::<Service>().delete(NAME, &Default::default()).await.unwrap();
    bench.round().await;
    assert!(bench.find::<Service>(NAME).await.is_some());
}

pub(crate) async fn settings_replace_pods_and_tuning_does_not(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    bench.settle().await;
    let first = bench.pod_annotations().await;
    let tuned = json!({"data": {FILE_NAME: r#"{"generation":2,"poolMax":5}"#}});
    bench.merge::<ConfigMap>("corner-tuning", tuned).await;
    let object = bench.round().await;
    assert_eq!(bench.pod_annotations().await, first);
    assert_eq!(object.status.unwrap().tuning.unwrap().pool_max, 5, "what the tuner wrote stays");

    let greedy = json!({"data": {FILE_NAME: r#"{"generation":3,"poolMax":99}"#}});
    bench.merge::<ConfigMap>("corner-tuning", greedy).await;
    let tuning = bench.round().await.status.unwrap().tuning.unwrap();
    assert_eq!((tuning.pool_max, tuning.generation), (22, 4), "unless the budget does not allow it");

    bench.change(json!({"config": {"limits.read": "7"}})).await;
    bench.round().await;
    assert_ne!(bench.pod_annotations().await, first);
}

//! Pausing, stopping, scaling.

use farmlokal_operator::crd::ConditionType;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde_json::json;

use crate::rounds::bench::{Bench, NAME, condition, message};

pub(crate) async fn paused_changes_nothing_and_still_tells(bench: &Bench) {
    bench.ask(json!({})).await;
    bench.settle().await;
    bench.change(json!({"paused": true, "image": "farmlokal:2"})).await;
    bench.merge::<Deployment>(NAME, json!({"spec": {"replicas": 0}})).await;
    bench.make_ready().await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Paused), ("True".into(), "Paused".into()));
    assert_eq!(condition(&object, ConditionType::Available).0, "False", "what is so is told");
    assert_eq!(bench.replicas().await, Some(0), "and left so");
    let before = bench.written().await;
    bench.round().await;
    assert_eq!(bench.written().await, before);
    bench.change(json!({"paused": false})).await;
    bench.settle().await;
    assert_eq!(bench.replicas().await, Some(1));
}

pub(crate) async fn stopped_takes_pods_away_and_brings_them_back(bench: &Bench) {
    bench.database().await;
    bench
        .ask(json!({"database": {"secretRef": {"name": "db"}}, "autoscaling": {"minReplicas": 2, "maxReplicas": 4}}))
        .await;
    bench.settle().await;
    bench.merge::<Deployment>(NAME, json!({"spec": {"replicas": 3}})).await;
    bench.round().await;
    assert_eq!(bench.replicas().await, Some(3), "how many is the autoscaler's to say");

    bench.change(json!({"stopped": true})).await;
    let object = bench.round().await;
    assert_eq!(bench.replicas().await, Some(0));
    assert!(bench.find::<HorizontalPodAutoscaler>(NAME).await.is_none());
    assert!(bench.find::<PodDisruptionBudget>(NAME).await.is_none());
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "Stopped".into()));

    bench.change(json!({"stopped": false})).await;
    bench.round().await;
    assert_eq!(bench.replicas().await, Some(2), "an autoscaler leaves none alone");
    assert!(bench.find::<HorizontalPodAutoscaler>(NAME).await.is_some());
    assert!(bench.unfinished_jobs().await.is_empty());
    assert!(bench.find::<PersistentVolumeClaim>("corner-data").await.is_none());
}

pub(crate) async fn an_autoscaler_takes_over_without_losing_a_pod(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "replicas": 3})).await;
    bench.settle().await;
    bench.change(json!({"replicas": null, "autoscaling": {"minReplicas": 2, "maxReplicas": 6}})).await;
    bench.round().await;
    assert_eq!(bench.replicas().await, Some(3));
    bench.change(json!({"replicas": 4, "autoscaling": null})).await;
    bench.round().await;
    assert_eq!(bench.replicas().await, Some(4), "and gives it back");
}

pub(crate) async fn too_small_a_budget_is_told(bench: &Bench) {
    bench.database().await;
    // No rule of the schema sees this: the 100 connections are the operator's own default.
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "replicas": 40})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::SpecValid), ("False".into(), "BudgetTooSmall".into()));
    assert!(message(&object, ConditionType::Ready).contains("database.budget.connections"));
    assert!(bench.find::<Deployment>(NAME).await.is_none());
}

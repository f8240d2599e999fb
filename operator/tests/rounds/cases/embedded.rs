//! The embedded database.

use farmlokal_operator::crd::ConditionType;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt as _;
use kube::api::ListParams;
use serde_json::json;

use crate::rounds::bench::{Bench, NAME, condition};

pub(crate) async fn nothing_asked_for_is_served_from_a_volume(bench: &Bench) {
    bench.ask(json!({})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "RolloutInProgress".into()));
    assert_eq!(condition(&object, ConditionType::Migrated).1, "Embedded");
    assert_eq!(condition(&object, ConditionType::Seeded).1, "SeedRunning");
    assert!(bench.find::<ServiceAccount>(NAME).await.is_some());
    assert!(bench.find::<Service>(NAME).await.is_some());
    assert!(bench.find::<NetworkPolicy>(NAME).await.is_some());
    assert!(bench.find::<PersistentVolumeClaim>("corner-data").await.is_some());
    assert!(bench.find::<ConfigMap>("corner-config").await.is_some());
    assert!(bench.find::<ConfigMap>("corner-tuning").await.is_none(), "SQLite has no pool to tune");
    assert!(bench.find::<PodDisruptionBudget>(NAME).await.is_none(), "it would hold up the node of a single pod");
    assert!(bench.api::<Job>().list(&ListParams::default()).await.unwrap().items.is_empty());
    let deployment: Deployment = bench.find(NAME).await.unwrap();
    let spec = deployment.spec.unwrap();
    assert_eq!((spec.replicas, spec.strategy.unwrap().type_.as_deref()), (Some(1), Some("Recreate")));

    bench.make_ready().await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready), ("True".into(), "AsAsked".into()));
    let status = object.status.unwrap();
    assert_eq!(status.replica_summary.as_deref(), Some("1/1"));
    assert_eq!(status.version.as_deref(), Some("1"));
    assert_eq!(status.observed_generation, object.metadata.generation);
    assert!(status.conditions.iter().all(|it| it.observed_generation == object.metadata.generation));
}

pub(crate) async fn deleting_keeps_the_data_unless_told_otherwise(bench: &Bench) {
    bench.ask(json!({})).await;
    bench.settle().await;
    let volume = async || bench.find::<PersistentVolumeClaim>("corner-data").await.unwrap();
    assert!(volume().await.owner_references().is_empty(), "it outlives the object");
    assert!(bench.find::<Secret>("corner-generated").await.unwrap().owner_references().is_empty());
    assert_eq!(bench.find::<Deployment>(NAME).await.unwrap().owner_references().len(), 1);
    bench.change(json!({"deletionPolicy": "Delete"})).await;
    bench.round().await;
    assert_eq!(volume().await.owner_references().len(), 1, "it goes with the object");
    bench.change(json!({"deletionPolicy": null})).await;
    bench.round().await;
    assert!(volume().await.owner_references().is_empty());
}

//! The controllers, with a kubelet that tests play: what the operator's cases stand on.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, PostParams};
use serde_json::json;

use crate::kubelet::{complete_job, fail_job, make_ready};
use crate::namespace::Namespace;
use crate::waiting::until;

fn job(name: &str) -> Job {
    let container = json!({ "name": "main", "image": "none" });
    let template = json!({ "spec": { "restartPolicy": "Never", "containers": [container] } });
    let spec = json!({ "backoffLimit": 0, "template": template });
    serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec })).unwrap()
}

/// Waits until the Job has the condition.
async fn ended(jobs: &Api<Job>, name: &str, condition: &str) {
    until(&format!("the Job {name}'s {condition}"), async || {
        let conditions = jobs.get(name).await.unwrap().status?.conditions?;
        conditions.iter().any(|it| it.type_ == condition && it.status == "True").then_some(())
    })
    .await;
}

#[tokio::test]
async fn jobs_complete_and_fail_with_a_text() {
    let namespace = Namespace::create().await;
    let jobs: Api<Job> = namespace.api();
    for name in ["good", "bad"] {
        jobs.create(&PostParams::default(), &job(name)).await.unwrap();
    }
    complete_job(&namespace, "good").await;
    fail_job(&namespace, "bad", "column price is missing").await;
    ended(&jobs, "good", "Complete").await;
    ended(&jobs, "bad", "Failed").await;

    let pods: Api<Pod> = namespace.api();
    let of_bad = pods.list(&ListParams::default().labels("batch.kubernetes.io/job-name=bad")).await.unwrap();
    let containers = of_bad.items[0].status.clone().unwrap().container_statuses.unwrap();
    let terminated = containers[0].state.clone().unwrap().terminated.unwrap();
    assert_eq!(terminated.message.as_deref(), Some("column price is missing"));
    namespace.end().await;
}

#[tokio::test]
async fn deployments_become_available() {
    let namespace = Namespace::create().await;
    let labels = json!({ "app": "shop" });
    let container = json!({ "name": "main", "image": "none" });
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [container] } });
    let spec = json!({ "replicas": 2, "selector": { "matchLabels": labels }, "template": template });
    let deployment = json!({ "metadata": { "name": "shop" }, "spec": spec });
    let deployments: Api<Deployment> = namespace.api();
    deployments.create(&PostParams::default(), &serde_json::from_value(deployment).unwrap()).await.unwrap();

    make_ready(&namespace, "app=shop", 2).await;
    let status = until("two available replicas", async || {
        deployments.get("shop").await.unwrap().status.filter(|it| it.available_replicas == Some(2))
    })
    .await;
    assert_eq!(status.ready_replicas, Some(2));
    namespace.end().await;
}

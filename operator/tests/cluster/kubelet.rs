//! What a kubelet would report: there is none, so pods stand where they were made until a test says how they fare.
//! Controllers take it from there: Jobs complete and fail, Deployments become available.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::namespace::Namespace;
use crate::waiting::until;

/// Lets the Job's pod end well.
pub(crate) async fn complete_job(namespace: &Namespace, job: &str) {
    let containers = json!([{ "name": "main", "state": { "terminated": { "exitCode": 0, "reason": "Completed" } } }]);
    report_one(namespace, &of_job(job), &json!({ "phase": "Succeeded", "containerStatuses": containers })).await;
}

/// Lets the Job's pod end badly, with `text` as its termination message. The Job has failed once that happened
/// `backoffLimit` times more; its controller pauses ever longer between them, so that tests want a limit of 0.
pub(crate) async fn fail_job(namespace: &Namespace, job: &str, text: &str) {
    let terminated = json!({ "exitCode": 1, "reason": "Error", "message": text });
    let containers = json!([{ "name": "main", "state": { "terminated": terminated } }]);
    report_one(namespace, &of_job(job), &json!({ "phase": "Failed", "containerStatuses": containers })).await;
}

/// Lets `count` pods with the labels run and be ready.
pub(crate) async fn make_ready(namespace: &Namespace, labels: &str, count: usize) {
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    report(namespace, labels, count, &json!({ "phase": "Running", "conditions": ready })).await;
}

fn of_job(job: &str) -> String {
    format!("batch.kubernetes.io/job-name={job}")
}

async fn report_one(namespace: &Namespace, labels: &str, status: &Value) {
    report(namespace, labels, 1, status).await;
}

/// Gives the next `count` pods with the labels of which nothing was reported yet a status, waiting until they are
/// there.
async fn report(namespace: &Namespace, labels: &str, count: usize, status: &Value) {
    let pods: Api<Pod> = namespace.api();
    let listed = ListParams::default().labels(labels).fields("status.phase=Pending");
    let found = until(&format!("{count} pods with {labels}"), async || {
        let found = pods.list(&listed).await.unwrap().items;
        (found.len() >= count).then_some(found)
    })
    .await;
    for pod in found.iter().take(count) {
        let name = pod.metadata.name.as_deref().unwrap();
        let patch = Patch::Merge(json!({ "status": status }));
        pods.patch_status(name, &PatchParams::default(), &patch).await.unwrap();
    }
}

//! A bench on the API server in memory, with its controllers played by writing what they would.

use futures::future::LocalBoxFuture;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api as KubeApi, Client};
use serde_json::{Value, json};

use crate::api::Api;
use crate::rounds::bench::{Bench, Kubelet, NAME};

/// An empty namespace.
pub(crate) fn bench() -> (Bench, Api) {
    let api = Api::default();
    (Bench::new(api.client(), &api.operator_client(), "shop", Box::new(Played(api.client()))), api)
}

struct Played(Client);

impl Played {
    async fn end(&self, name: &str, condition: Value) {
        let jobs: KubeApi<Job> = KubeApi::namespaced(self.0.clone(), "shop");
        let status = json!({"status": {"conditions": [condition], "completionTime": "2026-01-01T00:00:10Z"}});
        jobs.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }
}

impl Kubelet for Played {
    fn complete<'a>(&'a self, job: &'a str) -> LocalBoxFuture<'a, ()> {
        Box::pin(self.end(job, json!({"type": "Complete", "status": "True"})))
    }

    fn fail<'a>(&'a self, job: &'a str, text: &'a str) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            let labels = json!({
                "batch.kubernetes.io/job-name": job,
                "app.kubernetes.io/name": "farmlokal", "app.kubernetes.io/instance": NAME,
            });
            let terminated = json!({"exitCode": 1, "message": text});
            let container = json!({"name": "farmlokal", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": terminated}});
            let pod = json!({
                "metadata": {"name": format!("{job}-x"), "labels": labels},
                "status": {"phase": "Failed", "containerStatuses": [container]},
            });
            let pods: KubeApi<Pod> = KubeApi::namespaced(self.0.clone(), "shop");
            pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
            self.end(job, json!({"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"})).await;
        })
    }

    fn make_ready(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {
            let deployments: KubeApi<Deployment> = KubeApi::namespaced(self.0.clone(), "shop");
            let deployment = deployments.get(NAME).await.unwrap();
            let count = deployment.spec.unwrap().replicas.unwrap_or(1);
            let available = if count > 0 { "True" } else { "False" };
            let status = json!({"status": {
                "observedGeneration": deployment.metadata.generation, "replicas": count, "updatedReplicas": count,
                "readyReplicas": count, "availableReplicas": count,
                "conditions": [{"type": "Available", "status": available}],
            }});
            deployments.patch_status(NAME, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
        })
    }
}

//! The operator's cases, on a real API server with real controllers. The operator is allowed what the chart allows it.

use std::future::Future;

use farmlokal_operator::crd::FarmLokal;
use farmlokal_testkit::kubernetes;
use futures::future::LocalBoxFuture;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, CustomResourceExt as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::kubelet::{complete_job, fail_job};
use crate::namespace::Namespace;
use crate::rounds::bench::{Bench, Kubelet, NAME};
use crate::waiting::until;

const RULES: &str = include_str!("../../../charts/farmlokal-operator/files/permissions.yaml");

/// A namespace with a definition, and an operator that may do there what the chart says.
pub(crate) async fn fresh() -> (Bench, impl Future<Output = ()>) {
    let namespace = Namespace::create().await;
    define(&namespace.client).await;
    let user = format!("operator-of-{}", namespace.name);
    allow(&namespace, &user).await;
    let operator = as_user(&user).await;
    let kubelet = Real(Namespace { client: namespace.client.clone(), name: namespace.name.clone() });
    let bench = Bench::new(namespace.client.clone(), &operator, &namespace.name, Box::new(kubelet));
    (bench, namespace.end())
}

/// The definition is the same for all tests; whoever is first makes it.
pub(crate) async fn define(client: &Client) {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = FarmLokal::crd_name();
    let apply = PatchParams::apply("test").force();
    definitions.patch(name, &apply, &Patch::Apply(FarmLokal::crd())).await.unwrap();
    until("the kind FarmLokal", async || {
        let conditions = definitions.get(name).await.unwrap().status?.conditions?;
        conditions.iter().any(|it| it.type_ == "Established" && it.status == "True").then_some(())
    })
    .await;
}

async fn allow(namespace: &Namespace, user: &str) {
    let rules: Value = serde_saphyr::from_str(RULES).unwrap();
    let role = json!({"metadata": {"name": "operator"}, "rules": rules});
    let binding = json!({
        "metadata": {"name": "operator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    let (roles, bindings): (Api<Role>, Api<RoleBinding>) = (namespace.api(), namespace.api());
    roles.create(&PostParams::default(), &serde_json::from_value(role).unwrap()).await.unwrap();
    bindings.create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await.unwrap();
}

async fn as_user(user: &str) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubernetes::kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    config.auth_info.impersonate = Some(user.to_owned());
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

struct Real(Namespace);

impl Real {
    async fn ended(&self, job: &str) {
        let jobs: Api<Job> = self.0.api();
        until(&format!("the end of {job}"), async || {
            let conditions = jobs.get(job).await.unwrap().status?.conditions?;
            conditions.iter().any(|it| matches!(&*it.type_, "Complete" | "Failed")).then_some(())
        })
        .await;
    }

    /// Lets every pod that waits run and be ready; whether the rollout is complete.
    async fn further(&self) -> Option<()> {
        let pods: Api<Pod> = self.0.api();
        let waiting = ListParams::default()
            .labels(&format!("app.kubernetes.io/instance={NAME},app.kubernetes.io/component=server"))
            .fields("status.phase=Pending");
        let ready = json!({"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": k8s_openapi::jiff::Timestamp::now()}],
        }});
        for pod in pods.list(&waiting).await.unwrap() {
            // It may be replaced meanwhile.
            let _ = pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&ready)).await;
        }
        let deployment: Deployment = self.0.api().get(NAME).await.unwrap();
        let wanted = deployment.spec.unwrap().replicas;
        let status = deployment.status?;
        let now = [status.replicas, status.updated_replicas, status.available_replicas].map(Option::unwrap_or_default);
        (status.observed_generation == deployment.metadata.generation && now == [wanted.unwrap_or(1); 3]).then_some(())
    }
}

impl Kubelet for Real {
    fn complete<'a>(&'a self, job: &'a str) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            complete_job(&self.0, job).await;
            self.ended(job).await;
        })
    }

    fn fail<'a>(&'a self, job: &'a str, text: &'a str) -> LocalBoxFuture<'a, ()> {
        Box::pin(async move {
            // Its controller would take minutes to try as often as it may.
            let once = Patch::Merge(json!({"spec": {"backoffLimit": 0}}));
            self.0.api::<Job>().patch(job, &PatchParams::default(), &once).await.unwrap();
            fail_job(&self.0, job, text).await;
            self.ended(job).await;
        })
    }

    fn make_ready(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {
            until("the end of the rollout", async || self.further().await).await;
        })
    }
}

//! The objects, and the pods that no kubelet starts.

use std::path::Path;
use std::time::{Duration, Instant};

use farmlokal_operator::controller::status::find;
use farmlokal_operator::crd::{ConditionType, FarmLokal};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, CustomResourceExt as _, ResourceExt as _};
use serde_json::json;

const NAMESPACE: &str = "crowd";
/// Real controllers take a while with so many.
const PATIENCE: Duration = Duration::from_secs(600);
const BETWEEN: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 8;

pub(crate) struct Cluster {
    client: Client,
}

impl Cluster {
    /// Makes the definition and a namespace.
    pub(crate) async fn open(kubeconfig: &Path) -> Result<Self, String> {
        let config = Kubeconfig::read_from(kubeconfig).map_err(told)?;
        let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.map_err(told)?;
        let client = Client::try_from(config).map_err(told)?;
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        definitions.create(&PostParams::default(), &FarmLokal::crd()).await.map_err(told)?;
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(NAMESPACE.to_owned());
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await.map_err(told)?;
        let cluster = Self { client };
        let (accounts, objects): (Api<ServiceAccount>, Api<FarmLokal>) = (cluster.api(), cluster.api());
        // Controllers make the one, and the API server takes a moment to know the other.
        poll("the namespace", async || {
            let there = accounts.get_opt("default").await.map_err(told)?.is_some();
            Ok(there && objects.list(&ListParams::default()).await.is_ok())
        })
        .await?;
        Ok(cluster)
    }

    /// Makes the objects, which ask for nothing in particular.
    pub(crate) async fn ask(&self, count: usize) -> Result<(), String> {
        let objects: Api<FarmLokal> = self.api();
        let made = stream::iter(0..count).map(Ok).try_for_each_concurrent(AT_ONCE, async |number| {
            let object = json!({
                "apiVersion": "farmlokal.dev/v1alpha1", "kind": "FarmLokal",
                "metadata": {"name": format!("farm-{number}")}, "spec": {},
            });
            let object = serde_json::from_value(object).map_err(told)?;
            objects.create(&PostParams::default(), &object).await.map(drop).map_err(told)
        });
        made.await
    }

    /// Waits until all objects say why they are, or are not, ready.
    pub(crate) async fn until(&self, what: &str, count: usize, wanted: impl Fn(&str) -> bool) -> Result<(), String> {
        let objects: Api<FarmLokal> = self.api();
        let told_so = |object: &FarmLokal| {
            let conditions = object.status.as_ref().map(|status| &status.conditions[..]).unwrap_or_default();
            find(conditions, ConditionType::Ready).is_some_and(|ready| wanted(&ready.reason))
        };
        poll(what, async || {
            let all = objects.list(&ListParams::default()).await.map_err(told)?;
            Ok(all.iter().filter(|object| told_so(object)).count() == count)
        })
        .await
    }

    /// Says of every pod that it runs and is ready, as a kubelet would.
    pub(crate) async fn start_pods(&self, count: usize) -> Result<(), String> {
        let pods: Api<Pod> = self.api();
        poll("the pods", async || Ok(pods.list(&ListParams::default()).await.map_err(told)?.items.len() >= count))
            .await?;
        let now = k8s_openapi::jiff::Timestamp::now();
        let ready = json!({"status": {
            "phase": "Running", "podIP": "192.0.2.1",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
        }});
        let all = pods.list(&ListParams::default()).await.map_err(told)?;
        let started = stream::iter(all).map(Ok).try_for_each_concurrent(AT_ONCE, async |pod| {
            let patch = Patch::Merge(&ready);
            pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await.map(drop).map_err(told)
        });
        started.await
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }
}

async fn poll(what: &str, look: impl AsyncFn() -> Result<bool, String>) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !look().await? {
        if Instant::now() > deadline {
            return Err(format!("not all are {what} within {PATIENCE:?}"));
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(())
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

//! A namespace of one test.

use std::sync::atomic::{AtomicU32, Ordering};

use farmlokal_testkit::kubernetes;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Namespace as Object, ServiceAccount};
use kube::api::{DeleteParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, Resource};

use crate::waiting::until;

/// How many of this process there were: test binaries run side by side, and their processes tell them apart.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A client of the control plane that this test run shares, as its administrator.
pub(crate) async fn client() -> Client {
    let file = kubernetes::kubeconfig();
    let kubeconfig = Kubeconfig::read_from(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// A namespace with a name of its own, in which pods can be made. [`end`](Self::end) removes it; the control plane
/// takes those of failed tests with it.
pub(crate) struct Namespace {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Namespace {
    pub(crate) async fn create() -> Self {
        let client = client().await;
        let name = format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut object = Object::default();
        object.metadata.name = Some(name.clone());
        Api::<Object>::all(client.clone()).create(&PostParams::default(), &object).await.unwrap();
        let it = Self { client, name };
        // A controller makes it; pods are refused until it has.
        let accounts: Api<ServiceAccount> = it.api();
        until("the service account `default`", async || accounts.get_opt("default").await.unwrap()).await;
        it
    }

    /// The objects of a kind in it.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// Deletes it. Controllers take away what is in it, later.
    pub(crate) async fn end(self) {
        let namespaces: Api<Object> = Api::all(self.client);
        let _ = namespaces.delete(&self.name, &DeleteParams::default()).await.unwrap();
    }
}

//! What makes an object's turn come: its own changes, those of what was made for it, and those of Secrets it names.

use std::future::Future;
use std::sync::Arc;

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DynamicObject};
use kube::core::{DeserializeGuard, NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::controller::{self, Controller};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Client, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::kind::Kind;
use super::names::{MANAGED_BY, MANAGER};
use super::reconcile::{Context, forget, reconcile, retry};
use crate::crd::FarmLokal;

type Object = DeserializeGuard<FarmLokal>;

/// Several changes at once make one round.
const DEBOUNCE: std::time::Duration = std::time::Duration::from_millis(300);

/// Where to look, and how much to do at once.
#[derive(Debug, Clone)]
pub struct Scope {
    /// One namespace, or all.
    pub namespace: Option<String>,
    /// Rounds at once.
    pub concurrency: u16,
    /// Whether the cluster knows the Gateway API.
    pub has_gateway_api: bool,
}

/// Works until `stop`, then ends what is under way. Everything that is watched is watched as metadata only: what is
/// in it is read when its turn comes, so nothing piles up in memory.
pub async fn run(context: Arc<Context>, scope: Scope, stop: impl Future<Output = ()> + Send + Sync + 'static) {
    let client = context.client.clone();
    let objects = Controller::new(api::<Object>(&client, &scope), watcher::Config::default());
    let store = objects.store();
    let settings = controller::Config::default().debounce(DEBOUNCE).concurrency(scope.concurrency);
    let objects = objects.with_config(settings).graceful_shutdown_on(stop);
    let objects = owns::<ServiceAccount>(objects, &client, &scope);
    let objects = owns::<ConfigMap>(objects, &client, &scope);
    let objects = owns::<Service>(objects, &client, &scope);
    let objects = owns::<NetworkPolicy>(objects, &client, &scope);
    let objects = owns::<PersistentVolumeClaim>(objects, &client, &scope);
    let objects = owns::<Job>(objects, &client, &scope);
    let objects = owns::<Deployment>(objects, &client, &scope);
    let objects = owns::<HorizontalPodAutoscaler>(objects, &client, &scope);
    let objects = owns::<PodDisruptionBudget>(objects, &client, &scope);
    let objects = owns::<Ingress>(objects, &client, &scope);
    let objects = owns_routes(objects, &client, &scope);
    let secrets = api::<PartialObjectMeta<Secret>>(&client, &scope);
    let objects = objects.watches(secrets, watcher::Config::default(), move |secret| naming(&store, &secret));
    let rounds = objects.run(reconcile, retry, Arc::clone(&context));
    let noted = rounds.map(|result| note(result, &context));
    noted.for_each(std::future::ready).await;
}

fn owns<K>(objects: Controller<Object>, client: &Client, scope: &Scope) -> Controller<Object>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + std::fmt::Debug,
    K: Send + 'static,
{
    objects.owns(api::<PartialObjectMeta<K>>(client, scope), ours())
}

fn owns_routes(objects: Controller<Object>, client: &Client, scope: &Scope) -> Controller<Object> {
    if !scope.has_gateway_api {
        return objects;
    }
    let resource = Kind::HttpRoute.resource();
    let api: Api<DynamicObject> = match &scope.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    objects.owns_with(api, resource, ours())
}

fn api<K>(client: &Client, scope: &Scope) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match &scope.namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn ours() -> watcher::Config {
    watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"))
}

/// The objects that name a Secret.
fn naming(store: &Store<Object>, secret: &PartialObjectMeta<Secret>) -> Vec<ObjectRef<Object>> {
    let (name, namespace) = (secret.name_any(), secret.namespace());
    let names_it = |object: &Object| {
        object.namespace() == namespace && object.0.as_ref().is_ok_and(|object| object.spec.names_secret(&name))
    };
    store.state_filter(names_it).iter().map(|object| ObjectRef::from_obj(&**object)).collect()
}

type Round = Result<(ObjectRef<Object>, controller::Action), controller::Error<super::ReconcileError, watcher::Error>>;

fn note(result: Round, context: &Context) {
    match result {
        Err(controller::Error::ObjectNotFound(object)) => {
            forget(object.namespace.as_deref().unwrap_or_default(), &object.name, context);
        }
        // `retry` has said so.
        Err(controller::Error::ReconcilerFailed(..)) | Ok(_) => {}
        Err(error) => tracing::warn!(%error, "watching failed; it goes on by itself"),
    }
}

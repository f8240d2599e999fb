//! What makes an object's turn come: its own changes, those of what was made for it and of its pods, and those of Secrets
//! it names. What is told of all of them but Secrets goes into the [`Cache`], which rounds read instead of asking.

use std::future::Future;
use std::sync::Arc;

use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, DeserializeGuard, NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::controller::{self, Controller};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource, ResourceExt as _};

use super::cache::{Cache, Listener, Watched};
use super::reconcile::{Context, forget, reconcile, retry};
use crate::crd::FarmLokal;

type Object = DeserializeGuard<FarmLokal>;

/// Objects asked for at once at the start: a page is in memory three times while it is read.
const PAGE: u32 = 50;
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

/// Works until `stop`, then ends what is under way.
pub async fn run(context: Arc<Context>, scope: Scope, stop: impl Future<Output = ()> + Send + Sync + 'static) {
    let client = &context.client;
    let (store, writer) = reflector::store();
    let own = watcher(api::<Object>(client, &scope), config())
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .applied_objects();
    let settings = controller::Config::default().debounce(DEBOUNCE).concurrency(scope.concurrency);
    let mut objects = Controller::for_stream(own, store.clone()).with_config(settings).graceful_shutdown_on(stop);
    let optional = |watched: &Watched| matches!(watched, Watched::Child(kind) if kind.is_optional());
    for watched in Watched::all().filter(|watched| scope.has_gateway_api || !optional(watched)) {
        objects = objects.reconcile_on(children(client, &context.cache, &scope, watched));
    }
    let objects = objects.reconcile_on(secrets(&context, &scope, store));
    let rounds = objects.run(reconcile, retry, Arc::clone(&context));
    let noted = rounds.map(|result| note(result, &context));
    noted.for_each(std::future::ready).await;
}

/// Whose turn comes because of something that was made for it; the cache hears of it first.
fn children(
    client: &Client,
    cache: &Arc<Cache>,
    scope: &Scope,
    watched: Watched,
) -> impl Stream<Item = ObjectRef<Object>> + Send + use<> {
    let mut listener = Listener::new(Arc::clone(cache), watched, scope.namespace.clone());
    let all = watcher(dynamic(client, scope, &watched.resource()), config().labels(&watched.labels()));
    let owners = all.default_backoff().map(move |event| match event {
        Ok(event) => listener.note(event),
        Err(error) => failed(&error),
    });
    owners.flat_map(|owners| {
        stream::iter(owners.into_iter().map(|(namespace, name)| ObjectRef::new(&name).within(&namespace)))
    })
}

/// Whose turn comes because of a Secret that it names. Only metadata is watched: most Secrets are none of our business.
fn secrets(
    context: &Arc<Context>,
    scope: &Scope,
    store: Store<Object>,
) -> impl Stream<Item = ObjectRef<Object>> + Send + use<> {
    let (context, namespace) = (Arc::clone(context), scope.namespace.clone());
    let all = watcher(api::<PartialObjectMeta<Secret>>(&context.client, scope), config());
    let objects = all.default_backoff().map(move |event| match event {
        Ok(Event::Apply(secret) | Event::InitApply(secret) | Event::Delete(secret)) => {
            context.secrets.changed(&secret.namespace().unwrap_or_default(), &secret.name_any());
            naming(&store, &secret)
        }
        Ok(Event::Init) => vec![],
        // Some may have gone while nobody listened.
        Ok(Event::InitDone) => {
            context.secrets.forget(namespace.as_deref());
            store.state().iter().map(|object| ObjectRef::from_obj(&**object)).collect()
        }
        Err(error) => failed(&error),
    });
    objects.flat_map(stream::iter)
}

fn config() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

fn failed<T>(error: &watcher::Error) -> Vec<T> {
    tracing::warn!(%error, "watching failed; it goes on by itself");
    vec![]
}

fn dynamic(client: &Client, scope: &Scope, resource: &ApiResource) -> Api<DynamicObject> {
    match &scope.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
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

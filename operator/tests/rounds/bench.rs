//! A namespace with an operator that works when it is told to, and what happens around it.
//!
//! The cases speak to a `kube::Client` only, and to a [`Kubelet`] that lets Jobs end and pods become ready: on a real
//! API server they are the same.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use farmlokal_operator::controller::backoff::Backoff;
use farmlokal_operator::controller::cache::{Cache, Listener, Watched};
use farmlokal_operator::controller::observe::Scrape;
use farmlokal_operator::controller::publisher::Publisher;
use farmlokal_operator::controller::secrets::Secrets;
use farmlokal_operator::controller::status::find;
use farmlokal_operator::controller::tuner::Tuner;
use farmlokal_operator::controller::validate::Defaults;
use farmlokal_operator::controller::{Context, ReconcileError, reconcile};
use farmlokal_operator::crd::{ConditionType, FarmLokal};
use farmlokal_operator::metrics::Metrics;
use farmlokal_telemetry::metrics::Metrics as Registry;
use farmlokal_telemetry::resource::resource;
use futures::future::{BoxFuture, LocalBoxFuture};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::runtime::events::Reporter;
use kube::runtime::watcher::Event;
use kube::{Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The object's name: not the product's, so that a mix-up shows.
pub(crate) const NAME: &str = "corner";

/// Lets things happen that a cluster does by itself.
pub(crate) trait Kubelet {
    /// The Job ends well.
    fn complete<'a>(&'a self, job: &'a str) -> LocalBoxFuture<'a, ()>;
    /// The Job ends badly, its pod saying `text`.
    fn fail<'a>(&'a self, job: &'a str, text: &'a str) -> LocalBoxFuture<'a, ()>;
    /// All pods of the Deployment are of its last template, and ready.
    fn make_ready(&self) -> LocalBoxFuture<'_, ()>;
}

/// See above.
pub(crate) struct Bench {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) context: Arc<Context>,
    kubelet: Box<dyn Kubelet>,
    pub(crate) seed_metrics: Arc<Mutex<Option<String>>>,
}

/// Pods answer what a test says.
struct Told(Arc<Mutex<Option<String>>>);

impl Scrape for Told {
    fn scrape(&self, _: SocketAddr) -> BoxFuture<'_, Option<String>> {
        let answer = self.0.lock().unwrap().clone();
        Box::pin(async move { answer })
    }
}

pub(crate) fn context(client: &Client, scrape: Arc<dyn Scrape>) -> Arc<Context> {
    let reporter = Reporter { controller: "farmlokal-operator".to_owned(), instance: Some("test".to_owned()) };
    let registry = Registry::new(resource("farmlokal-operator", "test"), None).unwrap();
    let metrics = Arc::new(Metrics::new(registry));
    let cache = Arc::<Cache>::default();
    let (seen, asks, counts) = (Arc::clone(&cache), Arc::clone(&scrape), Arc::clone(&metrics));
    Arc::new(Context {
        client: client.clone(),
        cache,
        secrets: Secrets::default(),
        publisher: Publisher::new(client.clone(), reporter),
        defaults: Defaults { image: "farmlokal:1".to_owned() },
        tuner: Arc::new(Tuner::new(client.clone(), seen, asks, counts, Timestamp::now)),
        scrape,
        backoff: Backoff::default(),
        metrics,
        clock: Timestamp::now,
        draw: || "drawn".repeat(8),
    })
}

impl Bench {
    /// The operator has a client of its own, which may be allowed less.
    pub(crate) fn new(client: Client, operator: &Client, namespace: &str, kubelet: Box<dyn Kubelet>) -> Self {
        let seed_metrics = Arc::new(Mutex::new(None));
        let context = context(operator, Arc::new(Told(Arc::clone(&seed_metrics))));
        Self { client, namespace: namespace.to_owned(), context, kubelet, seed_metrics }
    }

    /// Another process takes over, which remembers nothing.
    #[allow(dead_code, reason = "used where time is wound on, which a real API server does not")]
    pub(crate) fn restart(&mut self) {
        self.context = context(&self.context.client.clone(), Arc::clone(&self.context.scrape));
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes the object.
    pub(crate) async fn ask(&self, spec: Value) {
        self.create::<FarmLokal>(json!({"metadata": {"name": NAME}, "spec": spec})).await;
    }

    /// Changes its spec, by a merge patch.
    pub(crate) async fn change(&self, spec: Value) {
        self.merge::<FarmLokal>(NAME, json!({"spec": spec})).await;
    }

    /// A Secret `db` with the URL of a server.
    pub(crate) async fn database(&self) {
        self.secret("db", "url", "mysql://farm:secret@db.example/farm").await;
    }

    pub(crate) async fn secret(&self, name: &str, key: &str, value: &str) {
        let secret = json!({"metadata": {"name": name}, "data": {key: base64(value)}});
        self.create::<k8s_openapi::api::core::v1::Secret>(secret).await;
    }

    pub(crate) async fn create<K>(&self, object: Value)
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
        K: DeserializeOwned + Serialize + Clone + std::fmt::Debug,
    {
        let object: K = serde_json::from_value(object).unwrap();
        self.api::<K>().create(&PostParams::default(), &object).await.unwrap();
    }

    pub(crate) async fn merge<K>(&self, name: &str, patch: Value)
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
        K: DeserializeOwned + Clone + std::fmt::Debug,
    {
        self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Has the operator's cache know all there is, as watches do in the end.
    pub(crate) async fn look(&self) {
        for watched in Watched::all() {
            let namespace = Some(self.namespace.clone());
            let mut listener = Listener::new(Arc::clone(&self.context.cache), watched, namespace);
            let api: Api<DynamicObject> =
                Api::namespaced_with(self.client.clone(), &self.namespace, &watched.resource());
            // It may be of a kind that is not known here.
            let found = api.list(&ListParams::default().labels(&watched.labels())).await;
            listener.note(Event::Init);
            for object in found.into_iter().flatten() {
                listener.note(Event::InitApply(object));
            }
            listener.note(Event::InitDone);
        }
        self.context.secrets.forget(None);
    }

    /// One round.
    pub(crate) async fn try_round(&self) -> Result<Action, ReconcileError> {
        self.look().await;
        let object: DeserializeGuard<FarmLokal> = self.api().get(NAME).await.unwrap();
        reconcile(Arc::new(object), Arc::clone(&self.context)).await
    }

    /// One round, which does not fail; and the object afterwards.
    pub(crate) async fn round(&self) -> FarmLokal {
        self.try_round().await.unwrap();
        self.object().await
    }

    /// Rounds until all that happens by itself has happened: Jobs end well, pods become ready.
    pub(crate) async fn settle(&self) -> FarmLokal {
        for _ in 0..6 {
            let object = self.round().await;
            if condition(&object, ConditionType::Ready) == ("True".to_owned(), "AsAsked".to_owned()) {
                return object;
            }
            for job in self.unfinished_jobs().await {
                self.complete(&job).await;
            }
            if self.find::<Deployment>(NAME).await.is_some() {
                self.make_ready().await;
            }
        }
        panic!("it does not become ready: {:#?}", self.object().await.status);
    }

    pub(crate) async fn object(&self) -> FarmLokal {
        self.api().get(NAME).await.unwrap()
    }

    pub(crate) async fn find<K>(&self, name: &str) -> Option<K>
    where
        K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
        K: DeserializeOwned + Clone + std::fmt::Debug,
    {
        self.api::<K>().get_opt(name).await.unwrap()
    }

    /// The one Job of a component that has not ended.
    pub(crate) async fn job(&self, component: &str) -> String {
        let jobs = self.unfinished_jobs().await;
        let mut jobs = jobs.into_iter().filter(|name| name.contains(&format!("-{component}-")));
        jobs.next().unwrap_or_else(|| panic!("no Job to {component}"))
    }

    pub(crate) async fn unfinished_jobs(&self) -> Vec<String> {
        let jobs = self.api::<Job>().list(&ListParams::default()).await.unwrap();
        let unfinished = |job: &Job| {
            let conditions = job.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
            !conditions.iter().any(|condition| matches!(&*condition.type_, "Complete" | "Failed"))
        };
        jobs.iter().filter(|job| unfinished(job)).map(|job| job.name_any()).collect()
    }

    pub(crate) async fn complete(&self, job: &str) {
        self.kubelet.complete(job).await;
    }

    pub(crate) async fn fail(&self, job: &str, text: &str) {
        self.kubelet.fail(job, text).await;
    }

    pub(crate) async fn make_ready(&self) {
        self.kubelet.make_ready().await;
    }

    /// How much the operator has written, and the object's version: equal when nothing was written in between.
    pub(crate) async fn written(&self) -> (u64, Option<String>) {
        (self.context.metrics.writes(), self.object().await.resource_version())
    }

    /// The annotations of the pods that serve.
    pub(crate) async fn pod_annotations(&self) -> Value {
        let deployment: Deployment = self.find(NAME).await.unwrap();
        json!(deployment.spec.unwrap().template.metadata.unwrap().annotations)
    }

    /// How many there are to be.
    pub(crate) async fn replicas(&self) -> Option<i32> {
        self.find::<Deployment>(NAME).await.unwrap().spec.unwrap().replicas
    }
}

/// A condition's status and reason.
pub(crate) fn condition(object: &FarmLokal, about: ConditionType) -> (String, String) {
    let conditions = object.status.clone().unwrap_or_default().conditions;
    find(&conditions, about).map(|it| (it.status.clone(), it.reason.clone())).unwrap_or_default()
}

/// What a condition says.
pub(crate) fn message(object: &FarmLokal, about: ConditionType) -> String {
    let conditions = object.status.clone().unwrap_or_default().conditions;
    find(&conditions, about).map(|it| it.message.clone()).unwrap_or_default()
}

pub(crate) fn base64(text: &str) -> Value {
    serde_json::to_value(k8s_openapi::ByteString(text.as_bytes().to_vec())).unwrap()
}

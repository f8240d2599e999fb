//! `farmlokal-operator run`: looks after objects, if it is this replica's turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use farmlokal_telemetry::metrics::{Metrics as Registry, exporter};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams};
use kube::client::{Body, ClientBuilder};
use kube::runtime::events::Reporter;
use kube::{Client, Config};
use opentelemetry_sdk::Resource;
use ring::rand::SecureRandom as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tower::util::MapRequestLayer;

use super::CommandError;
use crate::admin::{self, Admin};
use crate::cli::Run;
use crate::controller::Context;
use crate::controller::cache::Cache;
use crate::controller::kind::Kind;
use crate::controller::names::MANAGER;
use crate::controller::observe::Http;
use crate::controller::publisher::Publisher;
use crate::controller::secrets::Secrets;
use crate::controller::tuner::Tuner;
use crate::controller::validate::Defaults;
use crate::controller::watch::{self, Scope};
use crate::crd::FarmLokal;
use crate::lease::Elector;
use crate::metrics::Metrics;

/// How long rounds under way may take to end after SIGTERM.
const END_WITHIN: Duration = Duration::from_secs(3);
/// Between two tries to reach the API server at the start.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) async fn run(options: Run, resource: Resource) -> Result<(), CommandError> {
    let metrics = Arc::new(Metrics::new(Registry::new(resource, exporter()?)?));
    let mut config = Config::infer().await?;
    // Failed rounds are repeated as a whole, object by object; repeating requests as well would only hide it.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    let asked = Arc::clone(&metrics);
    let counting = MapRequestLayer::new(move |request: http::Request<Body>| {
        asked.api_asked(&request);
        request
    });
    let client = ClientBuilder::try_from(config)?.with_layer(&counting).build();
    let context = Arc::new(context(client, &options, &metrics));
    let counted = Arc::clone(&metrics);
    let admin = Arc::new(Admin { ready: AtomicBool::new(false), metrics: Box::new(move || counted.text()) });
    let stop = stop_on_signal()?;
    let address = options.listen;
    let ended = tokio::select! {
        ended = work(&options, context, &admin, &stop) => ended,
        ended = admin::serve(address, Arc::clone(&admin)) => match ended {
            Err(source) => Err(CommandError::Listen { address, source }),
            Ok(never) => match never {},
        },
    };
    // A last push may wait; a panic there loses it.
    let _ = tokio::task::spawn_blocking(move || metrics.end()).await;
    ended
}

fn context(client: Client, options: &Run, metrics: &Arc<Metrics>) -> Context {
    let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(options.identity.clone()) };
    let cache = Arc::<Cache>::default();
    let tuner = Tuner::new(client.clone(), Arc::clone(&cache), Arc::new(Http), Arc::clone(metrics), Timestamp::now);
    Context {
        publisher: Publisher::new(client.clone(), reporter),
        tuner: Arc::new(tuner),
        client,
        cache,
        secrets: Secrets::default(),
        defaults: Defaults { image: options.image.image.clone() },
        scrape: Arc::new(Http),
        backoff: crate::controller::backoff::Backoff::default(),
        metrics: Arc::clone(metrics),
        clock: Timestamp::now,
        draw: secret,
    }
}

/// Waits for the turn of this replica, works, and gives the turn back.
async fn work(
    options: &Run,
    context: Arc<Context>,
    admin: &Admin,
    stop: &CancellationToken,
) -> Result<(), CommandError> {
    let Some(has_gateway_api) = stop.run_until_cancelled(reach(&context.client, options)).await else { return Ok(()) };
    admin.ready.store(true, Ordering::Relaxed);
    let identity = format!("{}_{:08x}", options.identity, fastrand::u32(..));
    let mut elector = Elector::new(&context.client, &options.namespace, MANAGER, identity, context.clock);
    tracing::info!("waiting for the lease");
    if stop.run_until_cancelled(elector.acquire()).await.is_none() {
        return Ok(());
    }
    tracing::info!("this replica works now");
    context.metrics.leads(true);
    let metrics = Arc::clone(&context.metrics);
    let tuner = Arc::clone(&context.tuner);
    let working = controllers(options, context, has_gateway_api, stop);
    tokio::select! {
        // What is under way is dropped on the spot: somebody else may begin soon.
        () = elector.keep() => return Err(CommandError::LeaseLost),
        () = working => {}
        () = tuner.run() => {}
        () = overdue(stop) => tracing::warn!("rounds under way were cut off after {END_WITHIN:?}"),
    }
    metrics.leads(false);
    elector.release().await;
    tracing::info!("ended");
    Ok(())
}

async fn controllers(options: &Run, context: Arc<Context>, has_gateway_api: bool, stop: &CancellationToken) {
    let namespaces: Vec<_> = match &options.watch_namespaces[..] {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    };
    let all = namespaces.into_iter().map(|namespace| {
        let scope = Scope { namespace, concurrency: options.concurrency, has_gateway_api };
        watch::run(Arc::clone(&context), scope, stop.clone().cancelled_owned())
    });
    futures::future::join_all(all).await;
}

async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(END_WITHIN).await;
}

/// Waits until the API server answers, and asks what it knows: whether there is a Gateway API.
async fn reach(client: &Client, options: &Run) -> bool {
    let objects: Api<FarmLokal> = match options.watch_namespaces.first() {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    loop {
        match objects.list_metadata(&ListParams::default().limit(1)).await {
            Ok(_) => break,
            Err(kube::Error::Api(status)) if status.code == 404 => tracing::warn!(
                "the cluster does not know FarmLokal objects yet: install the CustomResourceDefinition \
                 (farmlokal-operator crd | kubectl apply --server-side -f -)"
            ),
            Err(error) => tracing::warn!(%error, "the API server does not answer yet"),
        }
        tokio::time::sleep(AGAIN).await;
    }
    let (group, version, kind) = Kind::HttpRoute.gvk();
    let known = client.list_api_group_resources(&format!("{group}/{version}")).await;
    known.is_ok_and(|known| known.resources.iter().any(|resource| resource.kind == kind))
}

fn stop_on_signal() -> Result<CancellationToken, CommandError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::Runtime)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("ending");
        stopping.cancel();
    });
    Ok(stop)
}

/// A secret of 32 random bytes, in hexadecimal.
fn secret() -> String {
    let mut bytes = [0; 32];
    // The system's source fails on no system that Kubernetes runs on; an empty secret would be refused by the service.
    if ring::rand::SystemRandom::new().fill(&mut bytes).is_err() {
        return String::new();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

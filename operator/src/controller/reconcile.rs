//! One round: the steps in their order.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::core::{DeserializeGuard, error_boundary::InvalidObject};
use kube::runtime::controller::Action;
use kube::{Client, Resource as _, ResourceExt as _};
use tracing::Instrument as _;

use super::apply::{self, ApplyError};
use super::backoff::Backoff;
use super::cache::Cache;
use super::dereference::{World, dereference};
use super::error::ReconcileError;
use super::gates::{self, Gates};
use super::growth;
use super::observe::{Scrape, seed_progress, seeding};
use super::publisher::Publisher;
use super::report::report;
use super::secrets::Secrets;
use super::status::{Observed, Outcome, find, status};
use super::tuner::Tuner;
use super::validate::{Defaults, Instance, InvalidSpec, validate};
use super::{build, names};
use crate::crd::{ConditionType, FarmLokal, FarmLokalStatus};
use crate::metrics::Metrics;
use crate::trace;

/// While products are written, or pods give connections back: how far they are is told only to who asks.
const SOON: Duration = Duration::from_secs(10);
/// When an object is refused, or its name is taken: no watch tells when that ends.
const AGAIN: Duration = Duration::from_secs(120);
/// While something is awaited. Watches tell when it comes; this is in case one of them has not.
const LATER: Duration = Duration::from_secs(600);
/// When all is as asked. Watches tell of what changes.
const LONG: Duration = Duration::from_secs(1_800);
/// A round that takes longer is given up: an API server that does not answer must not keep others waiting.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What every round needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// What it has told of children and pods.
    pub cache: Arc<Cache>,
    /// What is known of Secrets.
    pub secrets: Secrets,
    /// Publishes events.
    pub publisher: Publisher,
    /// What the operator itself decides.
    pub defaults: Defaults,
    /// Asks pods.
    pub scrape: Arc<dyn Scrape>,
    /// Tunes pools.
    pub tuner: Arc<Tuner>,
    /// Failures, object by object.
    pub backoff: Backoff,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: fn() -> Timestamp,
    /// Draws a secret.
    pub draw: fn() -> String,
}

/// Makes the cluster what `object` asks for, as far as that is possible now.
///
/// # Errors
///
/// When the API server does not answer. What is wrong with the object itself is told in its status.
pub async fn reconcile(
    object: Arc<DeserializeGuard<FarmLokal>>,
    context: Arc<Context>,
) -> Result<Action, ReconcileError> {
    let root = trace::begin(object.0.as_ref().ok().and_then(parent));
    let round = async {
        match &object.0 {
            Ok(object) => one(object, &context).await,
            Err(invalid) => malformed(invalid, &context).await,
        }
    };
    let timed = context.metrics.reconciling();
    let result = tokio::time::timeout(PATIENCE, root.run(round)).await.unwrap_or(Err(ReconcileError::Slow));
    timed.ended(result.as_ref().err().map(ReconcileError::category).as_deref());
    if result.is_ok() {
        context.backoff.forget(&key(&object));
        context.metrics.retrying(context.backoff.failing());
    }
    result
}

/// How long to wait after a failure.
pub fn retry(object: Arc<DeserializeGuard<FarmLokal>>, error: &ReconcileError, context: Arc<Context>) -> Action {
    let wait = context.backoff.failed(&key(&object), fastrand::f64());
    context.metrics.retrying(context.backoff.failing());
    error.api_status().iter().for_each(|status| context.metrics.api_failed(*status));
    tracing::warn!(object = key(&object), %error, "to be tried again in {wait:?}");
    Action::requeue(wait)
}

/// An object is gone: nothing is left of it here.
pub fn forget(namespace: &str, name: &str, context: &Context) {
    let key = format!("{namespace}/{name}");
    context.tuner.forget(&key);
    context.backoff.forget(&key);
    context.metrics.retrying(context.backoff.failing());
    context.metrics.forget(namespace, name);
}

fn key(object: &DeserializeGuard<FarmLokal>) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// The trace to go on with: whoever applied the object says which, or else it is that of the work on this generation
/// until it is ready.
fn parent(object: &FarmLokal) -> Option<&str> {
    let status = object.status.as_ref();
    let under_way =
        status.filter(|status| status.observed_generation == object.metadata.generation && !is_ready(status));
    match under_way.and_then(|status| status.traceparent.as_deref()) {
        Some(trace) => Some(trace),
        None if is_new(object) => object.annotations().get(names::TRACEPARENT).map(String::as_str),
        None => None,
    }
}

/// Whether this generation has not been worked on.
fn is_new(object: &FarmLokal) -> bool {
    object.status.as_ref().is_none_or(|status| status.observed_generation != object.metadata.generation)
}

async fn one(object: &FarmLokal, context: &Context) -> Result<Action, ReconcileError> {
    if object.metadata.deletion_timestamp.is_some() {
        forget(&object.namespace().unwrap_or_default(), &object.name_any(), context);
        // What is ours goes with it: the API server deletes what it owns.
        return Ok(Action::await_change());
    }
    let instance = match validate(object, &context.defaults) {
        Ok(instance) => instance,
        Err(invalid) => return tell(object, context, &Outcome::Invalid(&invalid), LONG).await,
    };
    let mut world = dereference(&context.client, &context.cache, &context.secrets, &instance)
        .instrument(tracing::debug_span!("dereference"))
        .await
        .map_err(ReconcileError::Dereference)?;
    if let Some(missing) = world.missing.take() {
        return tell(object, context, &Outcome::Missing(&instance, &missing), LATER).await;
    }
    let gates = gates::decide(&instance, &world, &object.status.clone().unwrap_or_default());
    let seeding = seeding(&instance, &world, &gates);
    if let Some(pod) = seeding {
        world.seed_progress = seed_progress(&*context.scrape, pod).await;
    }
    world.held = growth::held(&*context.scrape, &instance, &world).await;
    let applied = apply(context, &instance, &world, &gates).await?;
    context.metrics.applied(&applied.changes);
    context.tuner.look_after(&instance, object.metadata.generation);
    let troubled = !applied.foreign.is_empty() || !applied.rejected.is_empty();
    let again = if seeding.is_some() || world.held.is_some() {
        SOON
    } else if troubled {
        AGAIN
    } else {
        LONG
    };
    let observed = Observed { instance: &instance, world: &world, gates: &gates, applied: &applied };
    tell(object, context, &Outcome::Observed(observed), again).await
}

async fn apply(
    context: &Context,
    instance: &Instance,
    world: &World,
    gates: &Gates,
) -> Result<apply::Applied, ReconcileError> {
    if instance.paused {
        return Ok(apply::observe(world));
    }
    if !world.has_generated {
        apply::ensure_generated(&context.client, instance, context.draw).await.map_err(ApplyError::Kube)?;
        context.secrets.changed(&instance.namespace, &instance.child(build::GENERATED));
    }
    let prepared = build::build(instance, world, gates, trace::current().as_deref());
    let applied = apply::apply(&context.client, &context.cache, instance, world, prepared);
    Ok(applied.instrument(tracing::debug_span!("apply")).await?)
}

/// Writes the status; `again` is when to look again, at the latest, if all is as asked.
async fn tell(
    object: &FarmLokal,
    context: &Context,
    outcome: &Outcome<'_>,
    again: Duration,
) -> Result<Action, ReconcileError> {
    let old = object.status.clone().unwrap_or_default();
    let mut new = status(&old, object.metadata.generation, outcome, &Time((context.clock)()));
    if is_new(object) {
        new.traceparent = trace::current();
    }
    let reference = object.object_ref(&());
    report(&context.client, &context.publisher, &reference, &old, &new).await.map_err(ReconcileError::Status)?;
    let ready = is_ready(&new);
    let pool_max = new.tuning.as_ref().map(|tuning| tuning.pool_max);
    context.metrics.told(&object.namespace().unwrap_or_default(), &object.name_any(), ready, pool_max);
    let wait = if ready { again } else { again.min(LATER) };
    // Spread, so that many objects do not come at once.
    Ok(Action::requeue(wait.mul_f64(1.0 + fastrand::f64() / 5.0)))
}

fn is_ready(status: &FarmLokalStatus) -> bool {
    find(&status.conditions, ConditionType::Ready).is_some_and(|ready| ready.status == "True")
}

/// An object that cannot be read is told so, and stops nobody else.
async fn malformed(invalid: &InvalidObject, context: &Context) -> Result<Action, ReconcileError> {
    let error = InvalidSpec::Malformed(invalid.error.clone());
    let resource = kube::api::ApiResource::erase::<FarmLokal>(&());
    let namespace = invalid.metadata.namespace.clone().unwrap_or_default();
    let api = kube::Api::<kube::api::DynamicObject>::namespaced_with(context.client.clone(), &namespace, &resource);
    let name = invalid.metadata.name.clone().unwrap_or_default();
    let Some(object) = api.get_opt(&name).await.map_err(ReconcileError::Dereference)? else {
        return Ok(Action::await_change());
    };
    let old: FarmLokalStatus =
        object.data.get("status").cloned().and_then(|status| serde_json::from_value(status).ok()).unwrap_or_default();
    let now = Time((context.clock)());
    let new = status(&old, object.metadata.generation, &Outcome::Invalid(&error), &now);
    let mut reference = object.object_ref(&resource);
    reference.api_version.get_or_insert(resource.api_version);
    report(&context.client, &context.publisher, &reference, &old, &new).await.map_err(ReconcileError::Status)?;
    context.metrics.told(&namespace, &name, false, None);
    Ok(Action::await_change())
}

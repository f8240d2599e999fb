//! One round: the steps in their order.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::core::{DeserializeGuard, error_boundary::InvalidObject};
use kube::runtime::controller::Action;
use kube::runtime::events::Recorder;
use kube::{Client, Resource as _, ResourceExt as _};
use tracing::Instrument as _;

use super::apply::{self, ApplyError};
use super::backoff::Backoff;
use super::dereference::{World, dereference};
use super::gates::{self, Gates};
use super::observe::{Scrape, seed_progress};
use super::report::report;
use super::status::{Observed, Outcome, find, status};
use super::tuner::Tuner;
use super::validate::{Defaults, Instance, InvalidSpec, validate};
use super::{build, names};
use crate::crd::{ConditionType, FarmLokal, FarmLokalStatus, Reason};
use crate::metrics::Metrics;
use crate::trace;

/// While something is under way, of which no watch tells: pods that do not start, products that are written.
const SOON: Duration = Duration::from_secs(10);
/// When something is missing, in case the watch that would tell is not there.
const LATER: Duration = Duration::from_secs(60);
/// When all is as asked. Watches tell of what changes.
const LONG: Duration = Duration::from_secs(1_800);
/// A round that takes longer is given up: an API server that does not answer must not keep others waiting.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every round needs.
pub struct Context {
    /// The API server.
    pub client: Client,
    /// Publishes events.
    pub recorder: Recorder,
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

/// Why a round ended early. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The API server did not answer, or not now.
    #[error("the API server did not do as asked: {0}")]
    Kube(#[from] kube::Error),
    /// The objects could not be applied.
    #[error("the objects could not be applied: {0}")]
    Apply(#[from] ApplyError),
    /// It took too long.
    #[error("it took longer than {PATIENCE:?}; the API server is slow or away")]
    Slow,
}

impl ReconcileError {
    /// A word for metrics.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self {
            Self::Kube(error) | Self::Apply(ApplyError::Kube(error)) => match error {
                kube::Error::Api(status) if status.code == 409 => "conflict",
                kube::Error::Api(status) if status.code == 429 => "throttled",
                kube::Error::Api(status) if status.code == 403 => "forbidden",
                kube::Error::Api(_) => "api",
                _ => "unreachable",
            },
            Self::Apply(ApplyError::Json(_)) => "bug",
            Self::Slow => "slow",
        }
    }
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
    timed.ended(result.as_ref().err().map(ReconcileError::category));
    if result.is_ok() {
        context.backoff.forget(&key(&object));
    }
    result
}

/// How long to wait after a failure.
pub fn retry(object: Arc<DeserializeGuard<FarmLokal>>, error: &ReconcileError, context: Arc<Context>) -> Action {
    let wait = context.backoff.failed(&key(&object), fastrand::f64());
    tracing::warn!(object = key(&object), %error, "to be tried again in {wait:?}");
    Action::requeue(wait)
}

fn key(object: &DeserializeGuard<FarmLokal>) -> String {
    format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// The trace to go on with: whoever applied the object says which, or else it is that of the work on this generation
/// until it is ready.
fn parent(object: &FarmLokal) -> Option<&str> {
    let status = object.status.as_ref();
    let under_way = status.filter(|status| {
        status.observed_generation == object.metadata.generation
            && find(&status.conditions, ConditionType::Ready).is_none_or(|ready| ready.status != "True")
    });
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
        context.tuner.forget(&format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()));
        // What is ours goes with it: the API server deletes what it owns.
        return Ok(Action::await_change());
    }
    let instance = match validate(object, &context.defaults) {
        Ok(instance) => instance,
        Err(invalid) => return tell(object, context, &Outcome::Invalid(&invalid), LONG).await,
    };
    let mut world = dereference(&context.client, &instance).instrument(tracing::debug_span!("dereference")).await?;
    if let Some(missing) = world.missing.take() {
        return tell(object, context, &Outcome::Missing(&instance, &missing), LATER).await;
    }
    let gates = gates::decide(&instance, &world, &object.status.clone().unwrap_or_default());
    world.seed_progress = seed_progress(&*context.scrape, &instance, &world, &gates).await;
    let applied = apply(context, &instance, &world, &gates).await?;
    context.metrics.wrote(applied.writes);
    context.tuner.look_after(&instance, object.metadata.generation);
    let troubled = !applied.foreign.is_empty() || !applied.rejected.is_empty();
    let observed = Observed { instance: &instance, world: &world, gates: &gates, applied: &applied };
    tell(object, context, &Outcome::Observed(observed), if troubled { LATER } else { LONG }).await
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
        apply::ensure_generated(&context.client, instance, context.draw).await?;
    }
    let prepared = build::build(instance, world, gates, trace::current().as_deref());
    let applied = apply::apply(&context.client, instance, world, prepared);
    Ok(applied.instrument(tracing::debug_span!("apply")).await?)
}

/// Writes the status; `settled` is when to look again if nothing is under way.
async fn tell(
    object: &FarmLokal,
    context: &Context,
    outcome: &Outcome<'_>,
    settled: Duration,
) -> Result<Action, ReconcileError> {
    let old = object.status.clone().unwrap_or_default();
    let mut new = status(&old, object.metadata.generation, outcome, &Time((context.clock)()));
    if is_new(object) {
        new.traceparent = trace::current();
    }
    report(&context.client, &context.recorder, &object.object_ref(&()), &old, &new).await?;
    let wait = if is_under_way(&new) { SOON } else { settled };
    // Spread, so that many objects do not come at once.
    Ok(Action::requeue(wait.mul_f64(1.0 + fastrand::f64() / 5.0)))
}

fn is_under_way(status: &FarmLokalStatus) -> bool {
    let ready = find(&status.conditions, ConditionType::Ready);
    let reason = ready.and_then(|ready| Reason::parse(&ready.reason));
    matches!(
        reason,
        Some(Reason::MigrationRunning | Reason::SeedRunning | Reason::RolloutInProgress | Reason::PodError)
    )
}

/// An object that cannot be read is told so, and stops nobody else.
async fn malformed(invalid: &InvalidObject, context: &Context) -> Result<Action, ReconcileError> {
    let error = InvalidSpec::Malformed(invalid.error.clone());
    let resource = kube::api::ApiResource::erase::<FarmLokal>(&());
    let namespace = invalid.metadata.namespace.clone().unwrap_or_default();
    let api = kube::Api::<kube::api::DynamicObject>::namespaced_with(context.client.clone(), &namespace, &resource);
    let name = invalid.metadata.name.clone().unwrap_or_default();
    let Some(object) = api.get_opt(&name).await? else { return Ok(Action::await_change()) };
    let old: FarmLokalStatus =
        object.data.get("status").cloned().and_then(|status| serde_json::from_value(status).ok()).unwrap_or_default();
    let now = Time((context.clock)());
    let new = status(&old, object.metadata.generation, &Outcome::Invalid(&error), &now);
    let mut reference = object.object_ref(&resource);
    reference.api_version.get_or_insert(resource.api_version);
    report(&context.client, &context.recorder, &reference, &old, &new).await?;
    Ok(Action::await_change())
}

//! Step 5: makes the cluster what it is to be, and writes nothing that is right already.
//!
//! Objects are applied by the server, under [`MANAGER`]: fields of others stay theirs, and ours are taken back from
//! whoever changed them. An object of the same name that is not ours is left alone and told of.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::{Client, ResourceExt as _};
use serde::Serialize;
use serde_json::json;

use super::build::{Prepared, Serving};
use super::cache::Cache;
use super::dereference::World;
use super::growth::limited;
use super::kind::Kind;
use super::live::{ChildName, is_ours};
use super::names::{APPLIED, MANAGER, REPLICAS_MANAGER};
use super::validate::{Instance, Scale};
use difference::{hash_of, is_as_applied};

mod applied;
mod difference;

pub use applied::{Applied, Change};

/// Why applying ended early; it is tried again later.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The API server did not answer, or not now.
    #[error(transparent)]
    Kube(#[from] kube::Error),
    /// An object could not be written down: a bug of ours.
    #[error("an object cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads only: what there is, as if it had been applied.
#[must_use]
pub fn observe(world: &World) -> Applied {
    Applied { live: world.live.clone(), ..Applied::default() }
}

/// Applies everything, in an order in which what is referred to is there first, and takes away what is no longer
/// asked for.
///
/// # Errors
///
/// When the API server does not answer. What it refuses is told in [`Applied::rejected`] instead, and stops nothing.
pub async fn apply(
    client: &Client,
    cache: &Cache,
    instance: &Instance,
    world: &World,
    prepared: Prepared,
) -> Result<Applied, ApplyError> {
    let Prepared {
        service_account,
        tuning,
        service,
        network_policy,
        volume,
        migration,
        seed,
        serving,
        ingress,
        http_route,
    } = prepared;
    let mut applier =
        Applier { client, cache, instance, held: world.held, wanted: Vec::new(), applied: observe(world) };
    applier.put(Kind::ServiceAccount, Some(service_account)).await?;
    applier.put(Kind::ConfigMap, tuning).await?;
    applier.put(Kind::Service, Some(service)).await?;
    applier.put(Kind::NetworkPolicy, network_policy).await?;
    applier.put(Kind::PersistentVolumeClaim, volume).await?;
    applier.put(Kind::Job, migration).await?;
    applier.put(Kind::Job, seed).await?;
    match serving {
        Some(Serving { config, deployment, autoscaler, disruption_budget }) => {
            applier.put(Kind::ConfigMap, Some(config)).await?;
            // Last of what pods need: one that came before its settings would be replaced at once.
            applier.put(Kind::Deployment, Some(deployment)).await?;
            applier.put(Kind::HorizontalPodAutoscaler, autoscaler).await?;
            applier.put(Kind::PodDisruptionBudget, disruption_budget).await?;
        }
        None => applier.leave_serving_alone(),
    }
    applier.put(Kind::Ingress, ingress).await?;
    applier.put(Kind::HttpRoute, http_route).await?;
    applier.sweep().await?;
    Ok(applier.applied)
}

/// Makes the Secret with what the operator generates, if there is none.
///
/// # Errors
///
/// When the API server does not answer, or refuses it.
pub async fn ensure_generated(
    client: &Client,
    instance: &Instance,
    draw: impl FnMut() -> String,
) -> Result<(), kube::Error> {
    let api = Api::namespaced(client.clone(), &instance.namespace);
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    match api.create(&params, &super::build::generated(instance, draw)).await {
        Ok(_) => Ok(()),
        // Somebody was quicker; what is there counts.
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
        Err(error) => Err(error),
    }
}

/// An object with the mark by which it is recognised as applied.
#[must_use]
pub fn marked(mut object: DynamicObject) -> DynamicObject {
    let hash = hash_of(&object);
    object.annotations_mut().insert(APPLIED.to_owned(), hash);
    object
}

struct Applier<'a> {
    client: &'a Client,
    cache: &'a Cache,
    instance: &'a Instance,
    /// How many pods there may be for now, if that is fewer than asked for.
    held: Option<i32>,
    wanted: Vec<ChildName>,
    applied: Applied,
}

impl Applier<'_> {
    async fn put<K: Serialize>(&mut self, kind: Kind, object: Option<K>) -> Result<(), ApplyError> {
        let Some(object) = object else { return Ok(()) };
        let object: DynamicObject = serde_json::from_value(serde_json::to_value(object)?)?;
        let child = (kind, object.name_any());
        self.wanted.push(child.clone());
        let api = self.api(kind);
        let live = match self.applied.live.get(kind, &child.1) {
            Some(live) => Some(live.clone()),
            // It may be there without our labels.
            None => match api.get_opt(&child.1).await {
                Ok(live) => live,
                Err(error) => return self.refused(child, error),
            },
        };
        if live.as_ref().is_some_and(|live| !is_ours(live, self.instance)) {
            self.applied.foreign.push(child);
            return Ok(());
        }
        let written = match (kind, live) {
            (Kind::Job, Some(live)) => {
                self.count(kind, Change::Unchanged);
                Ok(live)
            }
            (Kind::Job, None) => {
                self.count(kind, Change::Created);
                let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
                api.create(&params, &object).await
            }
            (_, live) => self.server_side_apply(&api, kind, object, live).await,
        };
        match written {
            Ok(now) => {
                self.cache.put(kind, &now);
                self.applied.live.insert(kind, now);
                Ok(())
            }
            Err(error) => self.refused(child, error),
        }
    }

    fn count(&mut self, kind: Kind, change: Change) {
        *self.applied.changes.entry((kind, change)).or_default() += 1;
    }

    async fn server_side_apply(
        &mut self,
        api: &Api<DynamicObject>,
        kind: Kind,
        object: DynamicObject,
        live: Option<DynamicObject>,
    ) -> Result<DynamicObject, kube::Error> {
        let mut object = marked(object);
        let change = if live.is_some() { Change::Changed } else { Change::Created };
        if let Some(live) = live {
            if is_as_applied(&object, &live) {
                self.count(kind, Change::Unchanged);
                return Ok(live);
            }
            if kind == Kind::ConfigMap {
                // The tuner writes as well: who read an older one has to look again.
                object.metadata.resource_version = live.resource_version();
            }
            if kind == Kind::Deployment {
                self.hand_over_replicas(api, &object.name_any()).await?;
            }
        }
        self.count(kind, change);
        let name = object.name_any();
        api.patch(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await
    }

    /// When an autoscaler takes over, the number of replicas must have another owner before we let go of it: a field
    /// that nobody owns goes back to its default, which is one pod.
    async fn hand_over_replicas(&mut self, api: &Api<DynamicObject>, name: &str) -> Result<(), kube::Error> {
        let Scale::Auto { min, max, .. } = limited(self.instance.scale, self.held) else { return Ok(()) };
        // Who owns what is not in the cache.
        let Some(live) = api.get_opt(name).await?.filter(difference::owns_replicas) else { return Ok(()) };
        let now = live.data.pointer("/spec/replicas").and_then(serde_json::Value::as_i64).unwrap_or_default();
        // An autoscaler leaves a Deployment alone that has none.
        let replicas = i32::try_from(now).unwrap_or(max).clamp(min, max);
        let patch = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": replicas}});
        self.count(Kind::Deployment, Change::Changed);
        api.patch(name, &PatchParams::apply(REPLICAS_MANAGER).force(), &Patch::Apply(&patch)).await?;
        Ok(())
    }

    /// Whether an error is about this one object, and the others can go on.
    fn refused(&mut self, child: ChildName, error: kube::Error) -> Result<(), ApplyError> {
        match error {
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 404 | 422) => {
                self.count(child.0, Change::Failed);
                self.applied.rejected.push((child, status.message.clone()));
                Ok(())
            }
            error => Err(error.into()),
        }
    }

    /// While gates are closed, what serves stays as it is.
    fn leave_serving_alone(&mut self) {
        let name = &self.instance.name;
        self.wanted.extend([
            (Kind::ConfigMap, self.instance.child("config")),
            (Kind::Deployment, name.clone()),
            (Kind::HorizontalPodAutoscaler, name.clone()),
            (Kind::PodDisruptionBudget, name.clone()),
        ]);
    }

    /// Deletes what is ours and no longer asked for. Jobs that have ended stay for a day, to be looked at.
    async fn sweep(&mut self) -> Result<(), ApplyError> {
        let orphans: Vec<_> = self
            .applied
            .live
            .iter()
            .filter(|(child, object)| {
                child.0.is_swept()
                    && !self.wanted.contains(child)
                    && is_ours(object, self.instance)
                    && object.metadata.deletion_timestamp.is_none()
                    && !(child.0 == Kind::Job && difference::has_ended(object))
            })
            .map(|(child, object)| (child.clone(), object.uid()))
            .collect();
        for (child, uid) in orphans {
            let params = DeleteParams::background().preconditions(Preconditions { uid, resource_version: None });
            self.count(child.0, Change::Deleted);
            match self.api(child.0).delete(&child.1, &params).await {
                Ok(_) => self.gone(&child),
                Err(kube::Error::Api(status)) if status.code == 404 => self.gone(&child),
                // It is another one by now.
                Err(kube::Error::Api(status)) if status.code == 409 => self.applied.live.remove(&child),
                Err(error) => self.refused(child, error)?,
            }
        }
        Ok(())
    }

    fn gone(&mut self, child: &ChildName) {
        self.cache.remove(&self.instance.owner(), child.0, &child.1);
        self.applied.live.remove(child);
    }

    fn api(&self, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.instance.namespace, &kind.resource())
    }
}

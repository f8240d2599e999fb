//! One window of one instance.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::{ResourceExt as _, core::DynamicObject as Object};
use tokio::time::Instant;

use super::look::look;
use super::tell::{Verdict, tell};
use super::{Tuner, Window};
use crate::controller::apply::{ApplyError, marked};
use crate::controller::build::tuning::{self, Published, published};
use crate::controller::kind::Kind;
use crate::controller::names::MANAGER;
use crate::controller::validate::{Database, Instance};

impl Tuner {
    /// Whether there is anything left to tune.
    pub(super) async fn tick(
        &self,
        instance: &Instance,
        generation: Option<i64>,
        window: &mut Window,
    ) -> Result<bool, ApplyError> {
        let Database::Server { connections, tuning, .. } = &instance.database else { return Ok(false) };
        let Some(look) = look(&self.cache, &*self.scrape, instance, tuning.mode).await else { return Ok(false) };
        // A file that somebody has spoilt is mended by the next round.
        let Some(there) = published(&look.file) else { return Ok(true) };
        let turned = window.memory.turn(&look.fleet, &there, connections, *tuning, Instant::now());
        self.metrics.decided(&turned.decision, there.file.pool_max);
        if turned.published.file != there.file
            && let Err(error) = self.publish(instance, &look.file, &turned.published).await
        {
            window.memory.forget();
            return Err(error);
        }
        let verdict = Verdict {
            seen: &turned.seen,
            decision: &turned.decision,
            mode: tuning.mode,
            available: connections.available,
            generation,
        };
        window.told = tell(&self.client, instance, window.told.as_ref(), &verdict, (self.clock)()).await?;
        Ok(window.told.is_some())
    }

    /// Publishes a file in place of the one that was seen; refused when that is not there any more.
    async fn publish(
        &self,
        instance: &Instance,
        seen: &DynamicObject,
        published: &Published,
    ) -> Result<(), ApplyError> {
        let map = serde_json::from_value::<Object>(serde_json::to_value(tuning::config_map(instance, published))?)?;
        let mut object = marked(map);
        object.metadata.resource_version = seen.resource_version();
        let resource = Kind::ConfigMap.resource();
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &instance.namespace, &resource);
        let now = api.patch(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await?;
        self.cache.put(Kind::ConfigMap, &now);
        Ok(())
    }
}

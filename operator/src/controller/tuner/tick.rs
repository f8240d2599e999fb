//! One window of one instance.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::{ResourceExt as _, core::DynamicObject as Object};
use tokio::time::Instant;

use super::look::{Look, look};
use super::tell::{Verdict, tell};
use super::{Tuner, Window};
use crate::controller::apply::{ApplyError, marked};
use crate::controller::build::tuning::{self, Published, grant, published};
use crate::controller::kind::Kind;
use crate::controller::names::MANAGER;
use crate::controller::validate::budget::Connections;
use crate::controller::validate::{Database, Instance, Tuning};
use crate::crd::TuningMode;
use crate::tune::grant::Confirmed;
use crate::tune::{Mode, Observation, Pod, Settings, State, decide};

impl Tuner {
    /// Whether there is anything left to tune.
    pub(super) async fn tick(
        &self,
        instance: &Instance,
        generation: Option<i64>,
        window: &mut Window,
    ) -> Result<bool, ApplyError> {
        let Database::Server { connections, tuning, .. } = &instance.database else { return Ok(false) };
        let Some(look) = look(&self.client, &*self.scrape, instance).await? else { return Ok(false) };
        // A file that somebody has spoilt is mended by the next round.
        let Some(there) = published(&look.file) else { return Ok(true) };
        let seen = observe(window, &look, &there);
        let state = remembered(window.state.take(), &there, &look);
        let (decision, next) = decide(&state, &seen, &settings(connections, *tuning));
        self.metrics.decided(&decision, there.file.pool_max);
        let file = self.publish(instance, connections, tuning.mode, there, &look, &next).await?;
        window.state = Some(granted(next, file.pool_max, &look));
        let verdict = Verdict {
            seen: &seen,
            decision: &decision,
            mode: tuning.mode,
            available: connections.available,
            generation,
        };
        window.told = tell(&self.client, instance, window.told.as_ref(), &verdict, (self.clock)()).await?;
        Ok(window.told.is_some())
    }

    /// Publishes what was decided, if it is another size, or others may have it. The file that counts now.
    async fn publish(
        &self,
        instance: &Instance,
        connections: &Connections,
        mode: TuningMode,
        mut there: Published,
        look: &Look,
        next: &State,
    ) -> Result<farmlokal_telemetry::tuning::Tuning, ApplyError> {
        if mode != TuningMode::Auto {
            return Ok(there.file);
        }
        for (uid, sample) in &look.samples {
            let said = Confirmed { generation: sample.generation, connections: sample.applied };
            there.memory.ledger.confirm(uid, said);
        }
        there.memory.ledger.retain(|uid| look.existing.iter().any(|existing| existing == uid));
        let before = there.file.clone();
        let mut new = grant(Some(there), next.pool_max, connections);
        if new.file == before {
            return Ok(before);
        }
        new.memory.state = next.clone();
        let map = serde_json::from_value::<Object>(serde_json::to_value(tuning::config_map(instance, &new))?)?;
        let mut object = marked(map);
        object.metadata.resource_version = look.file.resource_version();
        let resource = Kind::ConfigMap.resource();
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &instance.namespace, &resource);
        api.patch(&object.name_any(), &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await?;
        Ok(new.file)
    }
}

/// What happened since the window before.
fn observe(window: &mut Window, look: &Look, there: &Published) -> Observation {
    let now = Instant::now();
    let pods: Vec<_> = look
        .samples
        .iter()
        .map(|(uid, sample)| Pod {
            uid: uid.clone(),
            now: sample.clone(),
            before: window.samples.get(uid).map(|(before, at)| (before.clone(), (now - *at).as_secs_f64())),
        })
        .collect();
    window.samples = look.samples.iter().map(|(uid, sample)| (uid.clone(), (sample.clone(), now))).collect();
    Observation::of(look.ready, look.scaling, Some(&there.file), &pods)
}

/// What is remembered, if it still is about the file that is there.
fn remembered(kept: Option<State>, there: &Published, look: &Look) -> State {
    let state = kept.unwrap_or_else(|| there.memory.state.clone());
    // A size of 0: nothing has been decided yet.
    if state.pool_max == 0 || state.pool_max == there.file.pool_max {
        return state;
    }
    State::new(look.ready, there.file.pool_max)
}

/// What is remembered when another size was published than was decided on.
fn granted(next: State, pool_max: u32, look: &Look) -> State {
    if pool_max == next.pool_max {
        return next;
    }
    State { pool_max, connections: pool_max.saturating_mul(look.ready), ..next }
}

fn settings(connections: &Connections, tuning: Tuning) -> Settings {
    Settings {
        mode: match tuning.mode {
            TuningMode::Off => Mode::Off,
            TuningMode::Observe => Mode::Observe,
            TuningMode::Auto => Mode::Auto,
        },
        wait_target: tuning.wait_target.as_secs_f64(),
        // Where shares are lent, a pod has at least what it begins with.
        min_per_pod: if connections.is_elastic { connections.boot } else { connections.min_per_pod },
        max_per_pod: connections.per_pod_cap,
    }
}

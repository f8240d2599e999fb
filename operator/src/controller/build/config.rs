//! Two ConfigMaps: the settings, of which a change replaces the pods, and the tuning file, of which one does not.

use farmlokal_telemetry::tuning::{FILE_NAME, Tuning};
use k8s_openapi::api::core::v1::ConfigMap;

use super::metadata;
use crate::controller::dereference::World;
use crate::controller::kind::Kind;
use crate::controller::live::Live;
use crate::controller::validate::budget::Connections;
use crate::controller::validate::{Database, Instance};
use crate::crd::TuningMode;

/// The settings, as environment variables.
pub(super) fn settings(instance: &Instance) -> ConfigMap {
    ConfigMap {
        metadata: metadata(instance, name(instance)),
        data: Some(instance.settings.clone()),
        ..ConfigMap::default()
    }
}

/// The tuning file. What the tuner wrote stays, as long as the budget allows it.
pub(super) fn tuning(instance: &Instance, world: &World) -> Option<ConfigMap> {
    let Database::Server { connections, tuning, .. } = &instance.database else { return None };
    let written = tuning_of(instance, &world.live);
    let text = serde_json::to_string(&allowed(written, connections, *tuning)).unwrap_or_default();
    Some(ConfigMap {
        metadata: metadata(instance, tuning_name(instance)),
        data: Some([(FILE_NAME.to_owned(), text)].into()),
        ..ConfigMap::default()
    })
}

/// The tuning file as it is now, if it is there and whole.
#[must_use]
pub fn tuning_of(instance: &Instance, live: &Live) -> Option<Tuning> {
    let object = live.get(Kind::ConfigMap, &tuning_name(instance))?;
    Tuning::parse(object.data.get("data")?.get(FILE_NAME)?.as_str()?).ok()
}

/// What was written, if it is within the budget; otherwise what is, as the next generation.
fn allowed(written: Option<Tuning>, connections: &Connections, mode: TuningMode) -> Tuning {
    let [boot, cap] = [connections.boot, connections.per_pod_cap].map(|limit| u32::try_from(limit).unwrap_or(1));
    let Some(written) = written else { return Tuning { generation: 1, pool_max: boot, boot: None, pods: None } };
    let right = match mode {
        TuningMode::Auto => written.pool_max.min(cap),
        TuningMode::Off | TuningMode::Observe => boot,
    };
    if right == written.pool_max {
        return written;
    }
    Tuning { generation: written.generation + 1, pool_max: right, ..written }
}

pub(super) fn name(instance: &Instance) -> String {
    instance.child("config")
}

pub(super) fn tuning_name(instance: &Instance) -> String {
    instance.child("tuning")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crd::{Budget, Tuning as Wanted};

    #[test]
    fn the_file_follows_the_tuner_within_the_budget() {
        let connections = Connections::divide(&Budget::default(), &Wanted::default(), 2).unwrap();
        let cap = u32::try_from(connections.per_pod_cap).unwrap();
        let file = |generation, pool_max| Tuning { generation, pool_max, boot: None, pods: None };
        let written = |pool_max| Some(file(7, pool_max));
        for (written, mode, expected) in [
            (None, TuningMode::Auto, file(1, cap)),
            (written(3), TuningMode::Auto, file(7, 3)),
            (written(cap + 1), TuningMode::Auto, file(8, cap)),
            (written(3), TuningMode::Off, file(8, cap)),
            (written(cap), TuningMode::Observe, file(7, cap)),
        ] {
            assert_eq!(allowed(written, &connections, mode), expected, "{mode:?}");
        }
    }
}

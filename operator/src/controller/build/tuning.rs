//! The tuning file, which changes while pods run, and what the tuner must not forget: one object, so that they cannot
//! disagree.

use farmlokal_telemetry::tuning::{FILE_NAME, Tuning};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use serde::{Deserialize, Serialize};

use super::metadata;
use crate::controller::dereference::World;
use crate::controller::kind::Kind;
use crate::controller::names::TUNER_MEMORY;
use crate::controller::validate::budget::Connections;
use crate::controller::validate::{Database, Instance};
use crate::crd::TuningMode;
use crate::tune::State;
use crate::tune::grant::Ledger;

/// What is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The file.
    pub file: Tuning,
    /// What it follows from.
    pub memory: Memory,
}

/// What the tuner must not forget.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// What it has learnt; a restart costs what came after the last change.
    pub state: State,
    /// What was promised to whom, where shares are lent.
    pub ledger: Ledger,
}

/// The file as it is to be: what the tuner wrote stays, as long as the budget allows it.
pub(super) fn build(instance: &Instance, world: &World) -> Option<ConfigMap> {
    let Database::Server { connections, tuning, .. } = &instance.database else { return None };
    let there = world.live.get(Kind::ConfigMap, &name(instance)).and_then(published);
    let wished = match (tuning.mode, &there) {
        (TuningMode::Auto, Some(there)) => there.file.pool_max,
        (TuningMode::Auto, None) | (TuningMode::Off | TuningMode::Observe, _) => connections.boot,
    };
    Some(config_map(instance, &grant(there, wished, connections)))
}

/// `wished` connections a pod, as far as the budget allows; the file that is there if that says the same.
#[must_use]
pub fn grant(there: Option<Published>, wished: u32, connections: &Connections) -> Published {
    let (last, mut memory) = there.map(|there| (Some(there.file), there.memory)).unwrap_or_default();
    if let Some(elastic) = connections.elastic() {
        if memory.ledger == Ledger::default() {
            memory.ledger = last.map(Ledger::resumed).unwrap_or_default();
        }
        return Published { file: memory.ledger.grant(wished, &elastic), memory };
    }
    // Whoever lends again begins a new ledger.
    memory.ledger = Ledger::default();
    let pool_max = wished.clamp(1, connections.per_pod_cap.max(1));
    let generation = last.as_ref().map_or(0, |last| last.generation);
    let next = Tuning { generation: generation + 1, pool_max, boot: None, pods: None };
    let same = last.filter(|last| Tuning { generation, ..next.clone() } == *last);
    Published { file: same.unwrap_or(next), memory }
}

/// The object that publishes it.
#[must_use]
pub fn config_map(instance: &Instance, published: &Published) -> ConfigMap {
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
    let mut metadata = metadata(instance, name(instance));
    let memory = json(serde_json::to_string(&published.memory));
    metadata.annotations = Some([(TUNER_MEMORY.to_owned(), memory)].into());
    let file = json(serde_json::to_string(&published.file));
    ConfigMap { metadata, data: Some([(FILE_NAME.to_owned(), file)].into()), ..ConfigMap::default() }
}

/// What an object publishes; `None` when somebody has spoilt the file.
#[must_use]
pub fn published(object: &DynamicObject) -> Option<Published> {
    let file = Tuning::parse(object.data.get("data")?.get(FILE_NAME)?.as_str()?).ok()?;
    let memory = object.annotations().get(TUNER_MEMORY).and_then(|text| serde_json::from_str(text).ok());
    Some(Published { file, memory: memory.unwrap_or_default() })
}

/// Its name.
#[must_use]
pub fn name(instance: &Instance) -> String {
    instance.child("tuning")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crd::{Budget, BudgetMode, Tuning as Asked};

    fn connections(budget_mode: BudgetMode) -> Connections {
        let asked = Asked { budget_mode: Some(budget_mode), ..Asked::default() };
        Connections::divide(&Budget::default(), &asked, 2).unwrap()
    }

    fn file(generation: u64, pool_max: u32) -> Tuning {
        Tuning { generation, pool_max, boot: None, pods: None }
    }

    #[test]
    fn a_share_is_never_exceeded_and_equal_files_are_not_written_again() {
        let worst_case = connections(BudgetMode::WorstCase);
        let there = |pool_max| Some(Published { file: file(7, pool_max), memory: Memory::default() });
        for (there, wished, expected) in [
            (None, 22, file(1, 22)),
            (there(3), 3, file(7, 3)),
            (there(3), 5, file(8, 5)),
            (there(99), 99, file(8, 22)),
            (there(3), 0, file(8, 1)),
        ] {
            assert_eq!(grant(there, wished, &worst_case).file, expected, "{wished}");
        }
    }

    #[test]
    fn lending_begins_with_what_everybody_may_have_anyhow() {
        let elastic = connections(BudgetMode::Elastic);
        let first = grant(None, 50, &elastic);
        assert_eq!((first.file.generation, first.file.pool_max, first.file.boot), (1, 11, Some(11)));
        assert_eq!(grant(Some(first.clone()), 11, &elastic), first);
        let from_shares = grant(Some(Published { file: file(7, 22), memory: Memory::default() }), 22, &elastic);
        assert_eq!((from_shares.file.generation, from_shares.file.pool_max), (8, 11), "generations go on");
        let back = grant(Some(from_shares), 22, &connections(BudgetMode::WorstCase));
        assert_eq!(back.file, file(9, 22));
    }
}

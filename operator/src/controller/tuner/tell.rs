//! What people are told of the tuning: when something turns, not what is measured.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::super::names::TUNER;
use super::super::status::{Conditions, OTHERS, find};
use super::super::validate::Instance;
use crate::crd::{ConditionType, FarmLokal, FarmLokalStatus, LastDecision, Reason, TuningMode, TuningStatus};
use crate::tune::{self, Action, Decision, Observation};

/// What a window came to.
pub(super) struct Verdict<'a> {
    pub(super) seen: &'a Observation,
    pub(super) decision: &'a Decision,
    pub(super) mode: TuningMode,
    /// Connections there are for pools.
    pub(super) available: u32,
    /// That of the object.
    pub(super) generation: Option<i64>,
}

/// Writes what turned, and returns what is said now; `None` when the object is gone.
pub(super) async fn tell(
    client: &Client,
    instance: &Instance,
    told: Option<&FarmLokalStatus>,
    verdict: &Verdict<'_>,
    now: Timestamp,
) -> Result<Option<FarmLokalStatus>, kube::Error> {
    let resource = ApiResource::erase::<FarmLokal>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &instance.namespace, &resource);
    let old = match told {
        Some(told) => told.clone(),
        None => {
            let Some(object) = api.get_opt(&instance.name).await? else { return Ok(None) };
            let status = object.data.get("status").cloned().unwrap_or_default();
            others(serde_json::from_value(status).unwrap_or_default())
        }
    };
    let new = status(&old, verdict, &Time(now));
    if new == old {
        return Ok(Some(old));
    }
    let last = new.tuning.as_ref().and_then(|tuning| tuning.last_decision.as_ref());
    let mut status = json!({"conditions": new.conditions});
    if let Some(last) = last {
        status["tuning"] = json!({"lastDecision": last});
    }
    let patch = json!({"apiVersion": resource.api_version, "kind": resource.kind, "status": status});
    match api.patch_status(&instance.name, &PatchParams::apply(TUNER).force(), &Patch::Apply(&patch)).await {
        Ok(_) => Ok(Some(new)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

/// The part of a status that is the tuner's.
fn others(status: FarmLokalStatus) -> FarmLokalStatus {
    let ours = |name: &str| OTHERS.iter().any(|other| other.to_string() == name);
    let last_decision = status.tuning.and_then(|tuning| tuning.last_decision);
    FarmLokalStatus {
        conditions: status.conditions.into_iter().filter(|it| ours(&it.type_)).collect(),
        tuning: last_decision.map(|last| TuningStatus { last_decision: Some(last), ..TuningStatus::default() }),
        ..FarmLokalStatus::default()
    }
}

fn status(old: &FarmLokalStatus, verdict: &Verdict<'_>, now: &Time) -> FarmLokalStatus {
    let mut conditions = Conditions::new(old.conditions.clone(), verdict.generation, now);
    tell_tuned(&mut conditions, verdict);
    tell_budget(&mut conditions, verdict.seen, verdict.available);
    tell_saturated(&mut conditions, old, verdict.decision.reason);
    let Decision { action, reason, from, to, .. } = verdict.decision;
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let decided = LastDecision {
        action: format!("{action:?}"),
        reason: reason.sentence().to_owned(),
        from: number(*from),
        to: number(*to),
        at: now.clone(),
    };
    // What would be done is the same in each window until something is done.
    let last = old.tuning.as_ref().and_then(|tuning| tuning.last_decision.clone());
    let repeated = last.as_ref().is_some_and(|last| LastDecision { at: last.at.clone(), ..decided.clone() } == *last);
    let last = if *action == Action::Hold || repeated { last } else { Some(decided) };
    FarmLokalStatus {
        conditions: conditions.into_sorted(),
        tuning: last.map(|last| TuningStatus { last_decision: Some(last), ..TuningStatus::default() }),
        ..FarmLokalStatus::default()
    }
}

fn tell_tuned(conditions: &mut Conditions<'_>, verdict: &Verdict<'_>) {
    let about = ConditionType::Tuned;
    let said = verdict.decision.reason.sentence().to_owned();
    match verdict.decision.reason {
        tune::Reason::Off => conditions.no(about, Reason::Off, said),
        tune::Reason::Scaling | tune::Reason::NoPods => conditions.unknown(about, Reason::Frozen, said),
        tune::Reason::StaleMetrics | tune::Reason::Unconfirmed => conditions.unknown(about, Reason::StaleMetrics, said),
        _ if verdict.mode == TuningMode::Observe => {
            conditions.yes(about, Reason::Observing, "it is decided and told, and not done");
        }
        _ => conditions.yes(about, Reason::AsAsked, "sizes follow from what pods tell"),
    }
}

fn tell_budget(conditions: &mut Conditions<'_>, seen: &Observation, available: u32) {
    let about = ConditionType::WithinBudget;
    if seen.refused > 0 {
        let message = "the database refuses connections although pods are within the budget: somebody else uses them, \
                       or its max_connections is below database.budget.connections";
        conditions.no(about, Reason::ForeignConnections, message.to_owned());
    } else if seen.applied > available {
        let message = "pods still hold more than the budget has; they give it back as requests end";
        conditions.no(about, Reason::ShrinkPending, message.to_owned());
    } else {
        conditions.yes(about, Reason::AsAsked, "pods hold no more connections than there are for them");
    }
}

/// It stays until callers wait no longer, or more connections pay again: a window that says nothing ends nothing.
fn tell_saturated(conditions: &mut Conditions<'_>, old: &FarmLokalStatus, reason: tune::Reason) {
    let about = ConditionType::DatabaseSaturated;
    let ends = matches!(
        reason,
        tune::Reason::Content | tune::Reason::Unused | tune::Reason::Waiting | tune::Reason::Pays | tune::Reason::Off
    );
    let was = find(&old.conditions, about).is_some_and(|condition| condition.status == "True");
    if reason.is_saturation() || (was && !ends) {
        let message = "callers wait, and more connections no longer serve more of them: the database is too small; \
                       more pods do not help either";
        conditions.yes(about, Reason::Saturated, message);
    } else {
        conditions.no(about, Reason::AsAsked, "nothing tells that the database is too small".to_owned());
    }
}

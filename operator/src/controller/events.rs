//! Events, told when something turns and not while it stays.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::events::{Event, EventType};

use super::status::find;
use crate::crd::{ConditionType, FarmLokalStatus};

/// Conditions whose turns are told, with what is being done about them.
const TOLD: [(ConditionType, &str); 7] = [
    (ConditionType::SpecValid, "Validate"),
    (ConditionType::DependenciesReady, "Dereference"),
    (ConditionType::Migrated, "Migrate"),
    (ConditionType::Seeded, "Seed"),
    (ConditionType::Available, "Serve"),
    (ConditionType::Paused, "Reconcile"),
    (ConditionType::Ready, "Reconcile"),
];

/// Reasons whose events are warnings.
const WORRYING: [&str; 14] = [
    "Malformed",
    "InvalidSpec",
    "DeprecatedSetting",
    "BudgetTooSmall",
    "SecretNotFound",
    "SecretKeyMissing",
    "SecretInvalid",
    "ForeignObject",
    "Rejected",
    "GatewayApiMissing",
    "MigrationFailed",
    "MigrationDeadlineExceeded",
    "SeedFailed",
    "PodError",
];

/// A note may have 1,024 bytes.
const LONGEST_NOTE: usize = 1_000;

/// What turned between two statuses. Ready repeats what another condition said, so it is told only of what no other
/// one tells.
#[must_use]
pub fn edges(old: &FarmLokalStatus, new: &FarmLokalStatus) -> Vec<Event> {
    let mut told: Vec<(String, Event)> = Vec::new();
    for (about, action) in TOLD {
        let Some(now) = find(&new.conditions, about) else { continue };
        let turned = turned(find(&old.conditions, about), now, about);
        if turned && !told.iter().any(|(reason, _)| *reason == now.reason) {
            told.push((now.reason.clone(), event(about, action, now)));
        }
    }
    told.into_iter().map(|(_, event)| event).collect()
}

fn turned(old: Option<&Condition>, now: &Condition, about: ConditionType) -> bool {
    match old {
        Some(old) => old.status != now.status || old.reason != now.reason,
        // That all is well from the beginning is worth no word, except that it is ready.
        None => is_bad(now, about) || about == ConditionType::Ready || WORRYING.contains(&now.reason.as_str()),
    }
}

fn is_bad(condition: &Condition, about: ConditionType) -> bool {
    (condition.status == "True") == (about == ConditionType::Paused)
}

fn event(about: ConditionType, action: &str, now: &Condition) -> Event {
    let worrying = WORRYING.contains(&now.reason.as_str());
    // "AsAsked" alone says nothing in a list of events.
    let reason = if now.reason == "AsAsked" { about.to_string() } else { now.reason.clone() };
    Event {
        type_: if worrying { EventType::Warning } else { EventType::Normal },
        reason,
        note: Some(
            now.message
                .chars()
                .scan(0, |bytes, c| {
                    *bytes += c.len_utf8();
                    (*bytes <= LONGEST_NOTE).then_some(c)
                })
                .collect(),
        ),
        action: action.to_owned(),
        secondary: None,
    }
}

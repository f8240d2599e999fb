//! What the operator is allowed is what it does: no more, no less.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::api::{Call, Verb};
use crate::played;
use crate::rounds::cases;

/// Verbs by group and resource.
type Permissions = BTreeMap<(String, String), BTreeSet<String>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    api_groups: Vec<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
}

/// What no call to the server shows: the right to say that a child keeps its owner from going first, which some clusters
/// ask for; and what only a cluster with the Gateway API has.
const UNSEEN: [(&str, &str); 2] =
    [("farmlokal.dev", "farmlokals/finalizers"), ("gateway.networking.k8s.io", "httproutes")];

fn allowed(rules: &str) -> Permissions {
    let rules: Vec<Rule> = serde_saphyr::from_str(rules).unwrap();
    let mut allowed = Permissions::new();
    for rule in rules {
        for group in &rule.api_groups {
            for resource in &rule.resources {
                allowed.entry((group.clone(), resource.clone())).or_default().extend(rule.verbs.iter().cloned());
            }
        }
    }
    allowed.retain(|(group, resource), _| !UNSEEN.contains(&(group, resource)));
    allowed
}

fn seen(calls: impl IntoIterator<Item = Call>) -> Permissions {
    let mut seen = Permissions::new();
    for call in calls {
        let verbs = seen.entry((call.group, call.resource)).or_default();
        verbs.insert(format!("{:?}", call.verb).to_lowercase());
        // The API server wants both of who applies: there may be nothing to patch.
        if call.applies && call.verb == Verb::Patch {
            verbs.insert("create".to_owned());
        }
    }
    seen.retain(|(group, resource), _| !UNSEEN.contains(&(group, resource)));
    seen
}

/// All cases, and an operator that works by itself.
#[tokio::test]
async fn the_chart_allows_what_is_done() {
    let mut calls = crate::watching::calls_of_a_working_operator().await;
    for (_, case) in cases::ALL {
        let (bench, api) = played::bench();
        case(&bench).await;
        calls.extend(api.take_calls());
    }
    let rules = include_str!("../../../charts/farmlokal-operator/files/permissions.yaml");
    let own = calls.into_iter().filter(|call| call.by_operator);
    assert_eq!(seen(own), allowed(rules));
}

#[tokio::test]
async fn the_chart_allows_to_lead() {
    let calls = crate::leadership::calls_of_a_turn().await;
    let rules = include_str!("../../../charts/farmlokal-operator/files/leader-permissions.yaml");
    assert_eq!(seen(calls), allowed(rules));
}

//! `farmlokal-operator explain`: why the pools of an object have the size they have.

use std::fmt::Write as _;

use kube::{Api, Client, Config};

use super::CommandError;
use crate::cli::Explain;
use crate::controller::status::find;
use crate::crd::{ConditionType, FarmLokal};

pub(super) async fn run(options: Explain) -> Result<String, CommandError> {
    let client = Client::try_from(Config::infer().await?)?;
    let namespace = options.namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    let object = Api::<FarmLokal>::namespaced(client, &namespace).get(&options.name).await?;
    Ok(explain(&object))
}

/// In sentences, from what the status has.
fn explain(object: &FarmLokal) -> String {
    let status = object.status.clone().unwrap_or_default();
    let (Some(tuning), Some(budget)) = (&status.tuning, &status.budget) else {
        return "There are no pools to tune: the database is embedded, or nothing was applied yet.\n".to_owned();
    };
    let mut text = format!(
        "Each pod may open {} connections (tuning file {}).\n\
         There are {} for the pools of {} pods at the most, so {} for each at the most.\n",
        tuning.pool_max, tuning.generation, budget.connections, budget.worst_case_pods, budget.per_pod_cap
    );
    match &tuning.last_decision {
        Some(last) => {
            let _ = writeln!(
                text,
                "Last decision, {}: {}, from {} to {} connections of all pods, because {}.",
                last.at.0, last.action, last.from, last.to, last.reason
            );
        }
        None => text.push_str("Nothing has been decided yet.\n"),
    }
    for about in [ConditionType::Tuned, ConditionType::WithinBudget, ConditionType::DatabaseSaturated] {
        if let Some(condition) = find(&status.conditions, about) {
            let _ = writeln!(text, "{about}: {} ({}): {}", condition.status, condition.reason, condition.message);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crd::{BudgetStatus, FarmLokalSpec, FarmLokalStatus, TuningStatus};

    #[test]
    fn it_says_who_gets_what() {
        let mut object = FarmLokal::new("shop", FarmLokalSpec::default());
        assert!(explain(&object).contains("no pools"));
        object.status = Some(FarmLokalStatus {
            budget: Some(BudgetStatus {
                connections: 91,
                worst_case_pods: 4,
                per_pod_cap: 22,
                summary: "44/91".to_owned(),
            }),
            tuning: Some(TuningStatus { pool_max: 22, generation: 1, last_decision: None }),
            ..FarmLokalStatus::default()
        });
        let text = explain(&object);
        assert!(text.contains("22 connections") && text.contains("Nothing has been decided"), "{text}");
    }
}

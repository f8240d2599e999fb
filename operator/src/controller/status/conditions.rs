//! Conditions that keep the time when they turned.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::crd::{ConditionType, Reason};

/// Conditions that the tuner writes, under a field manager of its own.
pub const OTHERS: [ConditionType; 3] =
    [ConditionType::Tuned, ConditionType::WithinBudget, ConditionType::DatabaseSaturated];

/// A condition by its type.
#[must_use]
pub fn find(conditions: &[Condition], about: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == about.to_string())
}

/// New conditions over old ones. What is not said again stays as it was.
#[derive(Debug)]
pub struct Conditions<'a> {
    generation: Option<i64>,
    now: &'a Time,
    all: Vec<Condition>,
}

impl<'a> Conditions<'a> {
    /// Begins with `old`.
    #[must_use]
    pub fn new(old: Vec<Condition>, generation: Option<i64>, now: &'a Time) -> Self {
        Self { generation, now, all: old }
    }

    /// It is so.
    pub fn yes(&mut self, about: ConditionType, reason: Reason, message: &str) {
        self.set(about, "True", reason, message.to_owned());
    }

    /// It is not so.
    pub fn no(&mut self, about: ConditionType, reason: Reason, message: String) {
        self.set(about, "False", reason, message);
    }

    /// It is not known.
    pub fn unknown(&mut self, about: ConditionType, reason: Reason, message: String) {
        self.set(about, "Unknown", reason, message);
    }

    /// Why something is not so, if it is not.
    pub(super) fn failing(&self, about: ConditionType) -> Option<(Reason, String)> {
        let condition = find(&self.all, about).filter(|condition| condition.status != "True")?;
        Some((Reason::parse(&condition.reason)?, condition.message.clone()))
    }

    fn set(&mut self, about: ConditionType, status: &str, reason: Reason, message: String) {
        let type_ = about.to_string();
        let old = self.all.iter().position(|condition| condition.type_ == type_).map(|at| self.all.swap_remove(at));
        let since = old.filter(|old| old.status == status).map(|old| old.last_transition_time);
        self.all.push(Condition {
            type_,
            status: status.to_owned(),
            reason: reason.to_string(),
            message,
            observed_generation: self.generation,
            last_transition_time: since.unwrap_or_else(|| self.now.clone()),
        });
    }

    /// In an order that does not depend on what happened.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Condition> {
        self.all.sort_by(|one, other| one.type_.cmp(&other.type_));
        self.all
    }
}

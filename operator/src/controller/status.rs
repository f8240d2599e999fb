//! Step 6, pure: what to tell people, from what there is.
//!
//! The same world twice gives an equal status, so that an equal one is never written.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::apply::Applied;
use super::build::tuning;
use super::dereference::{Missing, World};
use super::gates::{Gates, State};
use super::kind::Kind;
use super::names::Component;
use super::validate::{Database, Instance, InvalidSpec, Scale};
use crate::crd::{BudgetStatus, ConditionType, EffectiveStatus, FarmLokalStatus, Reason, TuningStatus};
use rollout::Rollout;

mod conditions;
mod rollout;
mod work;

pub use conditions::{Conditions, OTHERS, find};
pub use rollout::is_settled;

/// How a reconciliation ended.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// What is asked for cannot be had.
    Invalid(&'a InvalidSpec),
    /// Secrets are not there; what serves is left alone.
    Missing(&'a Instance, &'a Missing),
    /// It was applied, as far as it could be.
    Observed(Observed<'a>),
}

/// What there is, and what it is measured by.
#[derive(Debug)]
pub struct Observed<'a> {
    /// What is asked for.
    pub instance: &'a Instance,
    /// What there was.
    pub world: &'a World,
    /// How far the work is.
    pub gates: &'a Gates,
    /// What there is now.
    pub applied: &'a Applied,
}

/// The status, from the one before, which keeps what is remembered and when conditions turned.
#[must_use]
pub fn status(old: &FarmLokalStatus, generation: Option<i64>, outcome: &Outcome<'_>, now: &Time) -> FarmLokalStatus {
    let mut conditions = Conditions::new(own(old).conditions, generation, now);
    let mut status = FarmLokalStatus { observed_generation: generation, ..own(old) };
    match outcome {
        Outcome::Invalid(invalid) => {
            let message = invalid.to_string();
            conditions.no(ConditionType::SpecValid, invalid.reason(), message.clone());
            conditions.no(ConditionType::Ready, invalid.reason(), message);
        }
        Outcome::Missing(instance, missing) => {
            valid(&mut conditions, instance);
            let message = missing.to_string();
            conditions.no(ConditionType::DependenciesReady, missing.reason(), message.clone());
            conditions.no(ConditionType::Ready, missing.reason(), message);
        }
        Outcome::Observed(observed) => observed.tell(old, &mut status, &mut conditions),
    }
    status.conditions = conditions.into_sorted();
    status
}

/// The part of a status that a reconciliation writes; the rest is the tuner's.
#[must_use]
pub fn own(status: &FarmLokalStatus) -> FarmLokalStatus {
    let mut own = status.clone();
    own.conditions.retain(|condition| !OTHERS.iter().any(|other| other.to_string() == condition.type_));
    if let Some(tuning) = &mut own.tuning {
        tuning.last_decision = None;
    }
    own
}

fn valid(conditions: &mut Conditions<'_>, instance: &Instance) {
    match instance.warnings.as_slice() {
        [] => conditions.yes(ConditionType::SpecValid, Reason::AsAsked, "what is asked for can be had"),
        warnings => conditions.yes(ConditionType::SpecValid, Reason::DeprecatedSetting, &warnings.join("; ")),
    }
    if instance.paused {
        let message = "nothing is changed; set spec.paused to false to go on";
        conditions.yes(ConditionType::Paused, Reason::Paused, message);
    } else {
        conditions.no(ConditionType::Paused, Reason::Active, "changes are made as asked".to_owned());
    }
}

impl Observed<'_> {
    fn tell(&self, old: &FarmLokalStatus, status: &mut FarmLokalStatus, conditions: &mut Conditions<'_>) {
        let rollout = Rollout::of(self.instance, &self.applied.live, &self.world.pods);
        valid(conditions, self.instance);
        conditions.yes(ConditionType::DependenciesReady, Reason::AsAsked, "the Secrets are there, with their keys");
        self.tell_of_migration(conditions);
        self.tell_of_seed(conditions, &rollout);
        self.tell_of_pods(conditions, &rollout);
        self.tell_readiness(conditions, &rollout);
        status.replicas = Some(rollout.replicas);
        status.ready_replicas = Some(rollout.ready);
        status.replica_summary = Some(format!("{}/{}", rollout.ready, self.wanted(&rollout)));
        status.selector = Some(rollout.selector.clone());
        status.version = rollout.version.clone().or_else(|| old.version.clone());
        status.url = Some(self.instance.url());
        status.migration = self.gates.migration.as_ref().map(|step| self.migration_status(step, old));
        status.seed = self.seed_status(old);
        (status.budget, status.tuning) = self.pools(&rollout).unzip();
        status.effective = Some(effective(self.instance));
    }

    /// The pods that are asked for, whether they may come by now or not.
    fn wanted(&self, rollout: &Rollout) -> i32 {
        match self.instance.scale {
            Scale::Fixed(replicas) => replicas,
            Scale::Stopped | Scale::Auto { .. } => rollout.wanted,
        }
    }

    fn tell_of_migration(&self, conditions: &mut Conditions<'_>) {
        let about = ConditionType::Migrated;
        let Some(step) = &self.gates.migration else {
            return conditions.yes(
                about,
                Reason::Embedded,
                "the process brings its own tables up to date at its start",
            );
        };
        let job = &step.job;
        match &step.state {
            State::Done { .. } => conditions.yes(about, Reason::AsAsked, "the tables are those of the image"),
            State::Waiting => conditions.no(about, Reason::Stopped, "it is done when spec.stopped is false".to_owned()),
            State::Running => conditions.no(about, Reason::MigrationRunning, format!("the Job {job} is under way")),
            State::Failed { message, too_long, .. } => {
                let reason = if *too_long { Reason::MigrationDeadlineExceeded } else { Reason::MigrationFailed };
                conditions.no(about, reason, failed(job, message));
            }
        }
    }

    fn tell_of_seed(&self, conditions: &mut Conditions<'_>, rollout: &Rollout) {
        let about = ConditionType::Seeded;
        let Some(step) = &self.gates.seed else {
            return match (&self.instance.database, self.instance.seed.rows) {
                (Database::Embedded { .. }, rows) if rows > 0 && !rollout.is_available => {
                    conditions.no(about, Reason::SeedRunning, "the process fills its database before it serves".into());
                }
                (Database::Embedded { .. }, rows) if rows > 0 => {
                    conditions.yes(about, Reason::Embedded, "the process has filled its database");
                }
                _ => conditions.yes(about, Reason::NotRequested, "no products were asked for"),
            };
        };
        let job = &step.job;
        match &step.state {
            State::Done { .. } => conditions.yes(about, Reason::AsAsked, "the products are there"),
            State::Waiting => {
                conditions.no(about, Reason::WaitingForMigration, "it begins when there are tables".into())
            }
            State::Running => {
                let far = self.world.seed_progress.map(|(done, of)| format!(": {done} of {of} products are there"));
                let message = format!("the Job {job} is under way{}", far.unwrap_or_default());
                conditions.no(about, Reason::SeedRunning, message);
            }
            State::Failed { message, .. } => conditions.no(about, Reason::SeedFailed, failed(job, message)),
        }
    }

    fn tell_of_pods(&self, conditions: &mut Conditions<'_>, rollout: &Rollout) {
        let about = ConditionType::Available;
        if self.instance.scale == Scale::Stopped {
            conditions.no(about, Reason::Stopped, "no pods are wanted; set spec.stopped to false for some".to_owned());
        } else if rollout.is_available {
            conditions.yes(about, Reason::AsAsked, "pods serve");
        } else {
            let (reason, message) = rollout.why_not();
            conditions.no(about, reason, message);
        }
    }

    /// Ready is what the first of these says that is not as it should be.
    fn tell_readiness(&self, conditions: &mut Conditions<'_>, rollout: &Rollout) {
        let about = ConditionType::Ready;
        if let Some((kind, name)) = self.applied.foreign.first() {
            let message = format!(
                "there is a {kind} {name} that is not ours, and it is left alone: delete it, or give this object another name"
            );
            return conditions.no(about, Reason::ForeignObject, message);
        }
        if let Some(((kind, name), said)) = self.applied.rejected.first() {
            let reason = if kind.is_optional() && said.contains("not found") {
                Reason::GatewayApiMissing
            } else {
                Reason::Rejected
            };
            return conditions.no(about, reason, format!("the API server refuses the {kind} {name}: {said}"));
        }
        for needed in [ConditionType::Migrated, ConditionType::Available] {
            if let Some((reason, message)) = conditions.failing(needed) {
                return conditions.no(about, reason, message);
            }
        }
        if let (Some(held), Scale::Fixed(asked), true) = (self.world.held, self.instance.scale, rollout.is_complete) {
            let message = format!(
                "{held} of {asked} pods are there; more come when these have given back the connections that those will have"
            );
            return conditions.no(about, Reason::ShrinkPending, message);
        }
        if !rollout.is_complete {
            let (reason, message) = rollout.why_not();
            return conditions.no(about, reason, message);
        }
        if let Some((reason, message)) = conditions.failing(ConditionType::Seeded) {
            return conditions.no(about, reason, message);
        }
        conditions.yes(about, Reason::AsAsked, "all that was asked for is there");
    }

    fn pools(&self, rollout: &Rollout) -> Option<(BudgetStatus, TuningStatus)> {
        let Database::Server { connections, .. } = &self.instance.database else { return None };
        let file =
            self.applied.live.get(Kind::ConfigMap, &tuning::name(self.instance)).and_then(tuning::published)?.file;
        let pool_max = number(file.pool_max);
        let budget = BudgetStatus {
            connections: number(connections.available),
            worst_case_pods: number(connections.worst_case_pods),
            per_pod_cap: number(connections.per_pod_cap),
            summary: format!("{}/{}", pool_max.saturating_mul(rollout.replicas), connections.available),
        };
        let generation = i64::try_from(file.generation).unwrap_or(i64::MAX);
        Some((budget, TuningStatus { pool_max, generation, last_decision: None }))
    }
}

/// Why a Job failed, and how it is tried again.
fn failed(job: &str, message: &str) -> String {
    format!(
        "the Job {job} failed: {message}; mend it, then delete the Job or correct the Secret, and it is tried again"
    )
}

fn effective(instance: &Instance) -> EffectiveStatus {
    let (database, tuning) = match &instance.database {
        Database::Embedded { .. } => ("embedded", "Off".to_owned()),
        Database::Server { tuning, .. } => ("server", format!("{:?}", tuning.mode)),
    };
    EffectiveStatus {
        image: instance.image.clone(),
        replicas: match instance.scale {
            Scale::Stopped => "0".to_owned(),
            Scale::Fixed(replicas) => replicas.to_string(),
            Scale::Auto { min, max, .. } => format!("{min}-{max}"),
        },
        database: database.to_owned(),
        tuning,
    }
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// The labels of the pods that serve, as the scale subresource wants them.
fn selector(instance: &Instance) -> String {
    let labels = super::names::selector(&instance.name, Component::Server);
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;

//! Step 3, pure: which Jobs are done, and what they hold up.
//!
//! A Job is named by a hash of its work and never changed. That its work is done is remembered, in the status and on
//! the Deployment, so a Job that was removed is not run again; that it failed is not, so removing a failed Job, or
//! mending the Secret it read, is how to try again.

use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;

use super::dereference::World;
use super::names::{self, Component, MIGRATION};
use super::validate::{Database, Instance, Scale};
use crate::crd::FarmLokalStatus;

/// How far the work before serving is.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    /// The tables; `None` for the embedded database, whose process does it itself.
    pub migration: Option<Step>,
    /// The products; `None` when none were asked for, or the process does it itself.
    pub seed: Option<Step>,
    /// Whether serving waits for the products.
    blocking: bool,
    /// Whether no pods are wanted, which waits for nothing.
    stopped: bool,
}

/// Work that a Job does.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is to be done, of all that makes a difference.
    pub hash: String,
    /// The Job that does it.
    pub job: String,
    /// How far it is.
    pub state: State,
}

/// How far a Job is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Another one has to be done first.
    Waiting,
    /// It is under way, or about to be made.
    Running,
    /// It has done its work.
    Done {
        /// When, as far as that is still known.
        at: Option<Time>,
    },
    /// It has not, and will not by itself.
    Failed {
        /// What it said.
        message: String,
        /// Whether it took too long.
        too_long: bool,
        /// When.
        at: Option<Time>,
    },
}

impl Step {
    /// Whether the work is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done { .. })
    }

    /// Whether there is to be a Job.
    #[must_use]
    pub fn wants_job(&self) -> bool {
        matches!(self.state, State::Running | State::Failed { .. })
    }
}

impl Gates {
    /// Everything at once, as no cluster ever sees it, to be looked at: Jobs, and pods all the same.
    #[must_use]
    pub fn to_show(instance: &Instance) -> Self {
        let mut gates = decide(instance, &World::default(), &FarmLokalStatus::default());
        for step in [&mut gates.migration, &mut gates.seed].into_iter().flatten() {
            step.state = State::Running;
        }
        gates.stopped = true;
        gates
    }

    /// Whether pods of the image that is asked for may serve.
    #[must_use]
    pub fn are_open(&self) -> bool {
        let done = |step: &Option<Step>| step.as_ref().is_none_or(Step::is_done);
        self.stopped || (done(&self.migration) && (!self.blocking || done(&self.seed)))
    }
}

/// Decides how far the work is.
#[must_use]
pub fn decide(instance: &Instance, world: &World, status: &FarmLokalStatus) -> Gates {
    let stopped = instance.scale == Scale::Stopped;
    if matches!(instance.database, Database::Embedded { .. }) {
        return Gates { stopped, ..Gates::default() };
    }
    let database = world.database.as_deref().unwrap_or_default();
    let migration = Work {
        component: Component::Migrate,
        hash: names::hash([instance.image.as_str(), database]),
        done: status.migration.as_ref().and_then(|migration| migration.hash.clone()),
    };
    let serving = world.live.deployment(&instance.name);
    let serving = serving.and_then(|deployment| deployment.annotations().get(MIGRATION).cloned());
    let first = if stopped { State::Waiting } else { State::Running };
    let migration = migration.step(instance, world, &first, serving.as_deref());
    let seed = (instance.seed.rows > 0).then(|| {
        let work = Work {
            component: Component::Seed,
            hash: names::hash([instance.seed.rows.to_string().as_str(), database]),
            done: status.seed.as_ref().and_then(|seed| seed.hash.clone()),
        };
        let next = if migration.is_done() { &first } else { &State::Waiting };
        work.step(instance, world, next, None)
    });
    Gates { migration: Some(migration), seed, blocking: instance.seed.blocking, stopped }
}

struct Work {
    component: Component,
    hash: String,
    done: Option<String>,
}

impl Work {
    /// `next` is its state while there is no Job.
    fn step(self, instance: &Instance, world: &World, next: &State, serving: Option<&str>) -> Step {
        // With other Secrets it is another try of the same work.
        let job = names::job(&instance.name, self.component, &names::hash([&*self.hash, &*world.secrets_hash()]));
        let live = world.live.job(&job);
        let known = self.done.as_ref() == Some(&self.hash) || serving == Some(&self.hash);
        let state = match live.as_ref().map(|live| outcome(live, &world.pods)) {
            Some(state @ State::Done { .. }) => state,
            _ if known => State::Done { at: None },
            Some(_) if *next == State::Waiting => State::Waiting,
            Some(state) => state,
            None => next.clone(),
        };
        Step { hash: self.hash, job, state }
    }
}

/// What a Job's status says.
fn outcome(job: &Job, pods: &[Pod]) -> State {
    let Some(JobStatus { conditions: Some(conditions), completion_time, .. }) = &job.status else {
        return State::Running;
    };
    let is = |name: &str| conditions.iter().find(|condition| condition.type_ == name && condition.status == "True");
    if is("Complete").is_some() {
        return State::Done { at: completion_time.clone() };
    }
    let Some(failed) = is("Failed") else { return State::Running };
    let said = last_words(&job.name_any(), pods).or_else(|| failed.message.clone());
    State::Failed {
        message: said.unwrap_or_else(|| "it did not say why".to_owned()),
        too_long: failed.reason.as_deref() == Some("DeadlineExceeded"),
        at: failed.last_transition_time.clone(),
    }
}

/// What the newest of a Job's pods said before it ended.
fn last_words(job: &str, pods: &[Pod]) -> Option<String> {
    let of_job = pods.iter().filter(|pod| pod.labels().get("batch.kubernetes.io/job-name").is_some_and(|of| of == job));
    let newest = of_job.max_by_key(|pod| pod.creation_timestamp().map(|time| time.0))?;
    let statuses = newest.status.as_ref()?.container_statuses.as_ref()?;
    let message = statuses.iter().find_map(|status| status.state.as_ref()?.terminated.as_ref()?.message.clone())?;
    Some(shortened(&message))
}

/// The end of a message, where the error is, in a length that fits a status.
#[must_use]
pub fn shortened(message: &str) -> String {
    const MOST: usize = 600;
    let message = message.trim();
    let skipped = message.chars().count().saturating_sub(MOST);
    if skipped == 0 { message.to_owned() } else { format!("…{}", message.chars().skip(skipped).collect::<String>()) }
}

#[cfg(test)]
mod tests;

//! What the status says of Jobs, and of an embedded database that is filled.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Observed;
use crate::controller::gates::{State, Step};
use crate::crd::{FarmLokalStatus, JobState, MigrationStatus, SeedStatus};

impl Observed<'_> {
    pub(super) fn migration_status(&self, step: &Step, old: &FarmLokalStatus) -> MigrationStatus {
        let old = old.migration.as_ref();
        let (state, at, message) = summary(step);
        let same = old.filter(|old| old.hash.as_ref() == Some(&step.hash));
        MigrationStatus {
            hash: if step.is_done() { Some(step.hash.clone()) } else { old.and_then(|old| old.hash.clone()) },
            state,
            job: Some(step.job.clone()),
            finished_at: at.or_else(|| same.and_then(|old| old.finished_at.clone())),
            message,
        }
    }

    pub(super) fn seed_status(&self, old: &FarmLokalStatus) -> Option<SeedStatus> {
        let old = old.seed.as_ref();
        let wanted = self.instance.seed.rows;
        let Some(step) = &self.gates.seed else { return self.embedded_seed() };
        let (state, at, message) = summary(step);
        let same = old.filter(|old| old.hash.as_ref() == Some(&step.hash));
        let done = match state {
            JobState::Done => Some(wanted),
            _ => self.world.seed_progress.map(|(done, _)| done).or_else(|| old.and_then(|old| old.rows_done)),
        };
        Some(SeedStatus {
            hash: if step.is_done() { Some(step.hash.clone()) } else { old.and_then(|old| old.hash.clone()) },
            state,
            job: Some(step.job.clone()),
            rows_wanted: Some(wanted),
            rows_done: done,
            summary: Some(format!("{}/{wanted}", done.unwrap_or_default())),
            finished_at: at.or_else(|| same.and_then(|old| old.finished_at.clone())),
            message,
        })
    }

    /// The process that fills an embedded database tells how far it is, until it serves.
    fn embedded_seed(&self) -> Option<SeedStatus> {
        let (done, wanted) = self.world.seed_progress?;
        Some(SeedStatus {
            hash: None,
            state: if done < wanted { JobState::Running } else { JobState::Done },
            job: None,
            rows_wanted: Some(wanted),
            rows_done: Some(done),
            summary: Some(format!("{done}/{wanted}")),
            finished_at: None,
            message: None,
        })
    }
}

fn summary(step: &Step) -> (JobState, Option<Time>, Option<String>) {
    match &step.state {
        State::Waiting => (JobState::Waiting, None, None),
        State::Running => (JobState::Running, None, None),
        State::Done { at } => (JobState::Done, at.clone(), None),
        State::Failed { message, at, .. } => (JobState::Failed, at.clone(), Some(message.clone())),
    }
}

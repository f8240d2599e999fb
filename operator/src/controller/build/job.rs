//! Work that is done once: migrating and seeding. A Job is made and never changed.

use k8s_openapi::api::batch::v1::{Job, JobSpec};

use super::metadata;
use super::pod::{plain, template};
use crate::controller::names::{Component, TRACEPARENT};
use crate::controller::validate::Instance;
use crate::controller::validate::settings::{ADMIN_PORT, variable};

/// How often its pod is tried again.
const RETRIES: i32 = 3;
/// A day: long enough to look at it, and then a failed one is tried again.
const KEPT_SECONDS: i32 = 86_400;
/// Retries alone do not end an attempt that hangs.
const MIGRATION_SECONDS: i64 = 1_800;
const SEED_SECONDS: i64 = 14_400;

/// Brings the tables up to date.
pub(super) fn migrate(instance: &Instance, name: String, traceparent: Option<&str>) -> Job {
    let command = ["migrate", "--wait-for", "120"];
    job(instance, name, Component::Migrate, &command, MIGRATION_SECONDS, traceparent)
}

/// Fills the database.
pub(super) fn seed(instance: &Instance, name: String, traceparent: Option<&str>) -> Job {
    let rows = instance.seed.rows.to_string();
    let command = ["seed", "--rows", &rows, "--wait-for", "120"];
    job(instance, name, Component::Seed, &command, SEED_SECONDS, traceparent)
}

fn job(
    instance: &Instance,
    name: String,
    component: Component,
    command: &[&str],
    seconds: i64,
    traceparent: Option<&str>,
) -> Job {
    let mut template = template(instance, component, command, traceparent);
    if let Some(pod) = &mut template.spec {
        pod.restart_policy = Some("Never".to_owned());
        for container in &mut pod.containers {
            // How far a seeding is can be asked for here.
            let listen = plain(&variable("admin.listen"), format!("0.0.0.0:{ADMIN_PORT}"));
            container.env.get_or_insert_default().push(listen);
        }
    }
    let mut metadata = metadata(instance, name);
    metadata.annotations = traceparent.map(|trace| [(TRACEPARENT.to_owned(), trace.to_owned())].into());
    Job {
        metadata,
        spec: Some(JobSpec {
            template,
            backoff_limit: Some(RETRIES),
            active_deadline_seconds: Some(seconds),
            ttl_seconds_after_finished: Some(KEPT_SECONDS),
            ..JobSpec::default()
        }),
        ..Job::default()
    }
}

//! The truth table of Jobs: what is known of the work, and what its Job says.

use serde_json::{Value, json};

use super::*;
use crate::controller::dereference::World;
use crate::controller::kind::Kind;
use crate::controller::sample::instance;
use crate::crd::{JobState, MigrationStatus};

fn server(more: Value) -> Instance {
    let mut spec = json!({"database": {"secretRef": {"name": "db"}}});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    instance(spec)
}

/// A world with a Job of that name and these conditions.
fn with_job(name: &str, conditions: &Value) -> World {
    let mut world = World::default();
    let job = json!({"metadata": {"name": name}, "spec": {"template": {}}, "status": {"conditions": conditions}});
    world.live.insert(Kind::Job, serde_json::from_value(job).unwrap());
    world
}

fn known(hash: &str) -> FarmLokalStatus {
    let migration = MigrationStatus {
        hash: Some(hash.to_owned()),
        state: JobState::Done,
        job: None,
        finished_at: None,
        message: None,
    };
    FarmLokalStatus { migration: Some(migration), ..FarmLokalStatus::default() }
}

fn word(step: &Step) -> &'static str {
    match step.state {
        State::Waiting => "waiting",
        State::Running => "running",
        State::Done { .. } => "done",
        State::Failed { too_long: true, .. } => "too long",
        State::Failed { .. } => "failed",
    }
}

#[test]
fn a_jobs_end_counts_and_what_is_known_outlives_it() {
    let instance = server(json!({}));
    let first = decide(&instance, &World::default(), &FarmLokalStatus::default()).migration.unwrap();
    let complete = json!([{"type": "Complete", "status": "True"}]);
    let failed = json!([{"type": "Failed", "status": "True", "message": "limit reached"}]);
    let late = json!([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]);
    let suspended = json!([{"type": "Suspended", "status": "True"}, {"type": "Failed", "status": "False"}]);
    for (conditions, remembered, expected) in [
        (None, "", "running"),
        (None, "another", "running"),
        (None, &*first.hash, "done"),
        (Some(&json!(null)), "", "running"),
        (Some(&suspended), "", "running"),
        (Some(&complete), "", "done"),
        (Some(&failed), "", "failed"),
        (Some(&late), "", "too long"),
        (Some(&failed), &*first.hash, "done"),
    ] {
        let world = conditions.map_or_else(World::default, |conditions| with_job(&first.job, conditions));
        let gates = decide(&instance, &world, &known(remembered));
        assert_eq!(word(gates.migration.as_ref().unwrap()), expected, "{conditions:?} {remembered}");
        assert_eq!(gates.are_open(), expected == "done", "{conditions:?} {remembered}");
    }
}

#[test]
fn what_serves_is_migrated() {
    let instance = server(json!({}));
    let hash = decide(&instance, &World::default(), &FarmLokalStatus::default()).migration.unwrap().hash;
    let mut world = World::default();
    let deployment = json!({"metadata": {"name": "corner", "annotations": {MIGRATION: hash}}});
    world.live.insert(Kind::Deployment, serde_json::from_value(deployment).unwrap());
    assert!(decide(&instance, &world, &FarmLokalStatus::default()).migration.unwrap().is_done());
    let other = server(json!({"image": "farmlokal:other"}));
    assert!(!decide(&other, &world, &FarmLokalStatus::default()).migration.unwrap().is_done());
}

#[test]
fn seeding_waits_for_tables_and_pods_for_it_only_if_asked() {
    for (blocking, remembered, open) in [(false, true, true), (true, true, false), (false, false, false)] {
        let instance = server(json!({"seed": {"rows": 10, "blocking": blocking}}));
        let nothing = World::default();
        let hash = decide(&instance, &nothing, &FarmLokalStatus::default()).migration.unwrap().hash;
        let gates = decide(&instance, &nothing, &if remembered { known(&hash) } else { FarmLokalStatus::default() });
        assert_eq!(word(gates.seed.as_ref().unwrap()), if remembered { "running" } else { "waiting" });
        assert_eq!(gates.are_open(), open, "{blocking} {remembered}");
    }
}

#[test]
fn the_embedded_database_and_what_is_stopped_wait_for_nothing() {
    let embedded = decide(&instance(json!({})), &World::default(), &FarmLokalStatus::default());
    assert!(embedded.migration.is_none() && embedded.seed.is_none() && embedded.are_open());
    let stopped = decide(&server(json!({"stopped": true})), &World::default(), &FarmLokalStatus::default());
    assert_eq!(word(stopped.migration.as_ref().unwrap()), "waiting");
    assert!(stopped.are_open());
}

#[test]
fn long_messages_keep_their_end() {
    let text = format!("{}the reason", "x".repeat(5_000));
    let short = shortened(&text);
    assert!(short.ends_with("the reason") && short.chars().count() == 601, "{}", short.len());
    assert_eq!(shortened(" a \n"), "a");
}

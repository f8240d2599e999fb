//! `farmlokal migrate` on an older database: complete, repeatable, and safe to kill.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;
use tempfile::TempDir;

use super::engine::{Database, Engine};
use super::on_both_engines;
use super::restored::{Restored, said};
use crate::child::{farmlokal, wait};

on_both_engines!(migrating_loses_nothing_and_twice_changes_nothing, complete);
on_both_engines!(a_migration_that_was_killed_ends_well_when_run_again, killed);
on_both_engines!(a_first_migration_that_was_killed_ends_well_when_run_again, killed_from_nothing);

/// Durations after which a migration is killed, in milliseconds: before it connects, between steps, within them.
const KILLED_AFTER: [u64; 8] = [0, 5, 10, 15, 25, 40, 60, 90];

/// Tables whose rows a release moved on purpose, and where to.
const MOVED: [(&str, &str); 0] = [];

async fn complete(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    for (table, rows) in fixture.facts["counts"].as_object().unwrap() {
        if MOVED.iter().all(|(moved, _)| moved != table) {
            assert_eq!(fixture.database.count(table), rows.as_i64().unwrap(), "{table}");
        }
    }
    let once = fixture.database.dump();
    said(&fixture.run(&["migrate"]));
    same(&fixture.database.dump(), &once);
}

async fn killed(release: &str, engine: Engine) {
    let now = Utc::now();
    let whole = Restored::open(release, engine, "catalogue", now);
    said(&whole.run(&["migrate"]));
    let broken = Restored::open(release, engine, "catalogue", now);
    for millis in KILLED_AFTER {
        kill_after(millis, broken.command().0.arg("migrate"));
    }
    said(&broken.run(&["migrate"]));
    // The receiver's port is each copy's own.
    let (here, there) = (whole.receiver.url(""), broken.receiver.url(""));
    same(&broken.database.dump().replace(&there, &here), &whole.database.dump());
}

async fn killed_from_nothing(_: &str, engine: Engine) {
    let schema = |kills: &[u64]| {
        let directory = TempDir::new().unwrap();
        let database = Database::empty(engine, directory.path());
        let migrate = || {
            let mut command = farmlokal(&directory).0;
            command.arg("migrate").env("FARMLOKAL_DATABASE__URL", database.url());
            command
        };
        for millis in kills {
            kill_after(*millis, &mut migrate());
        }
        said(&migrate().output().unwrap());
        database.schema()
    };
    same(&schema(&KILLED_AFTER), &schema(&[]));
}

/// Runs `command` for `millis` milliseconds at most, and ends it as a crash would.
fn kill_after(millis: u64, command: &mut std::process::Command) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_millis(millis);
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    // It may have ended by itself.
    let _ = child.kill();
    wait(&mut child);
}

/// Asserts that two dumps are equal, and shows the first line that is not.
#[track_caller]
fn same(left: &str, right: &str) {
    let differs = left.lines().zip(right.lines()).find(|(left, right)| left != right);
    assert!(left == right, "{differs:?}; {} and {} lines", left.lines().count(), right.lines().count());
}

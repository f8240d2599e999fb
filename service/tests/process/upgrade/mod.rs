//! Databases that earlier releases left behind, opened by this one: `tests/upgrade/README.md` says how they are made.

mod access;
mod answer;
mod deliveries;
mod engine;
mod events;
mod migrations;
mod reading;
mod restored;
mod seeding;
mod supplier;
mod syncs;

use std::time::{Duration, Instant};

use crate::child::PATIENCE;

/// Releases with a folder in `tests/upgrade`.
const RELEASES: [&str; 1] = ["cff18f1"];

/// Makes two tests of a case: one on SQLite, one on MariaDB, each with the databases of every release.
macro_rules! on_both_engines {
    ($name:ident, $case:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                for release in crate::upgrade::RELEASES {
                    super::$case(release, crate::upgrade::engine::Engine::Sqlite).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_mariadb() {
                for release in crate::upgrade::RELEASES {
                    super::$case(release, crate::upgrade::engine::Engine::Mariadb).await;
                }
            }
        }
    };
}

use on_both_engines;

/// Polls `condition` until it returns something, and returns that.
async fn until<T>(what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! The index is built while products are seeded, by this process or another one.

use std::collections::BTreeSet;

use farmlokal_catalog::projection::State;
use farmlokal_seed::{Generator, Plan, progress};
use farmlokal_testkit::mariadb;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::bench::{Bench, Running};

/// Small batches, so that the scan often meets the end of what is there.
const PLAN: Plan = Plan { rows: 3_000, batch: 100, seed: 1 };

/// Seeds up to `rows` products, as a process does that ends there.
async fn seed_up_to(bench: &Bench, rows: u64) {
    let generator = Generator::new(PLAN.seed);
    let mut loader = farmlokal_catalog::store::bulk::open(&bench.url).await.unwrap();
    let run = loader.begin(PLAN.seed, PLAN.rows).await.unwrap();
    for first in (run.loaded + 1..=rows).step_by(PLAN.batch as usize) {
        loader.load(&generator.products(first, first + PLAN.batch - 1).unwrap()).await.unwrap();
    }
}

async fn seed_to_the_end(bench: &Bench) {
    let (progress, stop) = (progress::for_stderr(), CancellationToken::new());
    farmlokal_seed::run(&bench.url, PLAN, &*progress, &stop).await.unwrap();
}

/// Every product is found once, under a word of its own place.
fn assert_whole(running: &Running) {
    let index = running.projection.index().unwrap();
    let all = farmlokal_catalog::Query::new(Default::default(), None, None).unwrap();
    let hits = index.search(&all, None, None, 10_000).unwrap();
    let ids: BTreeSet<i64> = hits.ids.iter().map(|(id, _)| id.get()).collect();
    assert_eq!((hits.ids.len(), ids.len()), (PLAN.rows as usize, PLAN.rows as usize));
    assert_eq!((ids.first(), ids.last()), (Some(&1), Some(&(PLAN.rows as i64))));
}

async fn is_followed(bench: &Bench) {
    seed_up_to(bench, 1_000).await;
    let running = bench.start();
    running.until("what is there", || running.projection.status().build.built == 1_000).await;
    let status = running.projection.status();
    assert_eq!((status.state, status.build.wanted), (State::Building, Some(PLAN.rows)));
    assert!(running.projection.index().is_none(), "no index before the last product");
    seed_up_to(bench, 2_000).await;
    running.until("what came", || running.projection.status().build.built == 2_000).await;
    seed_to_the_end(bench).await;
    running.until("ready", || running.projection.status().state == State::Ready).await;
    assert_whole(&running);
    // The seeding's last word concerns any product, and must not have everything read again.
    let built = running.projection.status().build_seconds;
    bench.create("Late Limburger", 1).await;
    running.until_found("limburger", 1).await;
    let status = running.projection.status();
    assert_eq!((status.build_seconds, status.build.built, status.documents), (built, PLAN.rows, PLAN.rows + 1));
    running.cut_off().await;
    // Nor at the next start.
    let running = bench.ready().await;
    assert_eq!((running.projection.status().build_seconds, running.found("limburger").len()), (0.0, 1));
    running.cut_off().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seeding_is_followed_in_sqlite() {
    is_followed(&Bench::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seeding_is_followed_in_mariadb() {
    let database = tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap();
    let bench = Bench::at(TempDir::new().unwrap(), &database.url()).await;
    is_followed(&bench).await;
    bench.store.close().await;
    tokio::task::spawn_blocking(move || drop(database)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seeding_that_begins_behind_an_empty_index_is_followed() {
    let bench = Bench::sqlite().await;
    let running = bench.ready().await;
    seed_up_to(&bench, 1_000).await;
    running.until("what is there", || running.projection.status().build.built == 1_000).await;
    assert!(running.projection.index().is_some(), "the empty index serves until then");
    seed_to_the_end(&bench).await;
    running.until("all products", || running.projection.status().documents == PLAN.rows).await;
    assert_whole(&running);
    running.cut_off().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_cut_off_anywhere_in_a_seeding_is_whole_in_the_end() {
    let bench = Bench::sqlite().await;
    for rows in [100, 1_000, 2_500, PLAN.rows] {
        seed_up_to(&bench, rows).await;
        let running = bench.start();
        running.until("what is there", || running.projection.status().build.built == rows).await;
        running.cut_off().await;
    }
    let running = bench.start();
    running.until("all products", || running.projection.status().build.built == PLAN.rows).await;
    assert!(running.projection.index().is_none(), "the seeding is not finished");
    seed_to_the_end(&bench).await;
    running.until("ready", || running.projection.status().state == State::Ready).await;
    assert_whole(&running);
    running.cut_off().await;
}

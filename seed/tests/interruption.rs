//! The real program, killed, interrupted and started twice.

mod support;

use farmlokal_seed::Plan;
use support::{Quiet, Seeder, Target};

/// Large enough that indexes take longer than a signal.
const PLAN: Plan = Plan { rows: 20_000, batch: 500, seed: 11 };

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_loading() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        for rows in [1, 4_000, 9_000, 15_000] {
            let mut seeder = Seeder::start(&target, PLAN);
            seeder.reaches(&target, rows).await;
            seeder.kill();
            assert!(!target.recorded().await.1, "killed before its end");
        }
        let report = target.seed(PLAN, Quiet::default()).await.unwrap();
        assert!(report.found >= 15_000);
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_building() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        let mut unfinished = 0;
        for part in ["(1 of", "(2 of", "(1 of", "statistics"] {
            let mut seeder = Seeder::start(&target, PLAN);
            seeder.logs(part);
            seeder.kill();
            unfinished += usize::from(!target.recorded().await.1);
        }
        assert!(unfinished > 0, "never killed while building");
        target.seed(PLAN, Quiet::default()).await.unwrap();
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_by_ctrl_c() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        let mut seeder = Seeder::start(&target, PLAN);
        seeder.reaches(&target, 1).await;
        seeder.interrupt();
        let (status, said) = seeder.wait();
        assert_eq!(status.code(), Some(130), "{said}");
        assert!(said.contains("the next start with the same values goes on from there"), "{said}");
        let (status, said) = Seeder::start(&target, PLAN).wait();
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(said.contains("20,000 products ("), "{said}");
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_make_one_catalogue() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        let seeders = [Seeder::start(&target, PLAN), Seeder::start(&target, PLAN)];
        let mut idle = 0;
        for seeder in seeders {
            let (status, said) = seeder.wait();
            assert_eq!(status.code(), Some(0), "{said}");
            idle += usize::from(said.contains("nothing to do: the 20,000 products asked for are there"));
        }
        assert_eq!(idle, 1, "one did it all, the other waited");
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_values_end_with_a_reason() {
    let target = Target::sqlite().await;
    let (status, said) = Seeder::start(&target, Plan { batch: 0, ..PLAN }).wait();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(said.contains("0 is not in 1..=100000"), "{said}");
    let (status, said) = Seeder::start_at("postgres://me:secret@host/shop", PLAN).wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("--database must be a URL") && !said.contains("secret"), "{said}");
    target.seed(support::PLAN, Quiet::default()).await.unwrap();
    let (status, said) = Seeder::start(&target, PLAN).wait();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("--seed 7 --rows 1234"), "{said}");
}

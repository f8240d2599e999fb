//! Seeding as a library: the same rows on both engines, whole after any interruption, nobody's rows lost.

mod support;

use farmlokal_catalog::store::bulk::{self, BulkError};
use farmlokal_catalog::{Filter, Limit, Query, Timestamp};
use farmlokal_seed::{Generator, Plan, Report, SeedError};
use support::{PLAN, Quiet, Target, a_product};

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_hold_what_the_generator_makes() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        let report = target.seed(PLAN, Quiet::default()).await.unwrap();
        assert_eq!((report.rows, report.found), (PLAN.rows, 0));
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeded_catalogue_takes_new_products() {
    for target in Target::each().await {
        target.seed(PLAN, Quiet::default()).await.unwrap();
        let store = target.store().await;
        let made = store.create(a_product(), Timestamp::from_micros(0).unwrap()).await.unwrap();
        assert_eq!(made.id.get() as u64, PLAN.rows + 1);
        assert_eq!(store.get(made.id).await.unwrap(), made);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_seeding_goes_on_wherever_it_was() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        let mut interruptions = 0;
        let stops = [
            (Some(1), None),
            (Some(500), None),
            (Some(1_200), None),
            (None, Some(1)),
            (None, Some(2)),
            (None, Some(1)),
        ];
        for (at_rows, at_step) in stops {
            let quiet = Quiet { at_rows, at_step, ..Quiet::default() };
            let stopped = target.seed(PLAN, quiet).await;
            interruptions += usize::from(matches!(stopped, Err(SeedError::Stopped)));
        }
        assert!(interruptions >= 4, "only {interruptions}");
        let report = target.seed(PLAN, Quiet::default()).await.unwrap();
        assert_eq!(report.found, PLAN.rows);
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seeding_that_was_killed_before_it_dropped_an_index_goes_on() {
    // Only there can it be: SQLite records and drops in one transaction.
    let [_, mariadb] = Target::each().await;
    let migrated = mariadb.schema().await;
    let stopped = mariadb.seed(PLAN, Quiet { at_rows: Some(1), ..Quiet::default() }).await;
    assert!(matches!(stopped, Err(SeedError::Stopped)));
    mariadb.texts("", "ALTER TABLE products ADD KEY by_created (created_at, id)").await;
    mariadb.seed(PLAN, Quiet::default()).await.unwrap();
    mariadb.assert_seeded(PLAN, &migrated).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_kept_once_and_in_its_turn() {
    let generator = Generator::new(PLAN.seed);
    for target in Target::each().await {
        let mut loader = bulk::open(&target.url()).await.unwrap();
        loader.begin(PLAN.seed, PLAN.rows).await.unwrap();
        loader.load(&generator.products(1, 10).unwrap()).await.unwrap();
        let mut with_a_gap = generator.products(11, 20).unwrap();
        with_a_gap.remove(5);
        for wrong in [generator.products(1, 10).unwrap(), generator.products(12, 20).unwrap(), with_a_gap] {
            assert!(loader.load(&wrong).await.is_err());
        }
        loader.load(&generator.products(11, 20).unwrap()).await.unwrap();
        assert_eq!(loader.recorded().await.unwrap().unwrap().loaded, 20);
        assert_eq!(target.both("SELECT CONCAT(MIN(id), '-', MAX(id), ' ', COUNT(*)) FROM products").await, ["1-20 20"]);
        assert_eq!(target.both("SELECT CONCAT(SUM(products), '') FROM categories").await, ["20"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_seeding_is_left_alone() {
    for target in Target::each().await {
        target.seed(PLAN, Quiet::default()).await.unwrap();
        let again = target.seed(Plan { batch: 7, ..PLAN }, Quiet::default()).await.unwrap();
        assert_eq!(again, Report { rows: PLAN.rows, found: PLAN.rows, ..Report::default() });
        assert_eq!(again.to_string(), "nothing to do: the 1,234 products asked for are there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_values_are_refused() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        target.seed(PLAN, Quiet::default()).await.unwrap();
        for other in [Plan { seed: 8, ..PLAN }, Plan { rows: 2_000, ..PLAN }] {
            let refused = target.seed(other, Quiet::default()).await.unwrap_err();
            assert!(matches!(refused, SeedError::Bulk(BulkError::OtherRun(_))), "{refused}");
            assert!(refused.to_string().contains("--seed 7 --rows 1234"), "{refused}");
        }
        target.assert_seeded(PLAN, &migrated).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_of_somebody_else_are_left_alone() {
    for target in Target::each().await {
        let migrated = target.schema().await;
        let store = target.store().await;
        let made = store.create(a_product(), Timestamp::from_micros(0).unwrap()).await.unwrap();
        let refused = target.seed(PLAN, Quiet::default()).await.unwrap_err();
        assert!(matches!(refused, SeedError::Bulk(BulkError::NotEmpty)), "{refused}");
        let query = Query::new(Filter::default(), None, None).unwrap();
        let page = store.list(&query, None, Limit::default()).await.unwrap();
        assert_eq!(page.products, [made]);
        assert_eq!(target.schema().await, migrated);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rows_need_no_database() {
    let nowhere = "mysql://nobody:nothing@127.0.0.1:1/none".parse().unwrap();
    let quiet = Quiet::default();
    let report = farmlokal_seed::run(&nowhere, Plan { rows: 0, ..PLAN }, &quiet, &quiet.stop).await.unwrap();
    assert_eq!(report, Report::default());
}

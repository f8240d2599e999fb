//! Migrating and seeding.

use farmlokal_operator::crd::{ConditionType, JobState};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{DeleteParams, ListParams};
use serde_json::json;

use crate::rounds::bench::{Bench, NAME, base64, condition, message};

async fn image(bench: &Bench) -> String {
    let deployment: Deployment = bench.find(NAME).await.unwrap();
    deployment.spec.unwrap().template.spec.unwrap().containers[0].image.clone().unwrap()
}

pub(crate) async fn a_server_is_migrated_then_served_and_seeded(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "seed": {"rows": 1000}})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Migrated), ("False".into(), "MigrationRunning".into()));
    assert_eq!(condition(&object, ConditionType::Seeded).1, "WaitingForMigration");
    assert!(bench.find::<Deployment>(NAME).await.is_none(), "nothing serves tables that are not there");
    assert_eq!(bench.unfinished_jobs().await.len(), 1);

    let job = bench.job("migrate").await;
    bench.complete(&job).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Migrated).0, "True");
    assert_eq!(condition(&object, ConditionType::Seeded).1, "SeedRunning");
    assert_eq!(bench.replicas().await, Some(2), "pods serve while products come in");
    assert!(bench.find::<ConfigMap>("corner-tuning").await.is_some());

    let job = bench.job("seed").await;
    bench.make_ready().await;
    assert_eq!(condition(&bench.round().await, ConditionType::Ready), ("False".into(), "SeedRunning".into()));
    bench.complete(&job).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready).0, "True");
    let status = object.status.unwrap();
    let (migration, seed) = (status.migration.unwrap(), status.seed.unwrap());
    assert_eq!((migration.state, seed.state), (JobState::Done, JobState::Done));
    assert!(migration.finished_at.is_some());
    assert_eq!(seed.summary.as_deref(), Some("1000/1000"));
    assert_eq!(status.budget.unwrap().summary, "44/91");
}

pub(crate) async fn another_image_waits_for_its_migration(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    bench.settle().await;
    bench.change(json!({"image": "farmlokal:2", "config": {"limits.read": "7"}})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "MigrationRunning".into()));
    assert_eq!(condition(&object, ConditionType::Available).0, "True", "what served goes on");
    assert_eq!(image(bench).await, "farmlokal:1");
    let settings: ConfigMap = bench.find("corner-config").await.unwrap();
    assert!(!settings.data.unwrap().contains_key("FARMLOKAL_LIMITS__READ"), "they may be only the new image's");

    let job = bench.job("migrate").await;
    bench.complete(&job).await;
    bench.round().await;
    assert_eq!(image(bench).await, "farmlokal:2");
    assert_eq!(bench.settle().await.status.unwrap().version.as_deref(), Some("2"));
}

pub(crate) async fn a_failed_migration_tells_why_and_is_tried_again_when_its_job_is_deleted(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    bench.settle().await;
    bench.change(json!({"image": "farmlokal:2"})).await;
    bench.round().await;
    let job = bench.job("migrate").await;
    bench.fail(&job, "column price is missing").await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Migrated), ("False".into(), "MigrationFailed".into()));
    let said = message(&object, ConditionType::Ready);
    assert!(said.contains("column price is missing") && said.contains("delete the Job"), "{said}");
    assert_eq!(image(bench).await, "farmlokal:1", "the old one serves on");
    let migration = object.status.unwrap().migration.unwrap();
    assert_eq!(migration.state, JobState::Failed);
    assert!(bench.unfinished_jobs().await.is_empty(), "it is not tried again by itself");

    let _ = bench.api::<Job>().delete(&job, &DeleteParams::background()).await.unwrap();
    let _ = bench.api::<Pod>().delete_collection(&DeleteParams::default(), &ListParams::default()).await;
    bench.round().await;
    assert_eq!(bench.job("migrate").await, job, "the same work has the same name");
    bench.complete(&job).await;
    bench.settle().await;
    assert_eq!(image(bench).await, "farmlokal:2");
}

pub(crate) async fn a_job_that_is_no_longer_asked_for_goes(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    bench.round().await;
    let first = bench.job("migrate").await;
    bench.change(json!({"image": "farmlokal:2"})).await;
    bench.round().await;
    assert!(!bench.unfinished_jobs().await.contains(&first), "two at once would be one too many");
    assert_eq!(bench.unfinished_jobs().await.len(), 1);
}

pub(crate) async fn another_password_is_another_try(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    bench.round().await;
    let first = bench.job("migrate").await;
    bench.fail(&first, "access denied").await;
    bench.round().await;
    let right = json!({"data": {"url": base64("mysql://farm:right@db.example/farm")}});
    bench.merge::<Secret>("db", right).await;
    bench.round().await;
    let second = bench.job("migrate").await;
    assert_ne!(first, second);
    bench.complete(&second).await;
    bench.settle().await;

    let rotated = json!({"data": {"url": base64("mysql://farm:rotated@db.example/farm")}});
    bench.merge::<Secret>("db", rotated).await;
    bench.round().await;
    assert!(bench.unfinished_jobs().await.is_empty(), "work that is done needs no other try");
    let moved = json!({"data": {"url": base64("mysql://farm:rotated@other.example/farm")}});
    bench.merge::<Secret>("db", moved).await;
    bench.round().await;
    bench.job("migrate").await;
}

pub(crate) async fn a_removed_job_is_not_run_again(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "seed": {"rows": 1000}})).await;
    bench.settle().await;
    for job in bench.api::<Job>().list(&ListParams::default()).await.unwrap() {
        let _ = bench.api::<Job>().delete(&job.metadata.name.unwrap(), &DeleteParams::background()).await.unwrap();
    }
    let object = bench.round().await;
    assert!(bench.unfinished_jobs().await.is_empty());
    assert_eq!(condition(&object, ConditionType::Ready).0, "True");
    assert!(object.status.unwrap().migration.unwrap().finished_at.is_some(), "it is remembered");
}

pub(crate) async fn a_blocking_seed_holds_pods_up(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "seed": {"rows": 1000, "blocking": true}})).await;
    bench.round().await;
    let job = bench.job("migrate").await;
    bench.complete(&job).await;
    bench.round().await;
    assert!(bench.find::<Deployment>(NAME).await.is_none());
    let job = bench.job("seed").await;
    bench.complete(&job).await;
    bench.round().await;
    assert!(bench.find::<Deployment>(NAME).await.is_some());
}

pub(crate) async fn a_seeding_tells_how_far_it_is(bench: &Bench) {
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "seed": {"rows": 1000}})).await;
    bench.round().await;
    let job = bench.job("migrate").await;
    bench.complete(&job).await;
    bench.round().await;
    let labels = json!({
        "app.kubernetes.io/name": "farmlokal", "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/component": "seed",
    });
    let containers = json!({"containers": [{"name": "farmlokal", "image": "farmlokal:1"}]});
    bench.create::<Pod>(json!({"metadata": {"name": "seeding", "labels": labels}, "spec": containers})).await;
    let running = kube::api::Patch::Merge(json!({"status": {"phase": "Running", "podIP": "10.0.0.9"}}));
    bench.api::<Pod>().patch_status("seeding", &kube::api::PatchParams::default(), &running).await.unwrap();
    let metrics = "farmlokal_seed_rows_done 250\nfarmlokal_seed_rows_wanted 1000\n";
    *bench.seed_metrics.lock().unwrap() = Some(metrics.to_owned());
    let object = bench.round().await;
    assert_eq!(object.status.clone().unwrap().seed.unwrap().summary.as_deref(), Some("250/1000"));
    assert!(message(&object, ConditionType::Seeded).contains("250 of 1000"));
}

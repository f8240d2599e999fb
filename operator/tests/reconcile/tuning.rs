//! The tuner in its surroundings: what it publishes, what it tells, and when it writes nothing.

use std::time::Duration;

use farmlokal_operator::crd::{ConditionType, FarmLokal};
use farmlokal_telemetry::tuning::{FILE_NAME, Tuning};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::api::{Api, Call};
use crate::played;
use crate::rounds::bench::{Bench, NAME, condition};

/// A fleet of two pods whose counters a test moves.
struct Fleet {
    bench: Bench,
    api: Api,
    minutes: u64,
    refused: u64,
    /// What the pods have applied, if it is not what is published.
    stuck: Option<Tuning>,
}

impl Fleet {
    async fn new(tuning: Value) -> Self {
        let (bench, api) = played::bench();
        bench.database().await;
        let database = json!({"secretRef": {"name": "db"}, "budget": {"connections": 200}});
        bench.ask(json!({"database": database, "tuning": tuning})).await;
        bench.settle().await;
        for number in 1..=2 {
            let labels = json!({
                "app.kubernetes.io/name": "farmlokal", "app.kubernetes.io/instance": NAME,
                "app.kubernetes.io/component": "server",
            });
            let name = format!("pod-{number}");
            bench.create::<Pod>(json!({"metadata": {"name": name, "labels": labels}})).await;
            let container = json!({"name": "farmlokal", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": {"running": {}}});
            let ready = json!({"status": {
                "phase": "Running", "podIP": format!("10.0.0.{number}"), "containerStatuses": [container],
                "conditions": [{"type": "Ready", "status": "True"}],
            }});
            bench.api::<Pod>().patch_status(&name, &PatchParams::default(), &Patch::Merge(ready)).await.unwrap();
        }
        Self { bench, api, minutes: 0, refused: 0, stuck: None }
    }

    async fn file(&self) -> Tuning {
        let map: ConfigMap = self.bench.find("corner-tuning").await.unwrap();
        Tuning::parse(&map.data.unwrap()[FILE_NAME]).unwrap()
    }

    /// One window in which each pod serves `uses` requests, all of which wait for `wait` seconds.
    async fn window(&mut self, uses: u64, wait: f64) -> FarmLokal {
        self.minutes += 1;
        let file = self.file().await;
        let applied = self.stuck.clone().unwrap_or(file);
        *self.bench.seed_metrics.lock().unwrap() = Some(self.metrics(&applied, uses, wait));
        tokio::time::advance(Duration::from_secs(60)).await;
        self.bench.look().await;
        self.bench.context.tuner.turn_all().await;
        self.bench.object().await
    }

    fn metrics(&self, applied: &Tuning, uses: u64, wait: f64) -> String {
        let pool = r#"db_client_connection_pool_name="primary""#;
        let (total, limit) = (uses * self.minutes, applied.pool_max);
        let mut text = String::new();
        for bound in ["0.001", "0.01", "0.1", "1", "+Inf"] {
            let within = bound.parse().unwrap_or(f64::INFINITY) >= wait;
            let count = if within { total } else { 0 };
            text += &format!("db_client_connection_wait_time_seconds_bucket{{{pool},le=\"{bound}\"}} {count}\n");
        }
        let in_use = f64::from(limit) * 60.0 * self.minutes as f64;
        text += &format!("db_client_connection_use_time_seconds_count{{{pool}}} {total}\n");
        text += &format!("farmlokal_pool_in_use_seconds_total{{{pool}}} {in_use}\n");
        text += &format!("farmlokal_pool_refusals_total{{{pool}}} {}\n", self.refused);
        text += &format!("farmlokal_pool_applied_limit{{{pool}}} {limit}\n");
        text + &format!("farmlokal_pool_tuning_generation{{{pool}}} {}\n", applied.generation)
    }
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_get_connections_up_to_the_budget() {
    let mut fleet = Fleet::new(json!({})).await;
    let first = fleet.file().await;
    assert_eq!(first.pool_max, 47, "their share, before anything is decided");
    fleet.window(1_000, 0.5).await;
    let began = fleet.file().await;
    assert!(began.generation > first.generation && began.pool_max < 47, "{began:?}");
    let mut sizes = vec![began.pool_max];
    for minute in 1..40 {
        // More connections serve more callers.
        let uses = 100 * u64::from(sizes[sizes.len() - 1]) + minute;
        let object = fleet.window(uses, 0.5).await;
        sizes.push(fleet.file().await.pool_max);
        assert!(sizes.iter().all(|size| *size <= 47), "{sizes:?}");
        assert_eq!(condition(&object, ConditionType::WithinBudget).0, "True");
    }
    assert!(sizes.iter().max() > Some(&began.pool_max), "{sizes:?}");
    let object = fleet.bench.round().await;
    let tuning = object.status.clone().unwrap().tuning.unwrap();
    assert!(tuning.last_decision.is_some_and(|last| last.reason.contains("callers wait")));
    assert_eq!(tuning.pool_max, i32::try_from(*sizes.last().unwrap()).unwrap());
    assert_eq!(condition(&object, ConditionType::Tuned).0, "True");
    assert_eq!(condition(&object, ConditionType::Ready).0, "True", "a round leaves what the tuner told alone");
}

/// Two pods have up to 47 connections each; of three, each may have 38.
#[tokio::test(start_paused = true)]
async fn more_pods_come_when_the_others_have_given_back_what_they_get() {
    let fleet = Fleet::new(json!({})).await;
    let old = fleet.file().await;
    assert_eq!(old.pool_max, 47);
    let say = |fleet: &Fleet, applied: Option<&Tuning>| {
        *fleet.bench.seed_metrics.lock().unwrap() = applied.map(|applied| fleet.metrics(applied, 0, 0.0));
    };
    say(&fleet, Some(&old));
    fleet.bench.change(json!({"replicas": 3})).await;
    let object = fleet.bench.round().await;
    assert_eq!(fleet.bench.replicas().await, Some(2), "they have not heard of it");
    let new = fleet.file().await;
    assert_eq!(new.pool_max, 38);
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "ShrinkPending".into()));

    let holding = Tuning { pool_max: 39, ..new.clone() };
    for stays in [Some(&holding), None] {
        say(&fleet, stays);
        fleet.bench.round().await;
        assert_eq!(fleet.bench.replicas().await, Some(2), "{stays:?}");
    }
    say(&fleet, Some(&new));
    fleet.bench.round().await;
    assert_eq!(fleet.bench.replicas().await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_begins_with_the_pods_there_are_until_they_have_given_back() {
    let fleet = Fleet::new(json!({})).await;
    let say = |applied: &Tuning| *fleet.bench.seed_metrics.lock().unwrap() = Some(fleet.metrics(applied, 0, 0.0));
    let most = async || fleet.bench.find::<HorizontalPodAutoscaler>(NAME).await.unwrap().spec.unwrap().max_replicas;
    say(&fleet.file().await);
    fleet.bench.change(json!({"autoscaling": {"minReplicas": 4, "maxReplicas": 6}})).await;
    fleet.bench.round().await;
    assert_eq!((fleet.bench.replicas().await, most().await), (Some(2), 2));
    say(&fleet.file().await);
    fleet.bench.round().await;
    assert_eq!(most().await, 6);
}

#[tokio::test(start_paused = true)]
async fn observing_tells_and_does_not_do() {
    let mut fleet = Fleet::new(json!({"mode": "Observe"})).await;
    let before = fleet.file().await;
    for _ in 0..6 {
        fleet.window(5_000, 0.5).await;
    }
    assert_eq!(fleet.file().await, before);
    let object = fleet.bench.object().await;
    assert!(object.status.clone().unwrap().tuning.unwrap().last_decision.is_some());
    assert_eq!(condition(&object, ConditionType::Tuned), ("True".into(), "Observing".into()));
}

#[tokio::test(start_paused = true)]
async fn off_leaves_everything_and_says_so() {
    let mut fleet = Fleet::new(json!({"mode": "Off"})).await;
    let before = fleet.file().await;
    let object = fleet.window(5_000, 0.5).await;
    assert_eq!(condition(&object, ConditionType::Tuned), ("False".into(), "Off".into()));
    assert_eq!(fleet.file().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_refuses_gets_fewer() {
    let mut fleet = Fleet::new(json!({})).await;
    fleet.window(1_000, 0.0001).await;
    fleet.window(1_000, 0.0001).await;
    let before = fleet.file().await;
    fleet.refused = 3;
    let object = fleet.window(1_000, 0.0001).await;
    assert!(fleet.file().await.pool_max < before.pool_max);
    assert_eq!(condition(&object, ConditionType::WithinBudget), ("False".into(), "ForeignConnections".into()));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decided_before_the_last_decision_is_everywhere() {
    let mut fleet = Fleet::new(json!({})).await;
    let first = fleet.file().await;
    fleet.window(1_000, 0.5).await;
    let began = fleet.file().await;
    fleet.stuck = Some(first);
    for _ in 0..6 {
        let object = fleet.window(1_000, 0.5).await;
        assert_ne!(condition(&object, ConditionType::Tuned).0, "True");
    }
    assert_eq!(fleet.file().await, began);
}

#[tokio::test(start_paused = true)]
async fn windows_without_a_turn_ask_for_nothing() {
    let mut fleet = Fleet::new(json!({})).await;
    for _ in 0..6 {
        fleet.window(1_000, 0.0001).await;
    }
    fleet.api.take_calls();
    for _ in 0..3 {
        fleet.window(1_000, 0.0001).await;
    }
    let calls: Vec<_> = fleet.api.take_calls().into_iter().filter(|call: &Call| call.by_operator).collect();
    assert!(calls.is_empty(), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn lending_names_the_pods_it_is_for() {
    let mut fleet = Fleet::new(json!({"budgetMode": "Elastic"})).await;
    for minute in 1..20 {
        fleet.window(10_000 * minute, 0.5).await;
    }
    let file = fleet.file().await;
    assert_eq!(file.pods.as_ref().map(Vec::len), Some(2), "{file:?}");
    assert!(file.boot.is_some_and(|boot| boot < file.pool_max), "{file:?}");
    // 191 there are; two pods that may come are set aside for.
    assert!(2 * file.pool_max + 2 * file.boot.unwrap() <= 191, "{file:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tuner_that_begins_anew_goes_on_from_what_is_published() {
    let mut fleet = Fleet::new(json!({})).await;
    for minute in 1..8 {
        fleet.window(10_000 * minute, 0.5).await;
    }
    let before = fleet.file().await;
    fleet.bench.restart();
    fleet.bench.round().await;
    assert_eq!(fleet.file().await, before);
    fleet.window(80_000, 0.5).await;
    let after = fleet.file().await;
    assert!(after.generation >= before.generation && after.pool_max + 12 >= before.pool_max, "{before:?} {after:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_tunes_what_is_gone() {
    let mut fleet = Fleet::new(json!({})).await;
    fleet.window(1_000, 0.5).await;
    let _ = fleet.bench.api::<FarmLokal>().delete(NAME, &Default::default()).await.unwrap();
    fleet.bench.look().await;
    fleet.bench.context.tuner.turn_all().await;
    fleet.api.take_calls();
    fleet.bench.context.tuner.turn_all().await;
    assert!(fleet.api.take_calls().is_empty());
}

//! Many objects that wait, or are as asked: they cost nothing but their watches.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_operator::controller::watch::{self, Scope};
use farmlokal_operator::crd::FarmLokal;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::api::{Api, Call, Verb};
use crate::played;
use crate::rounds::bench::Bench;

const OBJECTS: usize = 60;
/// Longer than any object is left alone.
const LONG: Duration = Duration::from_secs(3 * 3600);

/// What the operator asked for, its watches left out.
fn asked(api: &Api) -> Vec<Call> {
    api.take_calls().into_iter().filter(|call| call.by_operator && call.verb != Verb::Watch).collect()
}

/// Waits until the operator has asked for nothing for a while.
async fn settles(api: &Api) {
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        if asked(api).is_empty() {
            return;
        }
    }
    panic!("it does not come to rest");
}

async fn ask(bench: &Bench, name: &str, spec: Value) {
    bench.create::<FarmLokal>(json!({"metadata": {"name": name}, "spec": spec})).await;
}

#[tokio::test(start_paused = true)]
async fn objects_that_nothing_happens_to_ask_for_nothing() {
    let (bench, api) = played::bench();
    let stop = CancellationToken::new();
    let scope = Scope { namespace: None, concurrency: 4, has_gateway_api: false };
    let working = tokio::spawn(watch::run(Arc::clone(&bench.context), scope, stop.clone().cancelled_owned()));
    bench.database().await;
    for number in 0..OBJECTS {
        let name = format!("corner-{number}");
        match number % 4 {
            // Their pods never start, or do; their tables are never made; their Secret is never there.
            0 | 1 => ask(&bench, &name, json!({})).await,
            2 => ask(&bench, &name, json!({"database": {"secretRef": {"name": "db"}}, "seed": {"rows": 10}})).await,
            _ => ask(&bench, &name, json!({"database": {"secretRef": {"name": "none"}}})).await,
        }
    }
    settles(&api).await;
    for number in (1..OBJECTS).step_by(4) {
        let status = json!({"status": {
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [{"type": "Available", "status": "True"}],
        }});
        let name = format!("corner-{number}");
        bench.api::<Deployment>().patch_status(&name, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }
    settles(&api).await;
    let metrics = bench.context.metrics.text().unwrap();
    assert!(metrics.contains(r#"farmlokal_operator_instances{ready="true"} 15"#), "{metrics}");

    let before = rounds(&bench);
    tokio::time::sleep(LONG).await;
    let calls = asked(&api);
    let rounds = rounds(&bench) - before;
    assert!(rounds >= 4 * OBJECTS as u64, "{rounds} rounds only: somebody is not looked after");
    assert!(rounds <= 20 * OBJECTS as u64, "{rounds} rounds");
    assert!(calls.is_empty(), "{} rounds asked for {calls:#?}", rounds);

    // They are awake all the same.
    let _ = bench.api::<Deployment>().delete("corner-0", &Default::default()).await.unwrap();
    settles(&api).await;
    assert!(bench.find::<Deployment>("corner-0").await.is_some());
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), working).await.unwrap().unwrap();
}

/// Rounds there were.
fn rounds(bench: &Bench) -> u64 {
    let text = bench.context.metrics.text().unwrap();
    let line = text.lines().find(|line| line.starts_with("farmlokal_operator_reconcile_duration_seconds_count"));
    line.and_then(|line| line.rsplit_once(' ')).and_then(|(_, count)| count.parse().ok()).unwrap_or_default()
}

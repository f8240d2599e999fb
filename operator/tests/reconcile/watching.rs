//! The whole controller: what makes an object's turn come.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use farmlokal_operator::controller::watch::{self, Scope};
use farmlokal_operator::crd::{ConditionType, FarmLokal};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::api::{Api as KubeApi, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::api::Call;
use crate::played;
use crate::rounds::bench::{Bench, NAME, base64, condition};

/// A bench whose operator works by itself.
struct Working {
    bench: Bench,
    api: crate::api::Api,
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<()>,
}

fn working(namespace: Option<&str>) -> Working {
    let (bench, api) = played::bench();
    let stop = CancellationToken::new();
    let scope = Scope { namespace: namespace.map(str::to_owned), concurrency: 4, has_gateway_api: false };
    let context = Arc::clone(&bench.context);
    let ended = tokio::spawn(watch::run(context, scope, stop.clone().cancelled_owned()));
    Working { bench, api, stop, ended }
}

async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn reaches(bench: &Bench, reason: &str) {
    until(reason, || async {
        let object = bench.object().await;
        (condition(&object, ConditionType::Ready).1 == reason).then_some(())
    })
    .await;
}

/// All that an operator asks of the server until an object of it is ready.
pub(crate) async fn calls_of_a_working_operator() -> Vec<Call> {
    let Working { bench, api, stop, ended } = working(Some("shop"));
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    reaches(&bench, "MigrationRunning").await;
    let job = bench.job("migrate").await;
    bench.complete(&job).await;
    until("the Deployment", || bench.find::<Deployment>(NAME)).await;
    bench.make_ready().await;
    reaches(&bench, "AsAsked").await;
    bench.context.tuner.turn_all().await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
    api.take_calls()
}

#[tokio::test]
async fn an_object_is_worked_on_when_something_of_it_changes() {
    let Working { bench, stop, ended, .. } = working(Some("shop"));
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    reaches(&bench, "SecretNotFound").await;
    bench.database().await;
    reaches(&bench, "MigrationRunning").await;
    let job = bench.job("migrate").await;
    bench.complete(&job).await;
    until("the Deployment", || bench.find::<Deployment>(NAME)).await;
    bench.make_ready().await;
    reaches(&bench, "AsAsked").await;

    let _ = bench.api::<Service>().delete(NAME, &Default::default()).await.unwrap();
    until("the Service", || bench.find::<Service>(NAME)).await;
    let before = bench.pod_annotations().await;
    bench.merge::<Secret>("db", json!({"data": {"url": base64("mysql://farm:rotated@db.example/farm")}})).await;
    until("other pods", || async { (bench.pod_annotations().await != before).then_some(()) }).await;

    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_stops_no_other() {
    let Working { bench, api, stop, ended } = working(None);
    let resource = ApiResource::erase::<FarmLokal>(&());
    let objects: KubeApi<DynamicObject> = KubeApi::namespaced_with(bench.client.clone(), "shop", &resource);
    let bad = DynamicObject::new("bad", &resource).data(json!({"spec": {"replicas": "many"}}));
    objects.create(&PostParams::default(), &bad).await.unwrap();
    bench.ask(json!({})).await;
    until("the Deployment of the good one", || bench.find::<Deployment>(NAME)).await;
    let said = until("the condition of the bad one", || async {
        let object = objects.get("bad").await.unwrap();
        object.data.pointer("/status/conditions").map(ToString::to_string)
    })
    .await;
    assert!(said.contains("Malformed") && said.contains("correct it"), "{said}");

    // Its own status must not make its turn come for ever.
    let mended = Patch::Merge(json!({"spec": {"replicas": 1}}));
    let quiet = || api.take_calls().iter().filter(|call| call.writes() && call.name.as_deref() == Some("bad")).count();
    quiet();
    bench.merge::<FarmLokal>(NAME, json!({"metadata": {"annotations": {"look": "again"}}})).await;
    bench.merge::<FarmLokal>(NAME, json!({"spec": {"ingress": {"host": "a.example"}}})).await;
    until("the Ingress", || bench.find::<k8s_openapi::api::networking::v1::Ingress>(NAME)).await;
    assert_eq!(quiet(), 0);
    objects.patch("bad", &PatchParams::default(), &mended).await.unwrap();
    until("the Deployment of the mended one", || bench.find::<Deployment>("bad")).await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_for_a_while_only_delays() {
    let Working { bench, api, stop, ended } = working(Some("shop"));
    bench.ask(json!({})).await;
    until("the Deployment", || bench.find::<Deployment>(NAME)).await;
    api.fail(|_| Some(http::StatusCode::SERVICE_UNAVAILABLE));
    tokio::time::sleep(Duration::from_millis(50)).await;
    api.recover();
    bench.merge::<Deployment>(NAME, json!({"spec": {"replicas": 9}})).await;
    until("one replica", || async { (bench.replicas().await == Some(1)).then_some(()) }).await;
    bench.make_ready().await;
    reaches(&bench, "AsAsked").await;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap().unwrap();
}

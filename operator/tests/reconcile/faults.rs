//! An API server that does not do as it is asked, and objects it refuses.

use std::sync::atomic::{AtomicUsize, Ordering};

use farmlokal_operator::crd::{ConditionType, FarmLokal};
use http::StatusCode;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use serde_json::json;

use crate::api::Verb;
use crate::played;
use crate::rounds::bench::{NAME, condition, message};

/// Whatever request fails, in whatever way, the rounds after it end where they would have ended.
#[tokio::test]
async fn any_request_may_fail_once() {
    for code in [409, 429, 500, 503].map(|code| StatusCode::from_u16(code).unwrap()) {
        for failing in 0.. {
            let (bench, api) = played::bench();
            bench.database().await;
            bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
            let asked = AtomicUsize::new(0);
            api.fail(move |call| {
                (call.by_operator && asked.fetch_add(1, Ordering::Relaxed) == failing).then_some(code)
            });
            let first = bench.try_round().await;
            api.recover();
            bench.settle().await;
            if first.is_ok() && failing > 40 {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_failed_round_is_an_error_of_its_kind() {
    let (bench, api) = played::bench();
    bench.ask(json!({})).await;
    for (code, category) in
        [(409, "Dereference/Conflict"), (429, "Dereference/Throttled"), (503, "Dereference/Refused")]
    {
        let code = StatusCode::from_u16(code).unwrap();
        api.fail(move |call| (call.by_operator && call.resource == "secrets").then_some(code));
        assert_eq!(bench.try_round().await.unwrap_err().category(), category);
    }
}

#[tokio::test]
async fn one_object_refused_stops_no_other() {
    let (bench, api) = played::bench();
    api.fail(|call| (call.writes() && call.resource == "deployments").then_some(StatusCode::UNPROCESSABLE_ENTITY));
    bench.ask(json!({"ingress": {"host": "shop.example"}})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "Rejected".into()));
    assert!(message(&object, ConditionType::Ready).contains("Deployment corner: made to fail"));
    assert!(bench.find::<k8s_openapi::api::networking::v1::Ingress>(NAME).await.is_some());
    api.recover();
    bench.settle().await;
}

#[tokio::test]
async fn a_route_without_a_gateway_api_is_told() {
    let (bench, _) = played::bench();
    bench.ask(json!({"httpRoute": {"parentRefs": [{"name": "gate"}]}})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "GatewayApiMissing".into()));
    assert!(bench.find::<Deployment>(NAME).await.is_some());
}

#[tokio::test]
async fn an_object_that_goes_meanwhile_is_no_failure() {
    let (bench, _) = played::bench();
    bench.ask(json!({})).await;
    let object = kube::core::DeserializeGuard(Ok(bench.object().await));
    let _ = bench.api::<FarmLokal>().delete(NAME, &Default::default()).await.unwrap();
    let context = std::sync::Arc::clone(&bench.context);
    farmlokal_operator::controller::reconcile(std::sync::Arc::new(object), context).await.unwrap();
    assert!(bench.api::<FarmLokal>().get_opt(NAME).await.unwrap().is_none());
}

#[tokio::test]
async fn an_object_on_its_way_out_is_left_alone() {
    let (bench, api) = played::bench();
    bench.ask(json!({})).await;
    let mut object = bench.object().await;
    object.metadata.deletion_timestamp =
        Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH));
    api.take_calls();
    let guarded = std::sync::Arc::new(kube::core::DeserializeGuard(Ok(object)));
    farmlokal_operator::controller::reconcile(guarded, std::sync::Arc::clone(&bench.context)).await.unwrap();
    assert!(api.take_calls().is_empty());
}

/// An API server that never answers holds a round for a minute, by a clock that is wound on.
#[tokio::test(start_paused = true)]
async fn a_silent_server_ends_the_round() {
    let (handle, mut requests) = silent();
    let context =
        crate::rounds::bench::context(&handle, std::sync::Arc::new(farmlokal_operator::controller::observe::Http));
    let object: FarmLokal = serde_json::from_value(json!({
        "apiVersion": "farmlokal.dev/v1alpha1", "kind": "FarmLokal",
        "metadata": {"name": NAME, "namespace": "shop", "uid": "u"}, "spec": {},
    }))
    .unwrap();
    let guarded = std::sync::Arc::new(kube::core::DeserializeGuard(Ok(object)));
    let error = farmlokal_operator::controller::reconcile(guarded, context).await.unwrap_err();
    assert_eq!(error.category(), "Round/Slow");
    requests.close();
}

/// A client of a server that takes requests and keeps them.
fn silent() -> (kube::Client, tokio::sync::mpsc::UnboundedReceiver<()>) {
    #[derive(Clone)]
    struct Silent(tokio::sync::mpsc::UnboundedSender<()>);
    impl tower_service::Service<http::Request<kube::client::Body>> for Silent {
        type Response = http::Response<kube::client::Body>;
        type Error = std::convert::Infallible;
        type Future = std::future::Pending<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<kube::client::Body>) -> Self::Future {
            let _ = self.0.send(());
            std::future::pending()
        }
    }
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    (kube::Client::new(Silent(sender), "shop"), receiver)
}

#[tokio::test]
async fn events_are_told_at_turns_only() {
    let (bench, api) = played::bench();
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}})).await;
    let told = async || {
        api.take_calls();
        bench.round().await;
        api.take_calls().iter().filter(|call| call.group == "events.k8s.io" && call.verb == Verb::Create).count()
    };
    assert_eq!(told().await, 1, "a Secret is missing; Ready says no more than that");
    assert_eq!(told().await, 0);
    bench.database().await;
    assert!(told().await > 0);
    assert_eq!(told().await, 0);
    let _ = bench.find::<Service>(NAME).await;
}

#[tokio::test]
async fn a_round_in_which_all_is_well_asks_for_nothing() {
    let (bench, api) = played::bench();
    bench.database().await;
    bench.ask(json!({"database": {"secretRef": {"name": "db"}}, "seed": {"rows": 1000}})).await;
    bench.settle().await;
    bench.round().await;
    let object = std::sync::Arc::new(kube::core::DeserializeGuard(Ok(bench.object().await)));
    let context = std::sync::Arc::clone(&bench.context);
    api.take_calls();
    farmlokal_operator::controller::reconcile(std::sync::Arc::clone(&object), context).await.unwrap();
    let calls = api.take_calls();
    assert!(calls.is_empty(), "{calls:?}");

    // A Secret is read when it changed, and only it.
    bench.context.secrets.changed("shop", "db");
    farmlokal_operator::controller::reconcile(object, std::sync::Arc::clone(&bench.context)).await.unwrap();
    let calls: Vec<_> = api.take_calls().into_iter().map(|call| (call.verb, call.name)).collect();
    assert_eq!(calls, [(Verb::Get, Some("db".to_owned()))]);
}

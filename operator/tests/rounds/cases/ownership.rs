//! Whose an object is.

use farmlokal_operator::crd::ConditionType;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use kube::ResourceExt as _;
use serde_json::json;

use crate::rounds::bench::{Bench, NAME, condition, message};

pub(crate) async fn what_somebody_else_has_is_left_alone(bench: &Bench) {
    let theirs = json!({"metadata": {"name": NAME}, "spec": {"ports": [{"port": 1}]}});
    bench.create::<Service>(theirs).await;
    let before: Service = bench.find(NAME).await.unwrap();
    bench.ask(json!({})).await;
    let object = bench.round().await;
    assert_eq!(condition(&object, ConditionType::Ready), ("False".into(), "ForeignObject".into()));
    assert!(message(&object, ConditionType::Ready).contains("Service corner"));
    assert_eq!(bench.find::<Service>(NAME).await.unwrap(), before);
    assert!(bench.find::<Deployment>(NAME).await.is_some(), "the rest is made all the same");

    let _ = bench.api::<Service>().delete(NAME, &Default::default()).await.unwrap();
    bench.settle().await;
    assert!(bench.find::<Service>(NAME).await.unwrap().labels().contains_key("app.kubernetes.io/managed-by"));
}

pub(crate) async fn what_nobody_asks_for_any_more_goes(bench: &Bench) {
    bench.ask(json!({"ingress": {"host": "shop.example"}})).await;
    bench.settle().await;
    assert!(bench.find::<Ingress>(NAME).await.is_some());
    bench.create::<Ingress>(json!({"metadata": {"name": "theirs"}, "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 1}}}}})).await;
    bench.change(json!({"ingress": null, "networkPolicy": {"enabled": false}})).await;
    bench.round().await;
    assert!(bench.find::<Ingress>(NAME).await.is_none());
    assert!(bench.find::<NetworkPolicy>(NAME).await.is_none());
    assert!(bench.find::<Ingress>("theirs").await.is_some());
}

pub(crate) async fn children_go_with_their_object(bench: &Bench) {
    bench.ask(json!({})).await;
    let object = bench.settle().await;
    let owner = &bench.find::<Deployment>(NAME).await.unwrap().owner_references()[0].clone();
    assert_eq!((owner.uid.clone(), owner.controller), (object.uid().unwrap(), Some(true)));
    assert_eq!((owner.kind.as_str(), owner.api_version.as_str()), ("FarmLokal", "farmlokal.dev/v1alpha1"));
}

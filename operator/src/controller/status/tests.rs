//! The status, from what there is.

use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::controller::apply::observe;
use crate::controller::gates::decide;
use crate::controller::kind::Kind;
use crate::controller::sample::instance;

fn at(seconds: i64) -> Time {
    Time(Timestamp::from_second(seconds).unwrap())
}

/// A world whose Deployment has `ready` of 2 pods.
fn world(ready: i32, pods: serde_json::Value) -> World {
    let mut world = World { pods: serde_json::from_value(pods).unwrap(), ..World::default() };
    let available = if ready > 0 { "True" } else { "False" };
    let deployment = json!({
        "metadata": {"name": "corner", "generation": 3},
        "spec": {"replicas": 2, "selector": {}, "template": {"spec": {"containers": [
            {"name": "farmlokal", "image": "farmlokal:7"}]}}},
        "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": ready,
            "availableReplicas": ready, "conditions": [{"type": "Available", "status": available}]},
    });
    world.live.insert(Kind::Deployment, serde_json::from_value(deployment).unwrap());
    world
}

fn told(old: &FarmLokalStatus, world: &World, now: &Time) -> FarmLokalStatus {
    told_of(json!({"replicas": 1}), old, world, now)
}

fn told_of(spec: serde_json::Value, old: &FarmLokalStatus, world: &World, now: &Time) -> FarmLokalStatus {
    let instance = instance(spec);
    let (gates, applied) = (decide(&instance, world, old), observe(world));
    let observed = Observed { instance: &instance, world, gates: &gates, applied: &applied };
    status(old, Some(5), &Outcome::Observed(observed), now)
}

fn ready(status: &FarmLokalStatus) -> (&str, &str, i64) {
    let ready = find(&status.conditions, ConditionType::Ready).unwrap();
    (&ready.status, &ready.reason, ready.last_transition_time.0.as_second())
}

#[test]
fn the_same_world_twice_is_the_same_status() {
    let first = told(&FarmLokalStatus::default(), &world(2, json!([])), &at(10));
    assert_eq!(ready(&first), ("True", "AsAsked", 10));
    assert_eq!(first.version.as_deref(), Some("7"));
    let second = told(&first, &world(2, json!([])), &at(99));
    assert_eq!(second, first, "whatever the time");
}

#[test]
fn a_condition_keeps_the_time_when_it_turned() {
    let first = told(&FarmLokalStatus::default(), &world(0, json!([])), &at(10));
    assert_eq!(ready(&first), ("False", "RolloutInProgress", 10));
    let second = told(&first, &world(1, json!([])), &at(20));
    assert_eq!(ready(&second), ("False", "RolloutInProgress", 10), "the message alone is no turn");
    assert!(find(&second.conditions, ConditionType::Ready).unwrap().message.contains("1 of 2"));
    assert_eq!(find(&second.conditions, ConditionType::Available).unwrap().status, "True");
    let third = told(&second, &world(2, json!([])), &at(30));
    assert_eq!(ready(&third), ("True", "AsAsked", 30));
}

#[test]
fn a_pod_in_trouble_is_told_with_a_remedy() {
    let pod = |state: serde_json::Value, last: serde_json::Value| {
        let container = json!({"name": "farmlokal", "image": "", "imageID": "", "ready": false, "restartCount": 1,
            "state": {"waiting": state}, "lastState": last});
        let labels = json!({"app.kubernetes.io/component": "server"});
        json!([{"metadata": {"name": "corner-x", "labels": labels}, "status": {"containerStatuses": [container]}}])
    };
    for (pods, expected) in [
        (
            pod(json!({"reason": "ImagePullBackOff", "message": "no such image"}), json!({})),
            "correct spec.image or imagePullSecrets: no such image",
        ),
        (
            pod(
                json!({"reason": "CrashLoopBackOff"}),
                json!({"terminated": {"exitCode": 1, "message": "limits.read must be a number"}}),
            ),
            "exit code 1: limits.read must be a number",
        ),
        (
            pod(json!({"reason": "CreateContainerConfigError", "message": "secret \"more\" not found"}), json!({})),
            "secret \"more\" not found",
        ),
    ] {
        let status = told(&FarmLokalStatus::default(), &world(1, pods), &at(10));
        assert_eq!(ready(&status).1, "PodError");
        let message = &find(&status.conditions, ConditionType::Ready).unwrap().message;
        assert!(message.contains(expected) && message.contains("corner-x"), "{message}");
    }
    let starting =
        told(&FarmLokalStatus::default(), &world(1, pod(json!({"reason": "ContainerCreating"}), json!({}))), &at(10));
    assert_eq!(ready(&starting).1, "RolloutInProgress");
}

#[test]
fn what_the_tuner_tells_is_not_ours_to_write() {
    let mut old = told(&FarmLokalStatus::default(), &world(2, json!([])), &at(10));
    let mut conditions = Conditions::new(old.conditions.clone(), Some(5), &Time(Timestamp::UNIX_EPOCH)).into_sorted();
    let mut tuned = conditions[0].clone();
    tuned.type_ = "Tuned".to_owned();
    conditions.push(tuned);
    old.conditions = conditions;
    let new = told(&old, &world(2, json!([])), &at(20));
    assert!(find(&new.conditions, ConditionType::Tuned).is_none());
    assert_eq!(own(&old), new);
}

#[test]
fn every_reason_is_found_by_its_name() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(&reason.to_string()), Some(reason));
    }
}

#[test]
fn a_deprecated_setting_is_a_warning_and_no_obstacle() {
    let spec = json!({"replicas": 1, "config": {"search.index": "false"}});
    let (old, world) = (FarmLokalStatus::default(), world(2, json!([])));
    let status = told_of(spec, &old, &world, &at(10));
    let valid = find(&status.conditions, ConditionType::SpecValid).unwrap();
    assert_eq!((valid.status.as_str(), valid.reason.as_str()), ("True", "DeprecatedSetting"));
    assert_eq!(ready(&status).0, "True");
    let events = crate::controller::events::edges(&old, &status);
    let warned = events.iter().find(|event| event.reason == "DeprecatedSetting").unwrap();
    assert_eq!(format!("{:?}", warned.type_), "Warning");
    assert!(warned.note.as_ref().unwrap().contains("config has search.index"));
}

//! What objects ask for, in full.

use serde_json::{Value, json};

use super::*;
use crate::controller::sample::{defaults, object};
use crate::crd::TuningMode;

fn valid(spec: Value) -> Instance {
    validate(&object(spec), &defaults()).unwrap()
}

fn refused(spec: Value) -> (Reason, String) {
    let invalid = validate(&object(spec), &defaults()).unwrap_err();
    (invalid.reason(), invalid.to_string())
}

#[test]
fn nothing_said_is_one_pod_on_a_volume() {
    let instance = valid(json!({}));
    assert_eq!(instance.scale, Scale::Fixed(1));
    assert_eq!(instance.database, Database::Embedded { size: "8Gi".into(), class: None });
    assert_eq!((instance.seed.rows, instance.seed.blocking), (1_000_000, false));
    assert_eq!(instance.image, "farmlokal:test");
    assert_eq!(instance.secrets().count(), 0);
    assert!(!instance.settings.contains_key("FARMLOKAL_SEED__ROWS"), "the service knows its own default");
}

#[test]
fn a_server_has_two_pods_and_a_budget() {
    let instance = valid(json!({"database": {"secretRef": {"name": "db"}}}));
    assert_eq!(instance.scale, Scale::Fixed(2));
    assert_eq!(instance.seed.rows, 0);
    let Database::Server { url, connections, tuning, .. } = instance.database else { panic!("it is a server") };
    assert_eq!(url, SecretKey { name: "db".into(), key: "url".into() });
    // 100, less 5 reserved, less one each of 4 pods for readiness: 91.
    assert_eq!((connections.available, connections.per_pod_cap), (91, 22));
    assert_eq!((tuning.mode, tuning.interval), (TuningMode::Auto, Duration::from_secs(60)));
}

#[test]
fn pods_are_not_replaced_for_others_to_come() {
    let of = |replicas: i32| valid(json!({"database": {"secretRef": {"name": "db"}}, "replicas": replicas}));
    let (few, many) = (of(2), of(9));
    assert_ne!(few.database, many.database, "the shares differ");
    assert_eq!(few.settings, many.settings, "the tuning file says so");
    assert_eq!(few.settings["FARMLOKAL_DATABASE__MAX_CONNECTIONS_CEILING"], "100");
}

#[test]
fn stopping_keeps_the_share_of_connections() {
    let of =
        |stopped: bool| valid(json!({"database": {"secretRef": {"name": "db"}}, "replicas": 4, "stopped": stopped}));
    let (running, stopped) = (of(false), of(true));
    assert_eq!(stopped.scale, Scale::Stopped);
    assert_eq!(running.database, stopped.database);
}

#[test]
fn tokens_are_issued_under_the_name_that_clients_see() {
    for (spec, issuer) in [
        (json!({}), "http://corner.shop.svc"),
        (json!({"service": {"port": 8080}}), "http://corner.shop.svc:8080"),
        (json!({"ingress": {"host": "a.example"}}), "http://a.example"),
        (json!({"ingress": {"host": "a.example", "tlsSecretName": "cert"}}), "https://a.example"),
        (
            json!({"httpRoute": {"parentRefs": [{"name": "gate"}], "hostnames": ["*.example", "b.example"]}}),
            "https://b.example",
        ),
        (json!({"httpRoute": {"parentRefs": [{"name": "gate"}]}}), "http://corner.shop.svc"),
        (json!({"config": {"oauth.issuer": "https://c.example"}}), "https://c.example"),
    ] {
        assert_eq!(valid(spec.clone()).settings["FARMLOKAL_OAUTH__ISSUER"], issuer, "{spec}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_with_a_remedy() {
    for (spec, reason, remedy) in [
        (json!({"replicas": 2}), Reason::InvalidSpec, "set database.secretRef"),
        (json!({"config": {"database.url": "mysql://a"}}), Reason::InvalidSpec, "set database.secretRef"),
        (json!({"config": {"http.listen": "[::]:1"}}), Reason::InvalidSpec, "set service.port"),
        (json!({"database": {"secretRef": {"name": "db"}}, "replicas": 40}), Reason::BudgetTooSmall, "need 131"),
        (
            json!({"database": {"secretRef": {"name": "db"}}, "tuning": {"minPoolPerPod": 30}}),
            Reason::BudgetTooSmall,
            "raise it",
        ),
    ] {
        let (got, message) = refused(spec.clone());
        assert_eq!(got, reason, "{spec}: {message}");
        assert!(message.contains(remedy), "{spec}: {message}");
    }
}

#[test]
fn suppliers_have_hyphens_and_variables_have_none() {
    let instance = valid(json!({"config": {"suppliers.green-valley.base_url": "https://a.example"}}));
    assert_eq!(instance.settings["FARMLOKAL_SUPPLIERS__GREEN_VALLEY__BASE_URL"], "https://a.example");
}

#[test]
fn the_setting_that_switched_the_index_off_is_passed_on_with_a_warning() {
    let instance = valid(json!({"config": {"search.index": "false"}}));
    assert_eq!(instance.settings["FARMLOKAL_SEARCH__INDEX"], "false");
    assert!(instance.warnings[0].starts_with("config has search.index, which no longer has an effect"));
    assert_eq!(instance.warnings.len(), 1);
    assert!(valid(json!({})).warnings.is_empty());
}

//! `/metrics`: what the table of metrics says, and no more.

use std::collections::{BTreeMap, BTreeSet};

use farmlokal_telemetry::metrics::table::{self, By};
use farmlokal_telemetry::metrics::{Kind, Metric, Values};
use serde_json::{Value, json};

use crate::cases::webhooks;
use crate::service::{Service, product};

/// A sample: its labels and its value.
struct Sample {
    labels: BTreeMap<String, String>,
    value: f64,
}

/// What a scrape shows: samples by name, and types by name.
struct Scrape {
    samples: BTreeMap<String, Vec<Sample>>,
    types: BTreeMap<String, String>,
}

impl Scrape {
    async fn of(service: &Service) -> Self {
        let response = service.client.get(format!("{}/metrics", service.admin)).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let text = response.text().await.unwrap();
        let mut scrape = Self { samples: BTreeMap::new(), types: BTreeMap::new() };
        for line in text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' ')) {
                scrape.types.insert(name.to_owned(), kind.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').unwrap();
                let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap_or((series, ""));
                // No value of ours has a quotation mark in it.
                let pairs = labels.strip_suffix('"').into_iter().flat_map(|labels| labels.split("\","));
                let pair = |pair: &str| pair.split_once("=\"").map(|(key, value)| (key.to_owned(), value.to_owned()));
                let labels = pairs.map(|text| pair(text).unwrap()).collect();
                let sample = Sample { labels, value: value.parse().unwrap() };
                scrape.samples.entry(name.to_owned()).or_default().push(sample);
            }
        }
        scrape
    }

    /// The sum of the samples called `name` that have all of `labels`.
    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let samples = self.samples.get(name).map_or(&[][..], Vec::as_slice);
        let has =
            |sample: &&Sample| labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|it| it == value));
        samples.iter().filter(has).map(|sample| sample.value).sum()
    }
}

/// A bit of everything.
async fn traffic(service: &Service) {
    for path in ["/v1/products", "/v1/products", "/v1/products?search=milk", "/v1/products/999999", "/nowhere"] {
        service.get(path).await;
    }
    for _ in 0..2 {
        service.send("POST", "/v1/products", &[("idempotency-key", "metrics")], &product(json!({}))).await;
    }
    service.send_as(None, "POST", "/v1/products", &[], &product(json!({}))).await;
    service.send_as(Some("Bearer forged"), "DELETE", "/v1/products/1", &[], &Value::Null).await;
    let body = "grant_type=client_credentials&client_id=nobody&client_secret=wrong";
    let request = service.client.post(format!("{}/oauth/token", service.base)).body(body);
    request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    webhooks::of_every_kind(service).await;
}

/// Those that are there only while what they tell of is.
fn may_be_absent(service: &Service, metric: &Metric) -> bool {
    let supplier = metric.name.starts_with("farmlokal.suppliers.");
    let redis = ["farmlokal.redis.calls", "farmlokal.breaker.state"].contains(&metric.name) && !service.has_redis();
    supplier || redis
}

pub async fn are_what_the_table_says(service: &Service) {
    traffic(service).await;
    let is_sampled = async || Scrape::of(service).await.types.contains_key("farmlokal_webhooks_pending");
    service.until("the database was asked what waits there", is_sampled).await;
    let scrape = Scrape::of(service).await;
    let ours = table::GROUPS.iter().filter(|group| matches!(group.by, By::Service | By::Everybody));
    let mut named = BTreeSet::from(["target_info".to_owned()]);
    for metric in ours.flat_map(|group| group.metrics) {
        let name = metric.prometheus_name();
        let Some(kind) = scrape.types.get(&name) else {
            assert!(may_be_absent(service, metric), "{name} is not there");
            continue;
        };
        assert_eq!(kind, metric.prometheus_type(), "{name}");
        let sample = if matches!(metric.kind, Kind::Histogram(_)) { format!("{name}_count") } else { name.clone() };
        for Sample { labels, .. } in &scrape.samples[&sample] {
            check_labels(metric, labels);
        }
        named.insert(name);
    }
    let shown: BTreeSet<_> = scrape.types.keys().cloned().collect();
    assert_eq!(shown, named, "nothing beyond the table");
}

fn check_labels(metric: &Metric, labels: &BTreeMap<String, String>) {
    for label in metric.labels {
        match (labels.get(&label.prometheus_name()), label.values) {
            (Some(value), Values::OneOf(values)) => {
                assert!(values.contains(&value.as_str()), "{}: {value}", metric.name)
            }
            (Some(value), Values::Few(_)) => assert!(!value.is_empty(), "{}: {}", metric.name, label.key),
            (None, _) => assert!(["error.type", "revision"].contains(&label.key), "{}: {}", metric.name, label.key),
        }
    }
    let known: Vec<_> = metric.labels.iter().map(|label| label.prometheus_name()).collect();
    assert!(labels.keys().all(|key| known.contains(key)), "{}: {labels:?}", metric.name);
}

pub async fn count_what_happened(service: &Service) {
    let before = Scrape::of(service).await;
    traffic(service).await;
    service
        .until("all events are applied", async || {
            Scrape::of(service).await.sum("farmlokal_webhooks_applied_total", &[]) > 0.0
        })
        .await;
    let after = Scrape::of(service).await;
    let grown = |name: &str, labels: &[(&str, &str)]| after.sum(name, labels) - before.sum(name, labels);
    let requests = "http_server_request_duration_seconds_count";
    let of = |method, route, status| {
        grown(
            requests,
            &[("http_request_method", method), ("http_route", route), ("http_response_status_code", status)],
        )
    };
    assert_eq!(of("GET", "/v1/products", "200"), 3.0);
    assert_eq!(of("GET", "/v1/products/{id}", "404"), 1.0);
    assert_eq!((of("POST", "/v1/products", "201"), of("POST", "/v1/products", "401")), (2.0, 1.0));
    assert_eq!((of("DELETE", "/v1/products/{id}", "401"), of("GET", "_OTHER", "404")), (1.0, 1.0));
    assert_eq!(grown("farmlokal_cache_answers_total", &[("operation", "listProducts")]), 3.0);
    assert_eq!(grown("farmlokal_searches_total", &[("outcome", "answered")]), 1.0);
    for (name, label, expected) in [
        ("farmlokal_tokens_requests_total", ("outcome", "invalid_client"), 1.0),
        ("farmlokal_tokens_checks_total", ("outcome", "missing"), 1.0),
        ("farmlokal_tokens_checks_total", ("outcome", "invalid"), 1.0),
        ("farmlokal_idempotency_requests_total", ("outcome", "done"), 1.0),
        ("farmlokal_idempotency_requests_total", ("outcome", "replayed"), 1.0),
        ("farmlokal_webhooks_applied_total", ("outcome", "processed"), 1.0),
    ] {
        assert_eq!(grown(name, &[label]), expected, "{name} {label:?}");
    }
    // And whoever waited for the events.
    assert!(grown("farmlokal_tokens_checks_total", &[("outcome", "accepted")]) >= 2.0);
    for (source, outcome) in [
        ("farm-hub", "accepted"),
        ("farm-hub", "duplicate"),
        ("farm-hub", "conflict"),
        ("farm-hub", "unsigned"),
        ("_OTHER", "unsigned"),
    ] {
        let grown = grown("farmlokal_webhooks_received_total", &[("source", source), ("outcome", outcome)]);
        assert_eq!(grown, 1.0, "{source} {outcome}");
    }
    assert_eq!(after.sum("http_server_active_requests", &[]), 0.0, "all came to their end");
}

pub async fn tell_what_waits(service: &Service) {
    webhooks::of_every_kind(service).await;
    webhooks::parked(service).await;
    let parked = async || Scrape::of(service).await.sum("farmlokal_webhooks_parked", &[]) == 1.0;
    service.until("the parked event is counted", parked).await;
    let applied = async || Scrape::of(service).await.sum("farmlokal_webhooks_pending", &[]) == 0.0;
    service.until("nothing is pending", applied).await;
    let scrape = Scrape::of(service).await;
    assert_eq!(scrape.sum("farmlokal_webhooks_lag_seconds", &[]), 0.0);
    assert_eq!(scrape.sum("farmlokal_webhooks_applied_total", &[("outcome", "parked")]), 1.0);
    assert!(scrape.sum("farmlokal_cache_lag_seconds", &[]) < 60.0);
}

/// However many paths, methods and sources clients make up.
pub async fn have_few_series_whatever_is_asked(service: &Service) {
    let series = async || {
        let scrape = Scrape::of(service).await;
        scrape.samples.values().map(Vec::len).sum::<usize>()
    };
    let request = async |n: usize| {
        let (method, path) = match n % 4 {
            0 => ("GET".to_owned(), format!("/{n}")),
            1 => ("GET".to_owned(), format!("/v1/products/{}", crate::service::ROWS as usize + n)),
            2 => (format!("BREW{n}"), format!("/v1/products/{n}")),
            _ => ("POST".to_owned(), format!("/v1/webhooks/source-{n}")),
        };
        let request = service.client.request(method.parse().unwrap(), format!("{}{path}", service.base));
        request.send().await.unwrap().bytes().await.unwrap();
    };
    for n in 1..=400 {
        request(n).await;
    }
    let few = series().await;
    let lanes = (0..8).map(|lane| async move {
        for n in (401 + lane..=10_000).step_by(8) {
            request(n).await;
        }
    });
    futures::future::join_all(lanes).await;
    assert_eq!(series().await, few, "10,000 paths are as many series as 400");
    let scrape = Scrape::of(service).await;
    let answered = scrape.sum("http_server_request_duration_seconds_count", &[]);
    assert!(answered >= 10_000.0, "{answered}");
    assert!(scrape.samples.values().flatten().all(|sample| !sample.labels.contains_key("otel_metric_overflow")));
}

//! `kill -9` while events arrive and are applied: each has its effect once, and none is lost.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use farmlokal::webhooks::SigningSecret;
use farmlokal_catalog::Limit;
use farmlokal_catalog::inbox::State;
use farmlokal_catalog::store::{self, Options};
use farmlokal_testkit::mariadb;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{PATIENCE, Process, farmlokal};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const EVENTS: usize = 40;
const KILLS: usize = 6;

/// Every event makes a product of its own, so that one applied twice would be seen.
fn body(n: usize) -> String {
    json!({"type": "product.upserted", "timestamp": "2026-01-01T00:00:00Z", "data": {
        "externalId": format!("K-{n}"), "name": "Survivor", "category": "Survivors", "price": "1.00", "unit": "kg",
        "producer": "Farm", "stock": n,
    }})
    .to_string()
}

/// Sends the event `n` once; whether the service has said that it has it.
async fn send(client: &reqwest::Client, base: &str, n: usize) -> bool {
    let (id, body) = (format!("evt-{n}"), body(n));
    let at = chrono::Utc::now().timestamp();
    let request = client
        .post(format!("{base}/v1/webhooks/farm-hub"))
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", at.to_string())
        .header("webhook-signature", SECRET.parse::<SigningSecret>().unwrap().sign(&id, at, body.as_bytes()))
        .body(body);
    matches!(request.send().await, Ok(response) if response.status().is_success())
}

fn start(data: &TempDir, database: Option<&str>) -> Process {
    let (mut command, public, admin) = farmlokal(data);
    command.env("FARMLOKAL_WEBHOOKS__SOURCES", format!("farm-hub={SECRET}")).env("FARMLOKAL_WEBHOOKS__POLL_MS", "20");
    command.env("FARMLOKAL_HTTP__DRAIN_DELAY_MS", "0");
    if let Some(url) = database {
        command.env("FARMLOKAL_DATABASE__URL", url);
    }
    Process::serving((command, public, admin))
}

async fn survive(database: Option<&str>) {
    let data = TempDir::new().unwrap();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let (mut sent, mut known): (usize, HashSet<usize>) = (0, HashSet::new());
    for kill in 0..KILLS {
        let mut process = start(&data, database);
        let until = EVENTS * (kill + 1) / KILLS;
        // What was answered before the last kill is sent again: it must be known.
        let earlier: Vec<usize> = (sent.saturating_sub(3)..sent).collect();
        let (base, sender) = (process.public.clone(), client.clone());
        let sending = tokio::spawn(async move {
            let mut known = Vec::new();
            for n in earlier.into_iter().chain(sent..until) {
                if send(&sender, &base, n).await {
                    known.push(n);
                }
            }
            known
        });
        // A little later each time: while it accepts, while it applies, while it has just ended.
        tokio::time::sleep(Duration::from_millis(4 << kill)).await;
        process.child.kill().unwrap();
        process.wait();
        known.extend(sending.await.unwrap());
        sent = until;
    }
    let process = start(&data, database);
    for n in 0..EVENTS {
        // What the service has said it has is not sent again, or it could be lost unnoticed; save a few.
        if !known.contains(&n) || n % 4 == 0 {
            assert!(send(&client, &process.public, n).await, "event {n} is refused");
        }
    }
    let get = async |path: &str| -> Value {
        client.get(format!("{}{path}", process.public)).send().await.unwrap().json().await.unwrap()
    };
    let deadline = Instant::now() + PATIENCE;
    let embedded = format!("sqlite:{}", data.path().join("farmlokal.db").display());
    let url = database.unwrap_or(&embedded).parse().unwrap();
    let inbox = store::open(&url, None, &Options::default()).await.unwrap();
    let source = "farm-hub".parse().unwrap();
    let pending = async || inbox.events(&source, Some(State::Pending), None, Limit::default()).await.unwrap().0;
    while !pending().await.is_empty() {
        assert!(Instant::now() < deadline, "events are never applied");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let products = get("/v1/products?category=Survivors&limit=100").await;
    let mut stocks: Vec<u64> =
        products["data"].as_array().unwrap().iter().map(|product| product["stock"].as_u64().unwrap()).collect();
    stocks.sort_unstable();
    assert_eq!(stocks, (0..EVENTS as u64).collect::<Vec<_>>(), "each once");
    assert!(products["data"].as_array().unwrap().iter().all(|product| product["version"] == 1));
    let categories = get("/v1/categories").await;
    let counted = categories["data"].as_array().unwrap().iter().find(|one| one["name"] == "Survivors").unwrap();
    assert_eq!(counted["products"], EVENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_loses_and_doubles_no_event_embedded() {
    survive(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_loses_and_doubles_no_event_on_mariadb() {
    let database = tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap();
    let url = database.url();
    farmlokal_catalog::store::migrate(&url.parse().unwrap()).await.unwrap();
    survive(Some(&url)).await;
    tokio::task::spawn_blocking(move || drop(database)).await.unwrap();
}

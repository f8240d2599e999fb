//! `kill -9` while changes are made, passed on and delivered: every subscriber hears of each in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal::oauth::{Clients, Scope};
use farmlokal_catalog::store::{self, OAuthStore, Options};
use farmlokal_testkit::mariadb;
use farmlokal_testkit::receiver::{Mood, Receiver};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{PATIENCE, Process, farmlokal};

const KILLS: usize = 6;
const PRODUCTS: usize = 8;

fn start(data: &TempDir, database: Option<&str>) -> Process {
    let (mut command, public, admin) = farmlokal(data);
    command.env("FARMLOKAL_SUBSCRIPTIONS__ALLOW_HTTP", "true");
    command.env("FARMLOKAL_SUBSCRIPTIONS__ALLOW_NETWORKS", "127.0.0.0/8");
    command.env("FARMLOKAL_SUBSCRIPTIONS__SCHEDULE", "50ms 50ms 50ms 50ms 50ms 50ms");
    command.env("FARMLOKAL_SUBSCRIPTIONS__POLL_MS", "10").env("FARMLOKAL_SUBSCRIPTIONS__TIMEOUT_MS", "1000");
    command.env("FARMLOKAL_HTTP__DRAIN_DELAY_MS", "0");
    if let Some(url) = database {
        command.env("FARMLOKAL_DATABASE__URL", url);
    }
    Process::serving((command, public, admin))
}

/// A client of the server's database that may do everything: only an embedded one has the demo client.
async fn client_of(url: &str) -> (String, String) {
    let store: Arc<dyn OAuthStore> = store::open(&url.parse().unwrap(), None, &Options::default()).await.unwrap();
    let scopes = Scope::ALL.into_iter().collect();
    let made = Clients::new(store).unwrap().add("a test", &scopes, chrono::Utc::now().into()).await.unwrap();
    (made.id.clone(), made.secret.expose().to_owned())
}

/// Makes products until it is done or the service is gone.
async fn make(client: reqwest::Client, base: String, token: String) {
    for _ in 0..PRODUCTS {
        let body =
            json!({"name": "Survivor", "category": "Survivors", "price": "1.00", "unit": "kg", "producer": "Farm"});
        if client.post(format!("{base}/v1/products")).bearer_auth(&token).json(&body).send().await.is_err() {
            return;
        }
    }
}

async fn survive(database: Option<&str>) {
    let known = match database {
        Some(url) => Some(client_of(url).await),
        None => None,
    };
    let start = async |data: &TempDir| {
        let mut process = start(data, database);
        process.demo = known.clone().unwrap_or(process.demo.clone());
        let token = process.token().await;
        (process, token)
    };
    let data = TempDir::new().unwrap();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let receiver = Receiver::start();
    // So that a kill is likely to find some on their way.
    receiver.mood("/slow", Mood::Dawdles(Duration::from_millis(30)));
    for kill in 0..KILLS {
        let (mut process, token) = start(&data).await;
        let base = process.public.clone();
        if kill == 0 {
            for path in ["/quick", "/slow"] {
                let body = json!({"url": receiver.url(path)});
                let made = client
                    .post(format!("{base}/v1/subscriptions"))
                    .bearer_auth(&token)
                    .json(&body)
                    .send()
                    .await
                    .unwrap();
                assert_eq!(made.status(), 201);
            }
        }
        let making = tokio::spawn(make(client.clone(), base, token));
        // A little later each time: while changes are made, passed on, sent, noted.
        tokio::time::sleep(Duration::from_millis(4 << kill)).await;
        process.child.kill().unwrap();
        process.wait();
        making.await.unwrap();
    }
    let (process, token) = start(&data).await;
    make(client.clone(), process.public.clone(), token).await;
    let listed: Value = client
        .get(format!("{}/v1/products?category=Survivors&limit=100", process.public))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let made: BTreeSet<i64> =
        listed["data"].as_array().unwrap().iter().map(|product| product["id"].as_i64().unwrap()).collect();
    assert!(made.len() >= PRODUCTS);
    let deadline = Instant::now() + PATIENCE;
    for path in ["/quick", "/slow"] {
        // Until all is told: what the dead had in hand is due again when their time is over.
        while told(&receiver, path) != made {
            assert!(Instant::now() < deadline, "{path}: {:?} of {made:?}", told(&receiver, path));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // Each change is one event, however often it came.
        let mut events: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for received in receiver.received(path) {
            let body = received.body.clone();
            let first = events.entry(received.fields["webhook-id"].clone()).or_insert(received.body);
            assert_eq!(*first, body, "another event under the same id");
        }
        assert_eq!(events.len(), made.len());
    }
}

/// The products that `path` has heard of.
fn told(receiver: &Receiver, path: &str) -> BTreeSet<i64> {
    let id = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["data"]["id"].as_i64().unwrap();
    receiver.received(path).iter().map(|received| id(&received.body)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_keeps_no_change_from_subscribers_embedded() {
    survive(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_service_keeps_no_change_from_subscribers_on_mariadb() {
    let database = tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap();
    let url = database.url();
    farmlokal_catalog::store::migrate(&url.parse().unwrap()).await.unwrap();
    survive(Some(&url)).await;
    tokio::task::spawn_blocking(move || drop(database)).await.unwrap();
}

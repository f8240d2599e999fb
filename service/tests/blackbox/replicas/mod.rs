//! Several services on one database: what one writes the others show, whatever fails between them.

mod events;
mod hearing;
mod outages;
mod tokens;
mod topologies;

use std::time::{Duration, Instant};

use farmlokal::app::{self, App};
use farmlokal_catalog::ProductPatch;
use farmlokal_catalog::store::{self, Options, Store};
use farmlokal_testkit::{mariadb, redis};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::{configure, product, token_of_its_own};

/// One service of several.
struct Replica {
    app: App,
    client: Client,
    /// A token that it has given.
    token: String,
    /// Its search index.
    _folder: TempDir,
}

/// A service on `database` that shares its cache in `redis`, or does without when that is empty.
async fn replica(database: &str, redis: &str) -> Replica {
    replica_with(database, redis, "").await
}

async fn replica_with(database: &str, redis: &str, more: &str) -> Replica {
    let folder = TempDir::new().unwrap();
    let data = folder.path().display();
    let config =
        configure(&format!("[database]\nurl = '{database}'\n[data]\ndir = '{data}'\n[redis]\nurl = '{redis}'\n{more}"));
    let app = app::start(&config).await.unwrap();
    let token = token_of_its_own(&config, app.address).await;
    let replica = Replica { app, client: Client::new(), token, _folder: folder };
    until("it follows the changes", async || replica.admin("cache").await["live"] == true).await;
    replica
}

impl Replica {
    /// Waits until its cache is shared.
    async fn sharing(self) -> Self {
        until("it shares its cache", async || self.admin("cache").await["shared"] == true).await;
        self
    }

    async fn admin(&self, what: &str) -> Value {
        let url = format!("http://{}/v1/admin/{what}", self.app.admin_address);
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Response {
        let url = format!("http://{}{path}", self.app.address);
        let request = self.client.request(method.parse().unwrap(), url).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.send("GET", path, Value::Null).await
    }

    /// The stock of the product 1, and where the answer came from.
    async fn stock(&self) -> (u64, String) {
        let response = self.get("/v1/products/1").await;
        assert_eq!(response.status(), 200);
        let status = response.headers()["cache-status"].to_str().unwrap().to_owned();
        (response.json::<Value>().await.unwrap()["stock"].as_u64().unwrap(), status)
    }

    async fn set_stock(&self, stock: u64) {
        assert_eq!(self.send("PATCH", "/v1/products/1", json!({ "stock": stock })).await.status(), 200);
    }

    /// How long it takes until it shows the stock `stock`, with a deadline.
    async fn shows(&self, stock: u64) -> Duration {
        let started = Instant::now();
        until("it shows the write", async || self.stock().await.0 == stock).await;
        started.elapsed()
    }

    async fn stop(self) {
        self.app.shut_down(Duration::ZERO).await;
    }
}

/// A database with one product.
async fn database() -> mariadb::Database {
    let database = tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap();
    store::migrate(&database.url().parse().unwrap()).await.unwrap();
    let first = replica(&database.url(), "").await;
    assert_eq!(first.send("POST", "/v1/products", product(json!({"stock": 0}))).await.status(), 201);
    first.stop().await;
    database
}

async fn redis() -> redis::Server {
    tokio::task::spawn_blocking(redis::Server::start).await.unwrap()
}

/// Writes as a process that crashes between its commit and what it has to tell: nobody is told.
async fn write_and_crash(database: &mariadb::Database, stock: u32) {
    let store = store::open(&database.url().parse().unwrap(), None, &Options::default()).await.unwrap();
    let id = farmlokal_catalog::ProductId::new(1).unwrap();
    let patch = ProductPatch { stock: Some(stock), ..ProductPatch::default() };
    Store::update(&*store, id, patch, None, chrono::Utc::now().into()).await.unwrap();
    store.close().await;
}

/// Polls until `done`, with a deadline.
async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A second, and what a busy machine may add to it.
const WITHIN: Duration = Duration::from_secs(4);

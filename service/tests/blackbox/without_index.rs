//! A service whose search index is not there yet: another process holds its folder until the test lets go.

use std::fs::{self, File};
use std::time::Duration;

use farmlokal::app::{self, App};
use farmlokal_catalog::store;
use farmlokal_seed::{Plan, progress};
use reqwest::Response;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::service::{configure, problem};

const PLAN: Plan = Plan { rows: 300, batch: 100, seed: 7 };

struct Waiting {
    app: App,
    folder: TempDir,
    /// Held for its lock.
    lock: File,
}

impl Waiting {
    async fn start(search: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (dir, at) = (folder.path().join("search"), folder.path().display());
        fs::create_dir(&dir).unwrap();
        let lock = File::create(dir.join("LOCK")).unwrap();
        lock.lock().unwrap();
        let toml = format!("[database]\nurl = 'sqlite:{at}/catalogue.db'\n[data]\ndir = '{at}'\n[search]\n{search}");
        let config = configure(&toml);
        store::migrate(&config.database.url).await.unwrap();
        let (progress, stop) = (progress::for_stderr(), CancellationToken::new());
        farmlokal_seed::run(&config.database.url, PLAN, &*progress, &stop).await.unwrap();
        Self { app: app::start(&config).await.unwrap(), folder, lock }
    }

    async fn get(&self, path: &str) -> Response {
        reqwest::get(format!("http://{}{path}", self.app.address)).await.unwrap()
    }

    async fn readiness(&self) -> (u16, Value) {
        let response = reqwest::get(format!("http://{}/readyz", self.app.admin_address)).await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap()["checks"]["search"].clone())
    }

    async fn stop(self) {
        self.app.shut_down(Duration::ZERO).await;
        drop(self.folder);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_but_does_not_search_until_the_index_is_there() {
    let service = Waiting::start("").await;
    for path in ["?limit=100", "?category=Dairy&sort=-price", "?minPrice=50&maxPrice=200&sort=name&total=true"] {
        let page: Value = service.get(&format!("/v1/products{path}")).await.json().await.unwrap();
        assert!(!page["data"].as_array().unwrap().is_empty(), "{path}: {page}");
    }
    let searches = ["/v1/products?search=organic", "/v1/products?facets=category", "/v1/suggest?q=orga"];
    for path in searches.into_iter().chain(["/products?search=organic"]) {
        let refused = service.get(path).await;
        assert_eq!(refused.headers()["retry-after"], "5", "{path}");
        let refused = problem(refused).await;
        assert_eq!(refused["type"], "urn:farmlokal:problem:index-building", "{path}");
        assert_eq!(refused["progress"]["built"], 0, "{path}");
    }
    assert_eq!(service.readiness().await, (503, "building".into()));

    service.lock.unlock().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while service.readiness().await != (200, "ok".into()) {
        assert!(Instant::now() < deadline, "the index does not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for path in searches {
        assert_eq!(service.get(path).await.status(), 200, "{path}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_ready_at_once_where_readiness_does_not_wait() {
    let service = Waiting::start("readiness_waits = false").await;
    assert_eq!(service.readiness().await, (200, "building".into()));
    service.stop().await;
}

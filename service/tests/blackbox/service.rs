//! A service of its own for each case: fresh database, known products, free ports.

use std::time::Duration;

use farmlokal::app::{self, App};
use farmlokal::config::{self, Config};
use farmlokal_catalog::store::{self, bulk::BulkProduct};
use farmlokal_seed::{Generator, Plan, progress};
use farmlokal_testkit::mariadb;
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The products every case starts with: those the generator makes for this seed.
pub const ROWS: u64 = 500;
const SEED: u64 = 7;

/// The engines of the suite.
#[allow(non_camel_case_types, reason = "they name the modules of the suite")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, with the search index.
    sqlite,
    /// Embedded, while the search index is not there: SQL answers.
    sqlite_without_index,
    /// MariaDB, with the search index.
    mariadb,
}

/// What a service keeps of its database until it ends; dropping it removes the database.
#[allow(dead_code, reason = "kept to be dropped")]
struct Home {
    folder: TempDir,
    database: Option<mariadb::Database>,
}

pub struct Service {
    pub client: Client,
    pub base: String,
    pub admin: String,
    pub indexed: bool,
    app: App,
    config: Config,
    home: Home,
}

/// The secrets of the source `farm-hub`: the new one and the one it replaces.
pub const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkIHNlY3JldCBvZiB0aGUgZmFybSBodWI="];

/// Everything about webhooks soon: three tries within a moment.
const WEBHOOKS: &str =
    "[webhooks]\nsources = 'farm-hub=NEW,OLD;other=OLD'\npoll_ms = 20\nmax_attempts = 3\nretry_first_ms = 40\n";

/// Subscribers on this machine, everything soon: four tries within a moment.
const SUBSCRIPTIONS: &str = "[subscriptions]\nallow_http = true\nallow_networks = '127.0.0.0/8'\npoll_ms = 20\n\
                             schedule = '40ms 60ms 80ms'\ntimeout_ms = 1000\n";

impl Service {
    pub async fn start(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        let database = match engine {
            Engine::mariadb => Some(tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap()),
            Engine::sqlite | Engine::sqlite_without_index => None,
        };
        let url = match &database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", folder.path().join("catalogue.db").display()),
        };
        let indexed = engine != Engine::sqlite_without_index;
        let config = configure(&format!(
            "[database]\nurl = '{url}'\n[data]\ndir = '{}'\n[search]\nindex = {indexed}\n{}{SUBSCRIPTIONS}",
            folder.path().display(),
            WEBHOOKS.replace("NEW", SECRETS[0]).replace("OLD", SECRETS[1])
        ));
        store::migrate(&config.database.url).await.unwrap();
        let plan = Plan { rows: ROWS, batch: 200, seed: SEED };
        farmlokal_seed::run(&config.database.url, plan, &*progress::for_stderr(), &CancellationToken::new())
            .await
            .unwrap();
        let app = app::start(&config).await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (base, admin) = (format!("http://{}", app.address), format!("http://{}", app.admin_address));
        let service = Self { client, base, admin, indexed, app, config, home: Home { folder, database } };
        if indexed {
            service.until("the index is ready", async || service.search_status().await["state"] == "ready").await;
        }
        service
    }

    /// Polls until `done`, with a deadline.
    pub async fn until(&self, what: &str, done: impl AsyncFn() -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        while !done().await {
            assert!(tokio::time::Instant::now() < deadline, "waited in vain: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a search for `word` finds `count` products: the index follows within a second.
    pub async fn until_found(&self, word: &str, count: usize) {
        let path = format!("/v1/products?search={word}&limit=100");
        let found = async || self.json(&path).await["data"].as_array().unwrap().len() == count;
        self.until(&format!("{count} products with {word}"), found).await;
    }

    /// A further instance of the service on the same database, and where it is.
    pub async fn second(&self) -> (App, String) {
        let app = app::start(&self.config).await.unwrap();
        let base = format!("http://{}", app.address);
        (app, base)
    }

    /// What the admin port says of the index.
    pub async fn search_status(&self) -> Value {
        self.client.get(format!("{}/v1/admin/search", self.admin)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn stop(self) {
        self.app.shut_down(Duration::ZERO).await;
        // Dropping a database asks its server, which blocks.
        tokio::task::spawn_blocking(move || drop(self.home)).await.unwrap();
    }

    /// The products there are at the start.
    pub fn products(&self) -> Vec<BulkProduct> {
        let generator = Generator::new(SEED);
        (1..=ROWS).map(|n| generator.product(n).unwrap()).collect()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    /// The JSON of an answer that is to be 200.
    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        request.send().await.unwrap()
    }

    /// A product made through the API.
    pub async fn create(&self, body: &Value) -> Value {
        let response = self.send("POST", "/v1/products", &[], body).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The ids of all pages from `path` on, following `Link`.
    pub async fn walk(&self, path: &str) -> Vec<i64> {
        let (mut ids, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let response = self.get(&path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            next = response.headers().get("link").map(|link| {
                let link = link.to_str().unwrap();
                link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned()
            });
            let page: Value = response.json().await.unwrap();
            assert_eq!(page["hasMore"], Value::Bool(next.is_some()));
            assert_eq!(page["nextCursor"].is_string(), next.is_some());
            ids.extend(page["data"].as_array().unwrap().iter().map(|product| product["id"].as_i64().unwrap()));
            assert!(ids.len() < 10_000, "the walk does not end");
        }
        ids
    }
}

/// The configuration with free ports and what `toml` adds.
pub fn configure(toml: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    let ports = "[http]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'\n";
    std::fs::write(file.path(), format!("{ports}{toml}")).unwrap();
    config::load(Some(file.path())).unwrap()
}

/// Reads a problem document; its status must be the answer's, its type ours.
pub async fn problem(response: Response) -> Value {
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    assert_eq!(content_type.as_deref(), Some("application/problem+json"), "{status} {text}");
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["status"], status, "{text}");
    assert!(problem["type"].as_str().unwrap().starts_with("urn:farmlokal:problem:"), "{text}");
    assert!(problem["detail"].as_str().unwrap().len() > 10 && problem["title"].is_string(), "{text}");
    problem
}

/// A product to be made, with some fields as given.
pub fn product(fields: Value) -> Value {
    let mut body = serde_json::json!({
        "name": "Test Cheese", "description": "Made for a test.", "category": "Testing", "price": "12.50",
        "unit": "200 g", "producer": "Test Farm", "stock": 3,
    });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

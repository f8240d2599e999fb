//! A service of its own for each case: fresh database, known products, free ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use farmlokal::app::{self, App};
use farmlokal::config::{self, Config};
use farmlokal::oauth::{self, Clients, Credentials, Keys, Scope};
use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::{self, OAuthStore, bulk::BulkProduct};
use farmlokal_seed::{Generator, Plan, progress};
use farmlokal_testkit::{mariadb, redis};
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
    /// Embedded.
    sqlite,
    /// MariaDB.
    mariadb,
    /// The same, with the cache shared in Redis.
    mariadb_and_redis,
}

/// What a service keeps of its database until it ends; dropping it removes the database.
#[allow(dead_code, reason = "kept to be dropped")]
struct Home {
    folder: TempDir,
    database: Option<mariadb::Database>,
    redis: Option<redis::Server>,
}

pub struct Service {
    pub client: Client,
    pub base: String,
    pub admin: String,
    /// A token with every scope, which [`send`](Self::send) sends.
    pub token: String,
    /// The clients, as the command line manages them.
    pub clients: Clients,
    /// The signing keys, as the command line manages them.
    pub keys: Keys,
    /// How many seconds the service's clock is ahead.
    ahead: Arc<AtomicI64>,
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
        Self::start_with(engine, "").await
    }

    /// The same with further configuration: sections as TOML.
    pub async fn start_with(engine: Engine, toml: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let database = match engine {
            Engine::mariadb | Engine::mariadb_and_redis => {
                Some(tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap())
            }
            Engine::sqlite => None,
        };
        let url = match &database {
            Some(database) => database.url(),
            None => format!("sqlite:{}", folder.path().join("catalogue.db").display()),
        };
        let redis = match engine {
            Engine::mariadb_and_redis => Some(tokio::task::spawn_blocking(redis::Server::start).await.unwrap()),
            _ => None,
        };
        let config = configure(&format!(
            "[database]\nurl = '{url}'\n[data]\ndir = '{}'\n{}\n{}\n{SUBSCRIPTIONS}{toml}",
            folder.path().display(),
            redis
                .as_ref()
                .map(|server| format!("[redis]\nurl = '{}'\ntimeout_ms = 5000", server.url()))
                .unwrap_or_default(),
            WEBHOOKS.replace("NEW", SECRETS[0]).replace("OLD", SECRETS[1])
        ));
        store::migrate(&config.database.url).await.unwrap();
        let plan = Plan { rows: ROWS, batch: 200, seed: SEED };
        farmlokal_seed::run(&config.database.url, plan, &*progress::for_stderr(), &CancellationToken::new())
            .await
            .unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let clock = Arc::clone(&ahead);
        let app = app::start_at(&config, Arc::new(move || now(&clock))).await.unwrap();
        let store: Arc<dyn OAuthStore> =
            store::open(&config.database.url, None, &config.database.options).await.unwrap();
        let clients = Clients::new(Arc::clone(&store)).unwrap();
        let keys = oauth::keys(store, &config.oauth).unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let (base, admin) = (format!("http://{}", app.address), format!("http://{}", app.admin_address));
        let (token, home) = (String::new(), Home { folder, database, redis });
        let mut service = Self { client, base, admin, token, clients, keys, ahead, app, config, home };
        let credentials = service.add_client(&Scope::ALL).await;
        service.token = service.token(&credentials).await;
        let shared = service.config.redis.url.is_some();
        let follows = async || {
            let cache = service.admin_json("/v1/admin/cache").await;
            cache["live"] == true && cache["shared"] == shared
        };
        service.until("the cache follows the changes", follows).await;
        service.until("the index is ready", async || service.search_status().await["state"] == "ready").await;
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
        // One service in two places: a token of one is good at the other.
        let mut config = self.config.clone();
        config.oauth.issuer = Some(self.base.clone());
        let app = app::start(&config).await.unwrap();
        let base = format!("http://{}", app.address);
        (app, base)
    }

    /// An answer to who may see everything.
    pub async fn get_own(&self, path: &str) -> Response {
        self.send("GET", path, &[], &Value::Null).await
    }

    /// The JSON of an answer that is to be 200, to who may see everything.
    pub async fn own(&self, path: &str) -> Value {
        let response = self.get_own(path).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Whether the cache is shared in Redis.
    pub fn has_redis(&self) -> bool {
        self.config.redis.url.is_some()
    }

    /// What the admin port says of the index.
    pub async fn search_status(&self) -> Value {
        self.admin_json("/v1/admin/search").await
    }

    /// The JSON of an answer of the admin port.
    pub async fn admin_json(&self, path: &str) -> Value {
        self.client.get(format!("{}{path}", self.admin)).send().await.unwrap().json().await.unwrap()
    }

    /// What time it is for the service.
    pub fn now(&self) -> Timestamp {
        now(&self.ahead)
    }

    /// Puts the service's clock forward.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A new client that may have `scopes`.
    pub async fn add_client(&self, scopes: &[Scope]) -> Credentials {
        self.clients.add("a test", &scopes.iter().copied().collect(), self.now()).await.unwrap()
    }

    /// Asks for a token by Basic authentication.
    pub async fn ask_for_token(&self, Credentials { id, secret }: &Credentials, form: &str) -> Response {
        let request = self.client.post(format!("{}/oauth/token", self.base)).basic_auth(id, Some(secret.expose()));
        request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).send().await.unwrap()
    }

    /// A token for all that a client may have.
    pub async fn token(&self, credentials: &Credentials) -> String {
        token(&self.client, &self.base, credentials).await
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

    /// Sends with the token that may do everything.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let authorization = format!("Bearer {}", self.token);
        self.send_as(Some(&authorization), method, path, headers, body).await
    }

    /// Sends with another `Authorization`, or none.
    pub async fn send_as(
        &self,
        authorization: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Response {
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.base));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
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

fn now(ahead: &AtomicI64) -> Timestamp {
    (Utc::now() + TimeDelta::seconds(ahead.load(Ordering::Relaxed))).into()
}

/// A token of the service at `address` for a client that is made for it and may do everything.
pub async fn token_of_its_own(config: &Config, address: SocketAddr) -> String {
    let database = &config.database;
    let store: Arc<dyn OAuthStore> = store::open(&database.url, None, &database.options).await.unwrap();
    let scopes = Scope::ALL.into_iter().collect();
    let credentials = Clients::new(store).unwrap().add("a test", &scopes, Utc::now().into()).await.unwrap();
    token(&Client::new(), &format!("http://{address}"), &credentials).await
}

/// A token for all that a client may have.
async fn token(client: &Client, base: &str, Credentials { id, secret }: &Credentials) -> String {
    let request = client.post(format!("{base}/oauth/token")).basic_auth(id, Some(secret.expose()));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body("grant_type=client_credentials").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
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

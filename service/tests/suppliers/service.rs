//! A service that has the farm as its supplier.

use std::sync::Arc;
use std::time::Duration;

use farmlokal::app::{self, App};
use farmlokal::config::{self, Config};
use farmlokal::oauth::{Clients, Credentials, Scope};
use farmlokal_catalog::store::{self, OAuthStore, Options};
use farmlokal_testkit::mariadb;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;

pub struct Service {
    pub client: Client,
    pub base: String,
    app: App,
    home: (TempDir, Option<mariadb::Database>),
}

/// The configuration with free ports, an embedded database in `folder`, and what `toml` adds.
pub fn configure(folder: &TempDir, database: &str, toml: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    let base = format!(
        "[http]\nlisten = '127.0.0.1:0'\n[admin]\nlisten = '127.0.0.1:0'\n\
         [database]\nurl = '{database}'\n[data]\ndir = '{}'\n",
        folder.path().display()
    );
    std::fs::write(file.path(), base + toml).unwrap();
    config::load(Some(file.path())).unwrap()
}

impl Service {
    /// On an embedded database.
    pub async fn start(toml: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("catalogue.db").display());
        Self::start_on(folder, None, &url, toml).await
    }

    /// On MariaDB.
    pub async fn start_on_mariadb(toml: &str) -> Self {
        let database = tokio::task::spawn_blocking(mariadb::Database::create).await.unwrap();
        let url = database.url();
        Self::start_on(TempDir::new().unwrap(), Some(database), &url, toml).await
    }

    /// A further one on the same MariaDB.
    pub async fn another(&self, toml: &str) -> Self {
        let url = self.home.1.as_ref().unwrap().url();
        Self::start_on(TempDir::new().unwrap(), None, &url, toml).await
    }

    async fn start_on(folder: TempDir, database: Option<mariadb::Database>, url: &str, toml: &str) -> Self {
        let config = configure(&folder, url, toml);
        store::migrate(&config.database.url).await.unwrap();
        let app = app::start(&config).await.unwrap();
        let base = format!("http://{}", app.address);
        let client = entitled(url, &base).await;
        Self { client, base, app, home: (folder, database) }
    }

    pub async fn stop(self) {
        self.app.shut_down(Duration::ZERO).await;
        // Dropping a database asks its server, which blocks.
        tokio::task::spawn_blocking(move || drop(self.home)).await.unwrap();
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub async fn post(&self, path: &str) -> Response {
        self.client.post(format!("{}{path}", self.base)).send().await.unwrap()
    }

    /// Asks for a sync and follows it to its end.
    pub async fn sync(&self) -> Value {
        let response = self.post("/v1/suppliers/green-valley/sync").await;
        assert_eq!(response.status(), 202);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        ended(&self.client, &format!("{}{location}", self.base)).await
    }

    /// How many products there are, and that none is there twice.
    pub async fn products(&self) -> usize {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.json(&format!("/v1/products?limit=100{cursor}")).await;
            names.extend(page["data"].as_array().unwrap().iter().map(|product| product["name"].to_string()));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "a product is there twice");
        all
    }
}

/// An HTTP client with a token for everything at the service at `base`, whose database is at `url`.
pub async fn entitled(url: &str, base: &str) -> Client {
    let store: Arc<dyn OAuthStore> = store::open(&url.parse().unwrap(), None, &Options::default()).await.unwrap();
    let scopes = Scope::ALL.into_iter().collect();
    let Credentials { id, secret } =
        Clients::new(store).unwrap().add("a test", &scopes, chrono::Utc::now().into()).await.unwrap();
    let request = Client::new().post(format!("{base}/oauth/token")).basic_auth(id, Some(secret.expose()));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer: Value = request.body("grant_type=client_credentials").send().await.unwrap().json().await.unwrap();
    let token = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let headers = [(AUTHORIZATION, token.parse().unwrap())].into_iter().collect();
    Client::builder().default_headers(headers).build().unwrap()
}

/// The sync at `url` once it has ended.
pub async fn ended(client: &Client, url: &str) -> Value {
    until(&format!("{url} ends"), async || {
        let sync: Value = client.get(url).send().await.ok()?.json().await.ok()?;
        ["done", "failed"].contains(&sync["state"].as_str()?).then_some(sync)
    })
    .await
}

/// Polls for what `look` finds, with a deadline.
pub async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

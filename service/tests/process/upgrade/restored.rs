//! A fixture that was restored, the settings it was made with, and the service that opens it.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use chrono::{DateTime, Utc};
use farmlokal_testkit::receiver::Receiver;
use serde_json::Value;
use tempfile::TempDir;

use super::answer::{Answer, list, text};
use super::engine::{Database, Engine, folder};
use super::until;
use crate::child::{Process, farmlokal};

/// Age of every fixture when it is opened: whatever was put off is due, leases are over, nothing is forgotten yet.
const AGE: Duration = Duration::from_secs(600);

/// A copy of a fixture.
pub(super) struct Restored {
    pub(super) database: Database,
    /// Facts of this fixture.
    pub(super) facts: Value,
    /// Secrets it was made with.
    pub(super) secrets: Value,
    /// The receivers of all its subscriptions; accepts what comes.
    pub(super) receiver: Receiver,
    data: TempDir,
}

impl Restored {
    /// The fixture `catalogue` of `release`, migrated.
    pub(super) fn migrated(release: &str, engine: Engine) -> Self {
        let restored = Self::open(release, engine, "catalogue", Utc::now());
        said(&restored.run(&["migrate"]));
        restored
    }

    /// The fixture `name` of `release`, as old at `now` as it always is.
    pub(super) fn open(release: &str, engine: Engine, name: &str, now: DateTime<Utc>) -> Self {
        let facts = fs::read_to_string(folder(release).join("facts.json")).unwrap();
        let mut facts: Value = serde_json::from_str(&facts).unwrap();
        let data = TempDir::new().unwrap();
        let database = Database::restored(release, engine, name, data.path());
        let later = (now - AGE).timestamp_micros() - facts["madeAt"].as_i64().unwrap();
        for (table, columns) in facts["times"].as_object().unwrap() {
            for column in list(columns) {
                database.move_times(table, text(column), later);
            }
        }
        let receiver = Receiver::start();
        let own = facts[engine.name()][name].take();
        if let Some(partners) = own["partners"].as_str() {
            let here = receiver.url("");
            database.execute(&format!("UPDATE subscriptions SET url = REPLACE(url, '{partners}', '{here}')"));
        }
        Self { database, facts: own, secrets: facts["secrets"].take(), receiver, data }
    }

    /// `farmlokal` with the settings of the fixture, on free ports.
    pub(super) fn command(&self) -> (Command, String, String) {
        let (mut command, public, admin) = farmlokal(&self.data);
        let secret = |name: &str| text(&self.secrets[name]);
        command
            .env("FARMLOKAL_DATABASE__URL", self.database.url())
            .env("FARMLOKAL_HTTP__CURSOR_SECRET", secret("cursor"))
            .env("FARMLOKAL_OAUTH__KEY_SECRET", secret("key"))
            .env("FARMLOKAL_OAUTH__ISSUER", secret("issuer"))
            .env("FARMLOKAL_WEBHOOKS__SOURCES", format!("{}={}", secret("source"), secret("sourceSecret")))
            .env("FARMLOKAL_WEBHOOKS__POLL_MS", "20")
            .env("FARMLOKAL_SUBSCRIPTIONS__ALLOW_HTTP", "true")
            .env("FARMLOKAL_SUBSCRIPTIONS__ALLOW_NETWORKS", "127.0.0.0/8")
            .env("FARMLOKAL_SUBSCRIPTIONS__POLL_MS", "20")
            .env("FARMLOKAL_HTTP__DRAIN_DELAY_MS", "0");
        (command, public, admin)
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.command().0.args(arguments).output().unwrap()
    }

    /// Starts the service.
    pub(super) fn serve(&self) -> Upgraded {
        self.serve_with(&[])
    }

    /// Starts the service with further settings.
    pub(super) fn serve_with(&self, settings: &[(String, String)]) -> Upgraded {
        let (mut command, public, admin) = self.command();
        command.envs(settings.iter().cloned());
        let process = Process::logging((command, public, admin), Stdio::null());
        Upgraded { process, client: reqwest::Client::new(), token: String::new() }
    }

    /// Starts the service and gets a token that may do everything.
    pub(super) async fn serve_operator(&self) -> Upgraded {
        self.serve().operated(self).await
    }
}

/// Returns the output of a command, which has to have succeeded.
#[track_caller]
pub(super) fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A service that runs on a fixture.
pub(super) struct Upgraded {
    pub(super) process: Process,
    pub(super) client: reqwest::Client,
    pub(super) token: String,
}

impl Upgraded {
    /// Adds a token of the client that may do everything.
    pub(super) async fn operated(mut self, fixture: &Restored) -> Self {
        let operator = &fixture.facts["clients"][0];
        let granted = self.grant(text(&operator["id"]), text(&operator["good"][0])).await.expect(200).json();
        text(&granted["access_token"]).clone_into(&mut self.token);
        self
    }

    /// Asks for an access token.
    pub(super) async fn grant(&self, id: &str, secret: &str) -> Answer {
        let request = self.client.post(format!("{}/oauth/token", self.process.public)).basic_auth(id, Some(secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Answer::to(request.body("grant_type=client_credentials")).await
    }

    /// A request with the token.
    pub(super) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.process.public);
        self.client.request(method.parse().unwrap(), url).bearer_auth(&self.token)
    }

    /// Answer to a GET with the token.
    pub(super) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request("GET", path)).await
    }

    /// Answer to `method` with the token and `body`.
    pub(super) async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(method, path).json(body)).await
    }

    /// Waits until the search index answers, and knows all that the table has.
    pub(super) async fn indexed(&self) {
        until("the search index", async || {
            let status = Answer::to(self.client.get(format!("{}/v1/admin/search", self.process.admin))).await.json();
            (status["serving"] == true && status["lagRows"] == 0).then_some(())
        })
        .await;
    }
}

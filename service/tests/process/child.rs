//! A `farmlokal` process that does not outlive its test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use farmlokal_testkit::port;
use tempfile::TempDir;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) public: String,
    pub(crate) admin: String,
    /// The demo client's id and secret.
    pub(crate) demo: (String, String),
}

/// `farmlokal` on free ports and the folder `data`.
pub(crate) fn farmlokal(data: &TempDir) -> (Command, String, String) {
    let (public, admin) = (format!("127.0.0.1:{}", port::free()), format!("127.0.0.1:{}", port::free()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_farmlokal"));
    command
        .env("FARMLOKAL_HTTP__LISTEN", &public)
        .env("FARMLOKAL_ADMIN__LISTEN", &admin)
        .env("FARMLOKAL_DATA__DIR", data.path())
        .env("FARMLOKAL_SEED__ROWS", "300")
        .env_remove("FARMLOKAL_DATABASE__URL")
        .stdin(Stdio::null());
    (command, public, admin)
}

impl Process {
    /// Starts `command` and waits until it says that it serves.
    pub(crate) fn serving(launch: (Command, String, String)) -> Self {
        Self::logging(launch, Stdio::null())
    }

    /// The same with its log in `log`.
    pub(crate) fn logging((mut command, public, admin): (Command, String, String), log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|line| !line.contains("Ctrl-C ends it"))
            .collect::<Vec<_>>();
        assert!(said.iter().any(|line| line.contains(&format!("http://{public}/docs"))), "it did not start: {said:?}");
        let demo = (word_behind(&said, "client_id"), word_behind(&said, "client_secret"));
        Self { child, public: format!("http://{public}"), admin: format!("http://{admin}"), demo }
    }

    /// A token of the demo client.
    pub(crate) async fn token(&self) -> String {
        let (id, secret) = &self.demo;
        let request = reqwest::Client::new().post(format!("{}/oauth/token", self.public)).basic_auth(id, Some(secret));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body("grant_type=client_credentials").send().await.unwrap();
        let answer: serde_json::Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Waits until `/readyz` says yes, which it does once the search index is there.
    pub(crate) async fn ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while reqwest::get(format!("{}/readyz", self.admin)).await.unwrap().status() != 200 {
            assert!(Instant::now() < deadline, "it does not get ready");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }
}

/// What follows `name` in the lines that a command printed; empty if they do not have it.
pub(crate) fn word_behind(lines: &[String], name: &str) -> String {
    let word = lines.iter().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '));
    word.unwrap_or_default().trim().to_owned()
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status().unwrap();
    assert!(status.success(), "kill -{name} {}", child.id());
}

/// Waits for the end of `child`, with a deadline.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < deadline, "the process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The real program, to be killed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use farmlokal_seed::Plan;

use super::Target;

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `farmlokal-seed`; killed if it still runs when this is dropped.
pub struct Seeder {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Seeder {
    pub fn start(target: &Target, plan: Plan) -> Self {
        Self::start_at(&target.url_text(), plan)
    }

    pub fn start_at(url: &str, plan: Plan) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_farmlokal-seed"))
            .args([
                "--rows",
                &plan.rows.to_string(),
                "--batch",
                &plan.batch.to_string(),
                "--seed",
                &plan.seed.to_string(),
            ])
            .env("FARMLOKAL_DATABASE__URL", url)
            .env("RUST_LOG", "farmlokal_seed=info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Waits until `rows` products are recorded in `target`, or the program is at its end.
    pub async fn reaches(&mut self, target: &Target, rows: u64) {
        let deadline = Instant::now() + PATIENCE;
        while target.recorded().await.0 < rows && self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "{rows} products were not there in time");
        }
    }

    /// Waits until the program logs a line that holds `news`; whether it did before its end.
    pub fn logs(&mut self, news: &str) -> bool {
        self.stderr.by_ref().lines().any(|line| line.unwrap().contains(news))
    }

    /// Ends it as a loss of power would: no handler runs.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends what Ctrl-C sends.
    pub fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for its end: how it ended, and all it wrote that was not read yet.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut said).unwrap();
        }
        (self.child.wait().unwrap(), said)
    }
}

impl Drop for Seeder {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

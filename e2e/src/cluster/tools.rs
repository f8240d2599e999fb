//! kubectl and Helm, as a user has them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long [`Tools::until`] waits between two looks.
const POLL: Duration = Duration::from_millis(250);

/// The programs, and the cluster that they speak to.
#[derive(Debug, Clone)]
pub struct Tools {
    /// `helm`.
    pub helm: PathBuf,
    /// `kubectl`.
    pub kubectl: PathBuf,
    /// The cluster.
    pub kubeconfig: PathBuf,
}

impl Tools {
    /// What `kubectl` prints; `words` have spaces between them.
    ///
    /// # Errors
    ///
    /// When it fails; the message has what it complained of.
    pub fn kubectl(&self, words: &str) -> Result<String, String> {
        output(self.command(&self.kubectl).args(words.split(' ')))
    }

    /// The same with an argument that has spaces in it.
    ///
    /// # Errors
    ///
    /// As [`kubectl`](Self::kubectl).
    pub fn kubectl_with(&self, words: &str, last: &str) -> Result<String, String> {
        output(self.command(&self.kubectl).args(words.split(' ')).arg(last))
    }

    /// `kubectl apply`, of a text.
    ///
    /// # Errors
    ///
    /// As [`kubectl`](Self::kubectl).
    pub fn apply(&self, manifest: &str) -> Result<(), String> {
        let mut command = self.command(&self.kubectl);
        command.args(["apply", "--filename", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let fail = |error: std::io::Error| format!("kubectl apply: {error}");
        let mut child = command.spawn().map_err(fail)?;
        child.stdin.take().map_or(Ok(()), |mut input| input.write_all(manifest.as_bytes())).map_err(fail)?;
        let output = child.wait_with_output().map_err(fail)?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("kubectl apply: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// What `helm` prints.
    ///
    /// # Errors
    ///
    /// As [`kubectl`](Self::kubectl).
    pub fn helm(&self, words: &str) -> Result<String, String> {
        output(self.command(&self.helm).args(words.split(' ')))
    }

    /// Waits, `seconds` at the most, until `look` finds something.
    ///
    /// # Errors
    ///
    /// When that does not come; the message says what was waited for, and what the last look failed with.
    pub fn until<T>(
        &self,
        what: &str,
        seconds: u64,
        mut look: impl FnMut() -> Result<Option<T>, String>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        loop {
            let last = match look() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => String::new(),
                Err(error) => format!(": {error}"),
            };
            if Instant::now() >= deadline {
                return Err(format!("{what}: not within {seconds} s{last}"));
            }
            thread::sleep(POLL);
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null());
        command
    }
}

fn output(command: &mut Command) -> Result<String, String> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let line = format!("{program} {}", words.join(" "));
    let output = command.output().map_err(|error| format!("{line}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(said.into_owned());
    }
    Err(format!("{line}: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

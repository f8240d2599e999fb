//! A server process that cannot outlive its owner.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The server's output, in its directory.
const LOG: &str = "log";
/// How many of the log's last lines an error quotes.
const LOG_TAIL: usize = 20;
/// How long [`Process::wait_until`] sleeps between two looks.
const POLL: Duration = Duration::from_millis(20);

/// Ends the server `$1` and removes its directory `$2` once standard input is closed: by
/// [`Process::drop`], or by the kernel when the owner was killed and no destructor ran.
const KEEPER: &str = r#"
read -r _
kill -TERM "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 200 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
kill -KILL "$1" 2>/dev/null
rm -rf "$2"
"#;

/// A running server with a directory of its own; dropping it ends the one and removes the other.
///
/// The same happens within moments when the owning process dies of Ctrl-C or `kill -9`. The server
/// gets SIGTERM, and SIGKILL when it is still there after ten seconds.
#[derive(Debug)]
pub struct Process {
    server: Child,
    keeper: Child,
    directory: TempDir,
}

impl Process {
    /// Starts `command`, with no input, and with its output in the file `log` of `directory`.
    ///
    /// # Errors
    ///
    /// When the program cannot be started; the message names it.
    pub fn start(mut command: Command, directory: TempDir) -> Result<Self, String> {
        let program = command.get_program().to_owned();
        let fail = |error| format!("could not start {program:?}: {error}");
        let log = File::create(directory.path().join(LOG)).map_err(fail)?;
        let errors = log.try_clone().map_err(fail)?;
        // Groups of their own keep a terminal's Ctrl-C from the server until its owner is done.
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        let mut server = command.spawn().map_err(fail)?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", &server.id().to_string()])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match keeper {
            Ok(keeper) => Ok(Self { server, keeper, directory }),
            Err(error) => {
                // Nothing more can be done than to try: the error that matters is `error`.
                let _ = server.kill();
                let _ = server.wait();
                Err(format!("could not start sh: {error}"))
            }
        }
    }

    /// The server's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// The server's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it has printed so far, errors included.
    #[must_use]
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory().join(LOG)).unwrap_or_default()).into_owned()
    }

    /// Waits until `ready` says true, for at most `limit`.
    ///
    /// # Errors
    ///
    /// When the server ended, or `limit` has passed; the message ends in the tail of its log.
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        while !ready() {
            let ended = self.server.try_wait().map_err(|error| error.to_string())?;
            if let Some(status) = ended {
                return Err(format!("ended with {status}; its log:\n{}", self.log_tail()));
            }
            if Instant::now() >= deadline {
                return Err(format!("not ready after {limit:?}; its log:\n{}", self.log_tail()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    fn log_tail(&self) -> String {
        tail(&fs::read(self.directory().join(LOG)).unwrap_or_default())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Closing the keeper's input is the order to stop. A destructor has nobody to tell of an
        // error, and the keeper kills what does not go by itself, so that neither wait can hang.
        drop(self.keeper.stdin.take());
        let _ = self.server.wait();
        let _ = self.keeper.wait();
    }
}

fn tail(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        Process::start(command, directory).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn ends_with_its_owner() {
        let process = shell("exec sleep 1000");
        let (id, directory) = (process.server.id(), process.directory().to_owned());
        drop(process);
        let alive = Command::new("kill").args(["-0", &id.to_string()]).output();
        assert!(!alive.is_ok_and(|it| it.status.success()), "{id} is still there");
        assert!(!directory.exists());
    }

    #[test]
    fn an_early_end_is_told_with_the_log() {
        let error = shell("echo no space left; exit 3").wait_until(Duration::from_secs(10), || false);
        assert_eq!(error, Err("ended with exit status: 3; its log:\nno space left".to_owned()));
    }

    #[test]
    fn a_deadline_is_told_with_the_log() {
        let error =
            shell("echo thinking; exec sleep 1000").wait_until(Duration::from_millis(300), || false).unwrap_err();
        assert_eq!(error, "not ready after 300ms; its log:\nthinking");
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        let log: String = (1..=50).map(|line| format!("{line}\n")).collect();
        let tail = tail(log.as_bytes());
        assert!(tail.starts_with("31\n") && tail.ends_with("\n50"), "{tail}");
    }
}

//! Redis: private servers that start in a moment, so that each test may have its own and break it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::Process;
use crate::{port, program};

const READY_WITHIN: Duration = Duration::from_secs(20);

/// What every server starts with: nothing on disk, and nobody from elsewhere.
const OPTIONS: [&str; 6] = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];

/// A Redis of its own on a free port of 127.0.0.1. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    port: u16,
    process: Process,
}

impl Server {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When Redis is not installed, or does not come up; the message quotes its log.
    #[must_use]
    pub fn start() -> Self {
        Self::start_on(port::free(), &[])
    }

    /// The same with further options of `redis-server`: `["--maxmemory", "1mb"]`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        Self::start_on(port::free(), options)
    }

    /// The same on a port that a server had before, so that its clients find this one.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_on(port: u16, options: &[&str]) -> Self {
        let mut command = Command::new(find("redis-server"));
        let directory = directory();
        command.args(OPTIONS).args(["--port", &port.to_string()]).arg("--dir").arg(directory.path()).args(options);
        Self::launch(command, directory, port, &["ping"])
    }

    /// A sentinel that watches the server at `master`'s port under the name `name`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn sentinel(name: &str, master: &Self) -> Self {
        let (port, directory) = (port::free(), directory());
        let file = directory.path().join("sentinel.conf");
        let lines = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor {name} 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds {name} 300\nsentinel failover-timeout {name} 2000\n",
            master.port
        );
        if let Err(error) = std::fs::write(&file, lines) {
            panic!("could not write {}: {error}", file.display());
        }
        let mut command = Command::new(find("redis-server"));
        command.arg(&file).arg("--sentinel").arg("--dir").arg(directory.path());
        Self::launch(command, directory, port, &["ping"])
    }

    fn launch(command: Command, directory: TempDir, port: u16, question: &[&str]) -> Self {
        let launched = Process::start(command, directory).and_then(|mut process| {
            // A password or TLS may be asked for: that it answers is enough.
            process.wait_until(READY_WITHIN, || ask(port, question).is_ok_and(|said| !said.contains("refused")))?;
            Ok(process)
        });
        match launched {
            Ok(process) => Self { port, process },
            Err(error) => panic!("Redis {error}"),
        }
    }

    /// `redis://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it answers to a command, as `redis-cli` prints it: `["GET", "key"]`.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub fn run(&self, command: &[&str]) -> String {
        match ask(self.port, command) {
            Ok(said) => said,
            Err(error) => panic!("Redis on port {}: {error}\nin: {command:?}", self.port),
        }
    }

    /// Stops answering, with all connections open.
    ///
    /// # Panics
    ///
    /// When the process cannot be reached.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Goes on.
    ///
    /// # Panics
    ///
    /// When the process cannot be reached.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {signal} failed");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A stopped process would not hear that it is to end.
        self.resume();
    }
}

fn directory() -> TempDir {
    match tempfile::Builder::new().prefix("farmlokal-redis-").tempdir() {
        Ok(directory) => directory,
        Err(error) => panic!("no temporary directory for Redis: {error}"),
    }
}

fn find(name: &str) -> PathBuf {
    match program::find(name) {
        Some(path) => path,
        None => panic!("{name} was not found: apt-get install redis-server, or let `cargo xtask test` do it"),
    }
}

fn ask(port: u16, command: &[&str]) -> Result<String, String> {
    let output = Command::new(find("redis-cli")).args(["-p", &port.to_string()]).args(command).output();
    let output = output.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_and_can_be_replaced_on_its_port() {
        let server = Server::start();
        assert_eq!(server.run(&["SET", "milk", "fresh"]), "OK");
        assert_eq!(server.run(&["GET", "milk"]), "fresh");
        let port = server.port();
        drop(server);
        let next = Server::start_on(port, &[]);
        assert_eq!(next.run(&["GET", "milk"]), "");
    }

    #[test]
    fn sentinels_know_their_master() {
        let master = Server::start();
        let sentinel = Server::sentinel("main", &master);
        let address = sentinel.run(&["SENTINEL", "get-master-addr-by-name", "main"]);
        assert_eq!(address, format!("127.0.0.1\n{}", master.port()));
    }
}

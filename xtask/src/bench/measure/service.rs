//! The service under load: the release binary on a database that is there.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;

use farmlokal_testkit::http::Client;

/// Known here, to see where a cursor leads.
pub(super) const CURSOR_SECRET: &str = "bench";

const READY_WITHIN: Duration = Duration::from_secs(600);

/// The core of a server that gets one; the load comes from another.
pub(super) const SERVER_CORE: &str = "0";

/// The program beside this one.
pub(super) fn program() -> Result<PathBuf, String> {
    let this = env::current_exe().map_err(|error| format!("farmlokal: {error}"))?;
    Ok(this.with_file_name("farmlokal"))
}

/// A running service, ended when dropped.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    pub(super) admin: SocketAddr,
    process: Process,
}

/// What the service holds of the machine's memory, in megabytes.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub(super) now: f64,
    pub(super) peak: f64,
}

impl Service {
    /// Starts the program beside this one on `database`, without a cache unless `settings` (environment variables
    /// without their prefix) say so, and waits until it is ready, its search index included.
    pub(super) fn start(database: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        Self::launch(Command::new(program()?), database, settings)
    }

    /// The same on the first core alone.
    pub(super) fn start_on_one_core(database: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        let mut command = Command::new("taskset");
        command.args(["-c", SERVER_CORE]).arg(program()?);
        Self::launch(command, database, settings)
    }

    /// The same with OpenTelemetry's own `variables`.
    pub(super) fn start_traced(
        database: &str,
        settings: &[(&str, &str)],
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let mut command = Command::new("taskset");
        command.args(["-c", SERVER_CORE]).arg(program()?).envs(variables.iter().copied());
        Self::launch(command, database, settings)
    }

    fn launch(mut command: Command, database: &str, settings: &[(&str, &str)]) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("farmlokal: {error}");
        let directory = tempfile::tempdir().map_err(fail)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        command
            .current_dir(directory.path())
            .env("FARMLOKAL_DATABASE__URL", database)
            .env("FARMLOKAL_HTTP__LISTEN", address.to_string())
            .env("FARMLOKAL_HTTP__CURSOR_SECRET", CURSOR_SECRET)
            .env("FARMLOKAL_ADMIN__LISTEN", admin.to_string())
            .env("FARMLOKAL_CACHE__TTL_MS", "0")
            .env("FARMLOKAL_LOG__FILTER", "warn")
            .envs(settings.iter().map(|(name, value)| (format!("FARMLOKAL_{name}"), value)));
        let mut process = Process::start(command, directory)?;
        process
            .wait_until(READY_WITHIN, || Client::new(admin).get("/readyz").is_ok_and(|(status, _)| status == 200))
            .map_err(|error| format!("farmlokal {error}"))?;
        Ok(Self { address, admin, process })
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it holds by now, and the most it ever held.
    pub(super) fn memory(&self) -> Result<Memory, String> {
        let file = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kilobytes * 1024.0 / 1e6)
        };
        let missing = || format!("{file} has no memory figures");
        Ok(Memory { now: megabytes("VmRSS:").ok_or_else(missing)?, peak: megabytes("VmHWM:").ok_or_else(missing)? })
    }
}

//! The service under load: the release binary on a database that is there.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;

use super::http::Client;

/// Known here, to see where a cursor leads.
pub(super) const CURSOR_SECRET: &str = "bench";

const READY_WITHIN: Duration = Duration::from_secs(60);

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
    /// Starts the program beside this one, with or without a search index, and waits until it is ready;
    /// the index is not by then.
    pub(super) fn start(database: &str, index: bool) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("farmlokal: {error}");
        let program = env::current_exe().map_err(fail)?.with_file_name("farmlokal");
        let directory = tempfile::tempdir().map_err(fail)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let mut command = Command::new(program);
        command
            .current_dir(directory.path())
            .env("FARMLOKAL_DATABASE__URL", database)
            .env("FARMLOKAL_HTTP__LISTEN", address.to_string())
            .env("FARMLOKAL_HTTP__CURSOR_SECRET", CURSOR_SECRET)
            .env("FARMLOKAL_ADMIN__LISTEN", admin.to_string())
            .env("FARMLOKAL_SEARCH__INDEX", index.to_string())
            .env("FARMLOKAL_LOG__FILTER", "warn");
        let mut process = Process::start(command, directory)?;
        process
            .wait_until(READY_WITHIN, || Client::new(admin).get("/readyz").is_ok_and(|(status, _)| status == 200))
            .map_err(|error| format!("farmlokal {error}"))?;
        Ok(Self { address, admin, process })
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

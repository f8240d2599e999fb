//! A process that serves, as the operator sees a pod: metrics to scrape, a file to write.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use farmlokal_operator::controller::observe::{Http, Scrape as _};
use farmlokal_operator::tune::Sample;
use farmlokal_telemetry::tuning::{FILE_NAME, Tuning};
use farmlokal_testkit::http::Client;
use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running service; ended when dropped.
#[derive(Debug)]
pub struct Pod {
    /// As the tuning file names it.
    pub uid: String,
    /// Where its API answers.
    pub address: SocketAddr,
    admin: SocketAddr,
    file: PathBuf,
    /// Held for its destructor.
    _process: Process,
}

impl Pod {
    /// Starts `farmlokal`, a command without arguments, on the database at `url` and with the tuning file `first`; its
    /// cache is off, so that requests come to the database.
    ///
    /// # Errors
    ///
    /// When it does not come up; the message has its log.
    pub fn start(mut farmlokal: Command, url: &str, uid: &str, first: &Tuning) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let file = directory.path().join(FILE_NAME);
        write(&file, first)?;
        farmlokal
            .current_dir(directory.path())
            .env("FARMLOKAL_DATABASE__URL", url)
            .env("FARMLOKAL_DATABASE__TUNING_FILE", &file)
            .env("FARMLOKAL_DATABASE__POD_UID", uid)
            .env("FARMLOKAL_DATABASE__MAX_CONNECTIONS", first.limit_of(Some(uid)).to_string())
            .env("FARMLOKAL_HTTP__LISTEN", address.to_string())
            .env("FARMLOKAL_ADMIN__LISTEN", admin.to_string())
            .env("FARMLOKAL_DATA__DIR", directory.path().join("data"))
            // The same for all, so that a token of one is good for the others.
            .env("FARMLOKAL_OAUTH__ISSUER", "http://farmlokal.test")
            .env("FARMLOKAL_CACHE__TTL_MS", "0")
            .env("FARMLOKAL_LOG__FILTER", "warn");
        let mut process = Process::start(farmlokal, directory)?;
        process
            .wait_until(READY_WITHIN, || Client::new(admin).get("/readyz").is_ok_and(|(status, _)| status == 200))
            .map_err(|error| format!("farmlokal {error}"))?;
        Ok(Self { uid: uid.to_owned(), address, admin, file, _process: process })
    }

    /// What its metrics say; `None` when it does not answer, or they are of no use.
    pub async fn sample(&self) -> Option<Sample> {
        Sample::parse(&Http.scrape(self.admin).await?).ok()
    }

    /// Has it follow `tuning` from its next look at the file on.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn publish(&self, tuning: &Tuning) -> Result<(), String> {
        write(&self.file, tuning)
    }
}

/// Writes the file as a mounted ConfigMap changes: at once.
fn write(file: &Path, tuning: &Tuning) -> Result<(), String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = serde_json::to_string(tuning).map_err(|error| fail(&error))?;
    let next = file.with_extension("next");
    fs::write(&next, text).map_err(|error| fail(&error))?;
    fs::rename(&next, file).map_err(|error| fail(&error))
}

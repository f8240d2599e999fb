//! The first start of the embedded service: from an empty folder until searches answer.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use farmlokal_testkit::http::Client;
use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;

use super::service::program;

const SEARCH: &str = "/v1/products?search=organic&limit=1";
const WITHIN: Duration = Duration::from_secs(1_800);

/// Time and disk of a first start.
pub(super) struct FirstStart {
    /// Until the first search is answered.
    seconds: f64,
    /// Of the data folder then: database and search index.
    megabytes: f64,
}

impl FirstStart {
    /// Starts the program beside this one in an empty folder, with `rows` products.
    pub(super) fn measure(rows: u64) -> Result<Self, String> {
        println!("==> first start, until searches answer");
        let fail = |error: std::io::Error| format!("farmlokal: {error}");
        let directory = tempfile::tempdir().map_err(fail)?;
        let data = directory.path().join("data");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let mut command = Command::new(program()?);
        command
            .current_dir(directory.path())
            .env("FARMLOKAL_DATA__DIR", &data)
            .env("FARMLOKAL_HTTP__LISTEN", address.to_string())
            .env("FARMLOKAL_ADMIN__LISTEN", SocketAddr::from((Ipv4Addr::LOCALHOST, port::free())).to_string())
            .env("FARMLOKAL_SEED__ROWS", rows.to_string())
            .env("FARMLOKAL_LOG__FILTER", "warn");
        let start = Instant::now();
        let mut process = Process::start(command, directory)?;
        process
            .wait_until(WITHIN, || Client::new(address).get(SEARCH).is_ok_and(|(status, _)| status == 200))
            .map_err(|error| format!("farmlokal {error}"))?;
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = bytes(&data).map_err(fail)? as f64 / 1e6;
        println!("    {seconds:.1} s, {megabytes:.0} MB on disk");
        Ok(Self { seconds, megabytes })
    }

    /// The line of the document.
    pub(super) fn line(&self) -> String {
        let Self { seconds, megabytes } = self;
        format!(
            "\nThe first start of the embedded service takes {seconds:.1} s from an empty folder until searches answer: the \
             index is built while the products are seeded. Database and index then take {megabytes:.0} MB on disk.\n"
        )
    }
}

/// The bytes of all files below `folder`.
fn bytes(folder: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

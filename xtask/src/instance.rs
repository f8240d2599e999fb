//! A `farmlokal` of its own: embedded, on free ports, with data that go with it.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;

use crate::command::{cargo, run};

/// The port is open only once the catalogue is seeded and served.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running `farmlokal`, stopped when dropped.
pub(crate) struct Instance {
    address: SocketAddr,
    _process: Process,
}

impl Instance {
    /// Builds `farmlokal` in the profile of this very program, starts it with `rows` products and
    /// waits until it is ready.
    pub(crate) fn start(rows: u32) -> Result<Self, String> {
        run(&mut cargo("build --package farmlokal"))?;
        let fail = |error: std::io::Error| format!("farmlokal: {error}");
        let program = env::current_exe().map_err(fail)?.with_file_name("farmlokal");
        let directory = tempfile::tempdir().map_err(fail)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let mut command = Command::new(program);
        command
            .current_dir(directory.path())
            .env("FARMLOKAL_HTTP__LISTEN", address.to_string())
            .env("FARMLOKAL_ADMIN__LISTEN", admin.to_string())
            .env("FARMLOKAL_DATA__DIR", directory.path().join("data"))
            .env("FARMLOKAL_SEED__ROWS", rows.to_string());
        let mut process = Process::start(command, directory)?;
        process
            .wait_until(READY_WITHIN, || is_ready(admin).unwrap_or(false))
            .map_err(|error| format!("farmlokal {error}"))?;
        Ok(Self { address, _process: process })
    }

    /// Where its API answers: `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Whether `/readyz` of `admin` answers 200. By hand: one request needs no HTTP client.
fn is_ready(admin: SocketAddr) -> std::io::Result<bool> {
    let mut connection = TcpStream::connect(admin)?;
    connection.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(connection, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200".len()];
    connection.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

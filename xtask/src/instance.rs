//! A `farmlokal` of its own: embedded, on free ports, with data that go with it.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
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
    process: Process,
}

impl Instance {
    /// Builds `farmlokal` in the profile of this very program, starts it with `rows` products and
    /// waits until it is ready.
    pub(crate) fn start(rows: u32) -> Result<Self, String> {
        run(&mut cargo("build --package farmlokal"))?;
        let fail = |error: std::io::Error| format!("farmlokal: {error}");
        let directory = tempfile::tempdir().map_err(fail)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let mut command = Command::new(program()?);
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
        Ok(Self { address, process })
    }

    /// Where its API answers: `http://127.0.0.1:port`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An access token of its demo client, with every scope.
    pub(crate) fn token(&self) -> Result<String, String> {
        let printed = self.process.printed();
        let word = |name: &str| {
            let word = printed.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(' '));
            word.map(str::trim).ok_or_else(|| format!("farmlokal printed no {name}"))
        };
        let mut command = Command::new(program()?);
        command
            .arg("token")
            .env("FARMLOKAL_HTTP__LISTEN", self.address.to_string())
            .env("FARMLOKAL_CLIENT_ID", word("client_id")?)
            .env("FARMLOKAL_CLIENT_SECRET", word("client_secret")?);
        let output = command.output().map_err(|error| format!("farmlokal token: {error}"))?;
        if !output.status.success() {
            return Err(format!("farmlokal token: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// The program beside this one.
fn program() -> Result<PathBuf, String> {
    let this = env::current_exe().map_err(|error| format!("farmlokal: {error}"))?;
    Ok(this.with_file_name("farmlokal"))
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

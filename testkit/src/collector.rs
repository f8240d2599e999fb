//! A collector of traces: rotel, which takes OTLP by gRPC and by HTTP and prints what it was sent.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::Process;
use crate::{cache, port};

/// Its version on PyPI, which is where its program comes from.
pub const VERSION: &str = "0.0.1a15";

const READY_WITHIN: Duration = Duration::from_secs(20);

/// Where `cargo xtask test` installs it: the folder of the package.
///
/// # Errors
///
/// When nothing says where the user's cache is.
pub fn home() -> Result<PathBuf, String> {
    Ok(cache::directory()?.join(format!("rotel-{VERSION}")))
}

/// The program in [`home`].
///
/// # Errors
///
/// As of [`home`].
pub fn agent() -> Result<PathBuf, String> {
    Ok(home()?.join("rotel/rotel-agent"))
}

/// A collector of its own on free ports, of 127.0.0.1 for most. Dropping it stops it.
#[derive(Debug)]
pub struct Collector {
    address: Ipv4Addr,
    grpc: u16,
    http: u16,
    process: Process,
}

/// A span that was delivered. Ids are hexadecimal; there is no parent when that is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// The trace's id.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// Its parent's id.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// `SERVER`, `CLIENT`, `CONSUMER`, `INTERNAL`.
    pub kind: String,
    /// `UNSET`, `OK`, `ERROR`.
    pub status: String,
    /// Its attributes.
    pub attributes: HashMap<String, String>,
    /// Those of the process that sent it.
    pub resource: HashMap<String, String>,
}

impl Collector {
    /// Starts a collector and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it is not installed, or does not come up; the message quotes its log.
    #[must_use]
    pub fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST)
    }

    /// The same at another address of this machine.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    #[must_use]
    pub fn start_at(address: Ipv4Addr) -> Self {
        let agent = agent().unwrap_or_else(|error| panic!("{error}"));
        assert!(agent.is_file(), "{} is not there; cargo xtask test installs it", agent.display());
        let (grpc, http) = (port::free(), port::free());
        let directory = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory for rotel: {error}"));
        let mut command = Command::new(agent);
        command
            .args(["start", "--exporter", "blackhole", "--debug-log", "traces", "--debug-log-verbosity", "detailed"])
            .args(["--otlp-grpc-endpoint", &format!("{address}:{grpc}")])
            .args(["--otlp-http-endpoint", &format!("{address}:{http}")])
            .arg("--pid-file")
            .arg(directory.path().join("pid"));
        let open = |port: u16| TcpStream::connect((address, port)).is_ok();
        let launched = Process::start(command, directory).and_then(|mut process| {
            process.wait_until(READY_WITHIN, || open(grpc) && open(http))?;
            Ok(process)
        });
        match launched {
            Ok(process) => Self { address, grpc, http, process },
            Err(error) => panic!("rotel {error}"),
        }
    }

    /// Where it takes OTLP by gRPC.
    #[must_use]
    pub fn grpc(&self) -> String {
        format!("http://{}:{}", self.address, self.grpc)
    }

    /// Where it takes OTLP by HTTP.
    #[must_use]
    pub fn http(&self) -> String {
        format!("http://{}:{}", self.address, self.http)
    }

    /// All that it was sent so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        read(&self.process.printed())
    }
}

/// The spans in what the collector prints: a field a line, attributes behind an arrow.
fn read(printed: &str) -> Vec<Span> {
    let (mut spans, mut resource, mut of_resource) = (Vec::<Span>::new(), HashMap::new(), false);
    for line in printed.lines().map(str::trim) {
        if line.starts_with("ResourceSpans #") {
            resource = HashMap::new();
        } else if line == "Resource attributes:" {
            of_resource = true;
        } else if line.starts_with("Span #") {
            of_resource = false;
            spans.push(Span { resource: resource.clone(), ..Span::default() });
        } else if let Some((key, value)) = line.strip_prefix("-> ").and_then(|line| line.split_once(": ")) {
            let value = bare(value).to_owned();
            if of_resource {
                resource.insert(key.to_owned(), value);
            } else if let Some(span) = spans.last_mut() {
                span.attributes.entry(key.to_owned()).or_insert(value);
            }
        } else if let (Some((field, value)), Some(span)) = (line.split_once(':'), spans.last_mut()) {
            let value = value.trim();
            let field = match field.trim() {
                "Trace ID" if span.trace.is_empty() => &mut span.trace,
                "ID" if span.id.is_empty() => &mut span.id,
                "Parent ID" => &mut span.parent,
                "Name" if span.name.is_empty() => &mut span.name,
                "Kind" => &mut span.kind,
                "Status code" => &mut span.status,
                _ => continue,
            };
            *field = value.trim_start_matches("SPAN_KIND_").trim_start_matches("STATUS_CODE_").to_owned();
        }
    }
    spans
}

/// The value in `Str(value)`.
fn bare(value: &str) -> &str {
    let inner = value.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')'));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let printed = "INFO Starting Rotel.\nResourceSpans #0\nResource attributes:\n     -> service.name: Str(x)\n\
                       ScopeSpans #0\nInstrumentationScope s \nSpan #0\n    Trace ID       : 0af7\n    Parent ID      : b7\n\
                           ID             : b8\n    Name           : GET /a\n    Kind           : SPAN_KIND_SERVER\n\
                       Start time: 1\n    Status code    : STATUS_CODE_ERROR\n    Status message : \nAttributes:\n\
                            -> http.response.status_code: Int(503)\nSpan #1\n    Trace ID       : 0af8\n    Parent ID      : \n";
        let [first, second] = &read(printed)[..] else { panic!("{:?}", read(printed)) };
        assert_eq!([&*first.trace, &first.id, &first.parent, &first.name], ["0af7", "b8", "b7", "GET /a"]);
        assert_eq!((&*first.kind, &*first.status), ("SERVER", "ERROR"));
        assert_eq!(first.attributes["http.response.status_code"], "503");
        assert_eq!((&*second.parent, &*second.resource["service.name"]), ("", "x"));
    }
}

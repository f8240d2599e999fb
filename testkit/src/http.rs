//! As little of an HTTP client as a load generator needs: GET over one connection that stays open.
//!
//! Blocking on purpose: a thread wakes within some 60 microseconds of the time it sleeps to, a timer
//! of tokio within a millisecond or two, and that would be most of what is measured here.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than the service's own limit, so that it is the service that gives up.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client with one connection, opened when it is needed.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer's status, and where its body is in the client's buffer.
struct Head {
    status: u16,
    body_at: usize,
    body_bytes: usize,
}

impl Client {
    /// A client of the server at `address`, not connected yet.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(64 * 1024) }
    }

    /// Opens the connection, if it is not.
    ///
    /// # Errors
    ///
    /// When nobody listens there.
    pub fn connect(&mut self) -> Result<&mut TcpStream, String> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.address).map_err(|error| format!("{}: {error}", self.address))?,
        };
        Ok(self.stream.insert(stream))
    }

    /// Status and body of the answer to `GET path`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn get(&mut self, path: &str) -> Result<(u16, &[u8]), String> {
        self.send(&format!("GET {path} HTTP/1.1"), &[], "")
    }

    /// Status and body of the answer to a request: its first line, fields and body.
    ///
    /// # Errors
    ///
    /// When no answer comes, or what comes is no HTTP; the message names the request.
    pub fn send(&mut self, line: &str, fields: &[&str], body: &str) -> Result<(u16, &[u8]), String> {
        match self.exchange(line, fields, body) {
            Ok(head) => Ok((head.status, &self.buffer[head.body_at..head.body_at + head.body_bytes])),
            Err(error) => {
                // Nobody knows where the next answer would start.
                self.stream = None;
                Err(format!("{line}: {error}"))
            }
        }
    }

    fn exchange(&mut self, line: &str, fields: &[&str], body: &str) -> Result<Head, String> {
        let mut request = format!("{line}\r\nHost: {}\r\n", self.address);
        for field in fields {
            request.extend([field, "\r\n"]);
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request.extend(["\r\n", body]);
        let stream = self.connect()?;
        stream.write_all(request.as_bytes()).map_err(told)?;
        self.buffer.clear();
        let head = loop {
            self.read_more()?;
            if let Some(head) = parse(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < head.body_at + head.body_bytes {
            self.read_more()?;
        }
        Ok(head)
    }

    fn read_more(&mut self) -> Result<(), String> {
        let mut part = [0; 16 * 1024];
        let stream = self.stream.as_mut().ok_or("the connection is closed")?;
        match stream.read(&mut part).map_err(told)? {
            0 => Err("the connection was closed before the answer".to_owned()),
            read => {
                self.buffer.extend_from_slice(&part[..read]);
                Ok(())
            }
        }
    }
}

fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The head in `bytes`, if it is complete.
fn parse(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(body_at) = response.parse(bytes).map_err(told)? else {
        return Ok(None);
    };
    let length = response.headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"));
    let body_bytes =
        length.and_then(|it| str::from_utf8(it.value).ok()?.parse().ok()).ok_or("an answer without Content-Length")?;
    Ok(Some(Head { status: response.code.unwrap_or_default(), body_at, body_bytes }))
}

fn told(error: impl ToString) -> String {
    error.to_string()
}

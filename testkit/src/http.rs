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
    tenacious: bool,
    again: u64,
}

/// An answer's status, and where its body is in the client's buffer.
struct Head {
    status: u16,
    body_at: usize,
    body_bytes: usize,
    /// Whether the server takes no more requests on this connection.
    last: bool,
}

impl Client {
    /// A client of the server at `address`, not connected yet.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::with_capacity(64 * 1024), tenacious: false, again: 0 }
    }

    /// A client that sends a request again, once and on a new connection, when the one it had turns out to be closed
    /// before a byte of the answer: what browsers and HTTP libraries do (RFC 9112, 9.3.1). For requests that may be
    /// repeated.
    #[must_use]
    pub fn tenacious(address: SocketAddr) -> Self {
        Self { tenacious: true, ..Self::new(address) }
    }

    /// How many were sent again.
    #[must_use]
    pub fn again(&self) -> u64 {
        self.again
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
        let kept = self.stream.is_some();
        let mut answer = self.exchange(line, fields, body);
        if answer.is_err() && self.tenacious && kept && self.buffer.is_empty() {
            self.stream = None;
            self.again += 1;
            answer = self.exchange(line, fields, body);
        }
        match answer {
            Ok(head) => {
                if head.last {
                    self.stream = None;
                }
                Ok((head.status, &self.buffer[head.body_at..head.body_at + head.body_bytes]))
            }
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
        self.buffer.clear();
        let stream = self.connect()?;
        stream.write_all(request.as_bytes()).map_err(told)?;
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
    let closes = |it: &httparse::Header<'_>| {
        it.name.eq_ignore_ascii_case("connection") && it.value.eq_ignore_ascii_case(b"close")
    };
    let last = response.headers.iter().any(closes);
    Ok(Some(Head { status: response.code.unwrap_or_default(), body_at, body_bytes, last }))
}

fn told(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers so many requests on each connection, and hangs up without a word.
    fn server(answers: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                for _ in 0..answers {
                    let _ = stream.read(&mut [0; 1024]);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                }
            }
        });
        address
    }

    #[test]
    fn a_connection_closed_meanwhile_costs_a_tenacious_client_nothing() {
        let address = server(2);
        let mut client = Client::tenacious(address);
        for _ in 0..6 {
            assert_eq!(client.get("/").unwrap(), (200, &b"ok"[..]));
        }
        assert_eq!(client.again(), 2);

        let mut other = Client::new(address);
        let answers: Vec<_> = (0..3).map(|_| other.get("/").map(|(status, _)| status).is_ok()).collect();
        assert_eq!(answers, [true, true, false]);
    }

    #[test]
    fn who_never_answers_is_not_asked_for_ever() {
        let mut client = Client::tenacious(server(0));
        assert!(client.get("/").is_err());
        assert_eq!(client.again(), 0, "the first connection is as new as the next");
    }
}

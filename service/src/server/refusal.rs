//! A stream that turns hyper's own bare refusals into problem documents.
//!
//! What hyper cannot parse never reaches our endpoint: it answers 400, 414 or 431 by itself, without a
//! body, and closes while the client may still be sending, which resets the connection before the
//! client has read anything. This stream writes a full answer instead, and waits for the client to end.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::api::problem::{CONTENT_TYPE, Kind, Problem};
use crate::api::request_id;

/// How long and how much a refused client may go on sending before the connection is closed on it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// A client's stream.
pub(super) struct Refusing {
    stream: TcpStream,
    /// What is left to write of a refusal.
    pending: Vec<u8>,
    refused: Option<Linger>,
}

struct Linger {
    deadline: Pin<Box<Sleep>>,
    bytes: usize,
}

impl Refusing {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, pending: Vec::new(), refused: None }
    }

    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads and forgets what a refused client still sends, within bounds.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(linger) = &mut self.refused else { return Poll::Ready(()) };
        let mut buffer = [0; 8192];
        while linger.bytes < LINGER_BYTES && linger.deadline.as_mut().poll(cx).is_pending() {
            let mut read = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => linger.bytes += read.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

/// The full answer in place of hyper's own `written`; `None` when `written` is an answer of ours, which
/// always has a body and a content type.
fn refusal(written: &[u8]) -> Option<Vec<u8>> {
    let head = written.strip_prefix(b"HTTP/1.1 4")?;
    let head = str::from_utf8(head).ok().filter(|head| head.ends_with("\r\n\r\n"))?.to_ascii_lowercase();
    if head.contains("\r\ncontent-type:") || !head.contains("\r\ncontent-length: 0\r\n") {
        return None;
    }
    let problem = match head.get(..2)? {
        "14" => Problem::new(Kind::UrlTooLong, "The URL is too long; shorten its parameters.").field("url"),
        "31" => Problem::new(
            Kind::HeadTooLarge,
            "URL and header fields together may have 64 KiB and 100 fields; shorten the url or send fewer headers.",
        )
        .field("url"),
        "00" => Problem::new(Kind::MalformedRequest, "This is not an HTTP/1.1 request (RFC 9112)."),
        _ => return None,
    };
    let (status, body) = (problem.status(), problem.to_json());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n{}: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
        request_id::FIELD,
        request_id::fresh()
    );
    Some(answer.into_bytes())
}

impl AsyncRead for Refusing {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Refusing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        match refusal(buf) {
            None => Pin::new(&mut self.stream).poll_write(cx, buf),
            Some(answer) => {
                self.pending = answer;
                self.refused = Some(Linger { deadline: Box::pin(sleep(LINGER)), bytes: 0 });
                Poll::Ready(Ok(buf.len()))
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match bufs {
            // hyper's own refusals have no body, and come in one piece.
            [head] => self.poll_write(cx, head),
            _ => {
                ready!(self.poll_pending(cx))?;
                Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        ready!(self.poll_linger(cx));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_refusals_are_replaced() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer = String::from_utf8(refusal(bare).unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("\"field\":\"url\""), "{answer}");
        for ours in [
            &b"HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 400 in the middle of a body",
        ] {
            assert_eq!(refusal(ours), None);
        }
    }
}

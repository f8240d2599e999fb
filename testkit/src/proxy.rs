//! A network between a client and its server that a test can make stall or break.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards every connection to a server, as long as it may.
#[derive(Debug)]
pub struct Proxy {
    weather: Arc<watch::Sender<Weather>>,
}

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Everything goes through.
    Fair,
    /// So many bytes of answers still go through; the rest waits.
    Stalling(usize),
    /// Connections are cut, and new ones too.
    Broken,
}

impl Proxy {
    /// A proxy before the server of `url`, and the URL that leads through it.
    ///
    /// # Panics
    ///
    /// When `url` names no host and port, or no port is free.
    pub async fn before(url: &str) -> (Self, String) {
        Self::away(Duration::ZERO, url).await
    }

    /// The same with a server that is so far away: each of its answers takes that much longer.
    ///
    /// # Panics
    ///
    /// As [`before`](Self::before).
    pub async fn away(distance: Duration, url: &str) -> (Self, String) {
        let Ok(mut through) = url.parse::<url::Url>() else { panic!("{url:?} is no URL") };
        let (Some(host), Some(port)) = (through.host_str().map(str::to_owned), through.port()) else {
            panic!("{url:?} names no host and port");
        };
        let listener = match TcpListener::bind("127.0.0.1:0").await {
            Ok(listener) => listener,
            Err(error) => panic!("no port for a proxy: {error}"),
        };
        let own = listener.local_addr().ok().map(|address| address.port());
        let weather = Arc::new(watch::Sender::new(Weather::Fair));
        tokio::spawn(accept(listener, (host, port), Arc::clone(&weather), distance));
        // It has a host, so it can have a port.
        let _ = through.set_port(own);
        (Self { weather }, through.to_string())
    }

    /// Lets `bytes` more of the server's answers through and holds the rest back.
    pub fn stall_after(&self, bytes: usize) {
        self.weather.send_replace(Weather::Stalling(bytes));
    }

    /// Waits until the last byte that may go through has gone.
    pub async fn stalled(&self) {
        // The sender lives in this very value.
        let _ = self.weather.subscribe().wait_for(|weather| *weather == Weather::Stalling(0)).await;
    }

    /// Cuts every connection, and each new one at once.
    pub fn cut(&self) {
        self.weather.send_replace(Weather::Broken);
    }

    /// Lets everything through, what was held back first.
    pub fn flow(&self) {
        self.weather.send_replace(Weather::Fair);
    }
}

async fn accept(
    listener: TcpListener,
    server: (String, u16),
    weather: Arc<watch::Sender<Weather>>,
    distance: Duration,
) {
    while let Ok((client, _)) = listener.accept().await {
        if *weather.borrow() == Weather::Broken {
            continue;
        }
        let Ok(server) = TcpStream::connect(&server).await else { continue };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::spawn(forward(from_client, to_server, Arc::clone(&weather), None));
        tokio::spawn(forward(from_server, to_client, Arc::clone(&weather), Some(distance)));
    }
}

/// Forwards until one side ends or the weather breaks. Only answers, which have a `distance`, stall.
async fn forward(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    weather: Arc<watch::Sender<Weather>>,
    distance: Option<Duration>,
) {
    let mut changes = weather.subscribe();
    tokio::select! {
        () = pump(from, to, &weather, distance) => {}
        _ = changes.wait_for(|weather| *weather == Weather::Broken) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    weather: &watch::Sender<Weather>,
    distance: Option<Duration>,
) {
    let answers = distance.is_some();
    let mut buffer = vec![0; 65_536];
    let mut changes = weather.subscribe();
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if let Some(distance) = distance.filter(|distance| !distance.is_zero()) {
            // A question waits for its answer, so nothing is behind this one on its way.
            tokio::time::sleep(distance).await;
        }
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            if answers && changes.wait_for(|weather| *weather != Weather::Stalling(0)).await.is_err() {
                return;
            }
            let go = match *weather.borrow() {
                Weather::Stalling(bytes) if answers => bytes.min(rest.len()),
                _ => rest.len(),
            };
            if to.write_all(&rest[..go]).await.is_err() {
                return;
            }
            rest = &rest[go..];
            if answers {
                weather.send_if_modified(|weather| match weather {
                    Weather::Stalling(bytes) => {
                        *bytes = bytes.saturating_sub(go);
                        true
                    }
                    _ => false,
                });
            }
        }
    }
}

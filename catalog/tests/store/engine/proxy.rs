//! A network between the store and its server that a test can make stall.

use std::sync::Arc;

use farmlokal_catalog::store::DatabaseUrl;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards every connection to a server, as long as it may.
pub(crate) struct Proxy {
    port: u16,
    allowance: Arc<watch::Sender<Allowance>>,
}

/// How many bytes of answers still go through.
type Allowance = Option<usize>;

impl Proxy {
    /// A proxy before the server of `url`, and the URL that leads through it.
    pub(crate) async fn before(url: &str) -> (Self, DatabaseUrl) {
        let mut url: url::Url = url.parse().unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), allowance: Arc::new(watch::Sender::new(None)) };
        let allowance = Arc::clone(&proxy.allowance);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let always = Arc::new(watch::Sender::new(None));
                tokio::spawn(forward(from_client, to_server, always));
                tokio::spawn(forward(from_server, to_client, Arc::clone(&allowance)));
            }
        });
        url.set_port(Some(proxy.port)).unwrap();
        (proxy, url.as_str().parse().unwrap())
    }

    /// Lets `bytes` more of the server's answers through and holds the rest back.
    pub(crate) fn stall_after(&self, bytes: usize) {
        self.allowance.send_replace(Some(bytes));
    }

    /// Waits until the last byte that may go through has gone.
    pub(crate) async fn stalled(&self) {
        self.allowance.subscribe().wait_for(|allowance| *allowance == Some(0)).await.unwrap();
    }

    /// Lets everything through, what was held back first.
    pub(crate) fn flow(&self) {
        self.allowance.send_replace(None);
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, allowance: Arc<watch::Sender<Allowance>>) {
    let mut buffer = vec![0; 65_536];
    let mut changes = allowance.subscribe();
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            if changes.wait_for(|allowance| *allowance != Some(0)).await.is_err() {
                return;
            }
            let go = allowance.borrow().map_or(rest.len(), |bytes| bytes.min(rest.len()));
            if to.write_all(&rest[..go]).await.is_err() {
                return;
            }
            rest = &rest[go..];
            allowance.send_modify(|allowance| *allowance = allowance.map(|bytes| bytes.saturating_sub(go)));
        }
    }
}

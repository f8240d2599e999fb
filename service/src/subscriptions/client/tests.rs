//! The client, against servers on loopback.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use farmlokal_catalog::ProductId;
use farmlokal_catalog::subscription::{Kinds, SharedSecret, Standing, SubscriptionId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::subscriptions::{Resolve, Rules, SystemResolver};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn subscription(url: &str) -> Subscription {
    Subscription {
        id: SubscriptionId::new(1).unwrap(),
        url: url.parse().unwrap(),
        kinds: Kinds::default(),
        secret: SharedSecret::new(SECRET),
        owner: String::new(),
        standing: Standing::Active,
        created_at: at(0),
    }
}

fn due() -> Due {
    Due {
        number: 1,
        subscription: SubscriptionId::new(1).unwrap(),
        event: "evt_1".parse().unwrap(),
        product: ProductId::new(1).unwrap(),
        payload: b"{}".to_vec(),
        attempts: 0,
    }
}

fn client(allowed: &str, resolver: Arc<dyn Resolve>) -> Client {
    let rules = Rules { allow_http: true, allow_networks: allowed.parse().unwrap() };
    Client::new(Guard::new(rules, resolver), Duration::from_millis(500))
}

/// A server that answers every request with `answer`, and counts connections.
async fn server(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counting.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut asked = [0; 4_096];
                if stream.read(&mut asked).await.is_ok() && !answer.is_empty() {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                if answer.is_empty() {
                    // Silent, not gone.
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (address, connections)
}

async fn reply(answer: &'static str) -> Reply {
    let (address, _) = server(answer).await;
    let client = client("127.0.0.0/8", Arc::new(SystemResolver));
    client.send(&subscription(&format!("http://{address}/")), &due(), at(1_000)).await
}

#[tokio::test]
async fn says_how_a_receiver_took_it() {
    let answered =
        |status, seconds: Option<u64>| Reply::Answered { status, retry_after: seconds.map(Duration::from_secs) };
    let elsewhere = "HTTP/1.1 302 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    for (answer, expected) in [
        ("HTTP/1.1 204 x\r\n\r\n", answered(204, None)),
        // Announced, and never sent.
        ("HTTP/1.1 200 x\r\ncontent-length: 9999999\r\n\r\n", answered(200, None)),
        (elsewhere, answered(302, None)),
        ("HTTP/1.1 429 x\r\nretry-after: 7\r\n\r\n", answered(429, Some(7))),
        ("HTTP/1.1 503 x\r\nretry-after: Thu, 01 Jan 1970 00:17:10 GMT\r\n\r\n", answered(503, Some(30))),
        ("HTTP/1.1 503 x\r\nretry-after: Thu, 01 Jan 1970 00:00:10 GMT\r\n\r\n", answered(503, None)),
        ("HTTP/1.1 503 x\r\nretry-after: soon\r\n\r\n", answered(503, None)),
        ("this is no HTTP\r\n\r\n", Reply::Unreachable),
        ("", Reply::Silent),
    ] {
        assert_eq!(reply(answer).await, expected, "{answer:?}");
    }
    let client = client("127.0.0.0/8", Arc::new(SystemResolver));
    let closed = subscription("http://127.0.0.1:1024/");
    assert_eq!(client.send(&closed, &due(), at(0)).await, Reply::Unreachable);
    let unsigned = Subscription { secret: SharedSecret::new("hunter2"), ..closed };
    assert_eq!(client.send(&unsigned, &due(), at(0)).await, Reply::Unsigned);
}

/// Gives another answer each time it is asked: first one that is allowed, then what an attacker is after.
struct Rebinding {
    answers: [&'static str; 2],
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let answer = self.answers[self.asked.fetch_add(1, Ordering::Relaxed) % 2];
        Ok(vec![SocketAddr::new(answer.parse().unwrap(), port)])
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gets_nowhere_else() {
    let (address, connections) = server("HTTP/1.1 204 x\r\nconnection: close\r\n\r\n").await;
    // Allowed is 127.0.0.1 and nothing else of this machine, where the server listens at both names' port.
    let resolver = Arc::new(Rebinding { answers: ["127.0.0.1", "127.0.0.2"], asked: AtomicUsize::new(0) });
    let client = client("127.0.0.1/32", Arc::<Rebinding>::clone(&resolver));
    let subscription = subscription(&format!("http://rebinding.test:{}/", address.port()));
    let first = client.send(&subscription, &due(), at(0)).await;
    assert_eq!(first, Reply::Answered { status: 204, retry_after: None });
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1, "the address that was checked is the one connected to");
    let second = client.send(&subscription, &due(), at(0)).await;
    assert_eq!(second, Reply::Refused(Refused::Address), "looked up and checked again");
    assert_eq!((resolver.asked.load(Ordering::Relaxed), connections.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn rules_that_were_tightened_hold_for_those_who_are_there() {
    let guard = Guard::new(Rules::default(), Arc::new(SystemResolver));
    let client = Client::new(guard, Duration::from_millis(500));
    for (url, refused) in [
        ("http://127.0.0.1:8080/", Refused::Scheme),
        ("https://127.0.0.1:8080/", Refused::Address),
        ("https://[::1]:8080/", Refused::Address),
        ("https://[::ffff:127.0.0.1]:8080/", Refused::Address),
        ("https://localhost:8080/", Refused::Address),
        ("https://1.1.1.1:25/", Refused::Port),
    ] {
        assert_eq!(client.send(&subscription(url), &due(), at(0)).await, Reply::Refused(refused), "{url}");
    }
}

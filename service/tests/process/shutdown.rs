//! Ends: no request is lost, none is waited for without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::child::{PATIENCE, Process, farmlokal};

/// What a load balancer does: new requests go here only while readiness says yes; those under way are
/// all answered. Clients keep their connections, and some open a new one each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_running_through_sigterm_sees_no_failed_request() {
    let data = TempDir::new().unwrap();
    let (mut command, public, admin) = farmlokal(&data);
    command.env("FARMLOKAL_HTTP__DRAIN_DELAY_MS", "1000");
    let mut process = Process::serving((command, public, admin));
    let turned_away = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..12)
        .map(|n| {
            let (turned_away, answered) = (Arc::clone(&turned_away), Arc::clone(&answered));
            let url = format!("{}/v1/products?sort=-price&limit=50", process.public);
            tokio::spawn(async move {
                let kept = if n % 2 == 0 { usize::MAX } else { 0 };
                let client = reqwest::Client::builder().pool_max_idle_per_host(kept).build().unwrap();
                while !turned_away.load(Ordering::Relaxed) {
                    let response =
                        client.get(&url).send().await.unwrap_or_else(|error| panic!("client {n}: {error:?}"));
                    assert_eq!(response.status(), 200);
                    assert!(response.bytes().await.unwrap().len() > 1_000, "the whole page");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let deadline = Instant::now() + PATIENCE;
    while answered.load(Ordering::Relaxed) < 200 {
        assert!(Instant::now() < deadline, "the load does not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process.ready().await;
    process.signal("TERM");
    while reqwest::get(format!("{}/readyz", process.admin)).await.unwrap().status() == 200 {
        assert!(Instant::now() < deadline, "readiness does not turn");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let at_notice = answered.load(Ordering::Relaxed);
    while answered.load(Ordering::Relaxed) < at_notice + 50 {
        assert!(Instant::now() < deadline, "requests are refused before load balancers can know");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    turned_away.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(process.wait().code(), Some(0));
}

#[tokio::test]
async fn a_request_under_way_is_answered_and_an_idle_connection_does_not_hold_the_end_up() {
    let data = TempDir::new().unwrap();
    let mut process = Process::serving(farmlokal(&data));
    let address = process.public.strip_prefix("http://").unwrap().to_owned();
    let _idle = TcpStream::connect(&address).await.unwrap();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "PATCH /v1/products/1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 11\r\n\r\n{{\"stock\"",
        process.token().await
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // An answered request on another connection says that the half one has been read by now or soon.
    assert_eq!(reqwest::get(format!("{}/v1/products/1", process.public)).await.unwrap().status(), 200);
    process.signal("INT");
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(&address).await.is_ok() {
        assert!(Instant::now() < deadline, "the listener does not close");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    slow.write_all(b":7}").await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"stock\":7"), "{answer}");
    assert_eq!(process.wait().code(), Some(0));
}

#[tokio::test]
async fn a_client_that_never_finishes_is_not_waited_for_without_end() {
    let data = TempDir::new().unwrap();
    let (mut command, public, admin) = farmlokal(&data);
    command.env("FARMLOKAL_HTTP__SHUTDOWN_TIMEOUT_MS", "200");
    let mut process = Process::serving((command, public, admin));
    let mut stuck = TcpStream::connect(process.public.strip_prefix("http://").unwrap()).await.unwrap();
    stuck.write_all(b"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
    assert_eq!(reqwest::get(format!("{}/v1/products/1", process.public)).await.unwrap().status(), 200);
    process.signal("INT");
    assert_eq!(process.wait().code(), Some(0));
}

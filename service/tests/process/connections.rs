//! Connections that are too many, too slow, too long or no HTTP.

use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::child::{PATIENCE, Process, farmlokal};

fn serving(environment: &[(&str, &str)]) -> (Process, TempDir) {
    let data = TempDir::new().unwrap();
    let (mut command, public, admin) = farmlokal(&data);
    command.envs(environment.iter().copied());
    (Process::serving((command, public, admin)), data)
}

async fn connect(process: &Process) -> TcpStream {
    TcpStream::connect(process.public.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Sends `bytes` and reads to the connection's end.
async fn talk(process: &Process, bytes: &[u8]) -> String {
    let mut stream = connect(process).await;
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection stays open").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn what_cannot_be_parsed_gets_a_problem_too() {
    let (process, _data) = serving(&[]);
    let megabyte = format!("GET /v1/products?search={} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(1_000_000));
    let long = format!("GET /v1/products?search={} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(66_000));
    let header = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(500));
    for (name, request, statuses, field) in [
        ("a URL of 1 MB", megabyte.as_bytes(), &["414", "431"][..], Some("\"field\":\"url\"")),
        ("a URL of 66 kB", long.as_bytes(), &["414", "431"], Some("\"field\":\"url\"")),
        ("a long header", header.as_bytes(), &["431"], Some("\"field\":\"url\"")),
        ("many headers", many.as_bytes(), &["431"], Some("\"field\":\"url\"")),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", &["400"], None),
        ("a space in the URL", b"GET /a b HTTP/1.1\r\n\r\n", &["400"], None),
        (
            "two lengths",
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            &["400"],
            None,
        ),
    ] {
        let answer = talk(&process, request).await;
        let status = answer.get(9..12).unwrap_or_default();
        assert!(statuses.contains(&status), "{name}: {answer:.300}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{name}: {answer:.300}");
        assert!(answer.contains("connection: close\r\n"), "{name}: {answer:.300}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"].to_string(), status, "{name}");
        assert!(field.is_none_or(|field| body.contains(field)), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_full_house_lets_the_next_one_wait_and_not_fail() {
    let (process, _data) = serving(&[("FARMLOKAL_HTTP__MAX_CONNECTIONS", "2")]);
    let (first, _second) = (connect(&process).await, connect(&process).await);
    let url = format!("{}/v1/products/1", process.public);
    let third = tokio::spawn(async move { reqwest::get(url).await.unwrap().status() });
    // That something does not happen can only be watched for a while: without the cap it takes some
    // milliseconds.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!third.is_finished(), "there was no place for it");
    drop(first);
    assert_eq!(tokio::time::timeout(PATIENCE, third).await.unwrap().unwrap(), 200);
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let (process, _data) =
        serving(&[("FARMLOKAL_HTTP__HEADER_TIMEOUT_MS", "300"), ("FARMLOKAL_HTTP__REQUEST_TIMEOUT_MS", "300")]);
    // A head that never ends, a byte at a time.
    let mut stream = connect(&process).await;
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    while stream.write_all(b"x").await.is_ok() {
        assert!(Instant::now() < deadline, "a slow head holds its connection for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A body that never comes.
    let answer = talk(
        &process,
        b"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"field\":\"body\""), "{answer}");
    // A body whose announced length is a lie.
    let answer = talk(&process, b"POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n{").await;
    assert!(answer.starts_with("HTTP/1.1 408 ") || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(reqwest::get(format!("{}/v1/products/1", process.public)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_chunked_body_counts_as_it_comes() {
    let (process, _data) = serving(&[("FARMLOKAL_HTTP__MAX_BODY_BYTES", "1000")]);
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let request = format!(
        "POST /v1/products HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(3)
    );
    let answer = talk(&process, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn no_descriptors_left_is_survived() {
    let data = TempDir::new().unwrap();
    let (command, public, admin) = farmlokal(&data);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 60; exec \"$0\"", env!("CARGO_BIN_EXE_farmlokal")]);
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let process = Process::serving((limited, public, admin));
    let mut crowd = Vec::new();
    for _ in 0..150 {
        crowd.push(connect(&process).await);
    }
    drop(crowd);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = reqwest::get(format!("{}/v1/products/1", process.public)).await;
        if answer.is_ok_and(|answer| answer.status() == 200) {
            break;
        }
        assert!(Instant::now() < deadline, "it does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! TLS, with Redis at the other end: certificates are checked against the system's authorities.

use std::time::Instant;

use bytes::Bytes;
use farmlokal::outbound::{Failure, HttpClient};
use farmlokal_testkit::{port, redis};
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::child::{PATIENCE, Process, farmlokal};

/// A Redis whose TLS port has one of `certificates`.
fn server(certificates: &Certificates, tls_port: u16) -> redis::Server {
    let file = |name: &str| certificates.file(name).display().to_string();
    let (cert, key, tls_port) = (file("server.pem"), file("server.key"), tls_port.to_string());
    redis::Server::start_with(&[
        "--tls-port",
        &tls_port,
        "--tls-cert-file",
        &cert,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ])
}

#[tokio::test]
async fn an_encrypted_redis_is_shared() {
    let (data, keys, tls_port) = (TempDir::new().unwrap(), Certificates::make(), port::free());
    let server = server(&keys, tls_port);
    let (mut command, public, admin) = farmlokal(&data);
    command
        .env("FARMLOKAL_REDIS__URL", format!("rediss://localhost:{tls_port}"))
        .env("SSL_CERT_FILE", keys.file("ca.pem"));
    let process = Process::serving((command, public, admin));
    let deadline = Instant::now() + PATIENCE;
    loop {
        let url = format!("{}/v1/admin/cache", process.admin);
        let cache: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        if cache["shared"] == true {
            break;
        }
        assert!(Instant::now() < deadline, "not shared: {cache}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(server.run(&["KEYS", "*generations}"]).contains("farmlokal:"));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_named_as_what_is_wrong() {
    let (keys, tls_port) = (Certificates::make(), port::free());
    let _server = server(&keys, tls_port);
    let ask = |url: String| async move {
        let request = Request::get(url).body(Full::new(Bytes::new())).unwrap();
        HttpClient::open().send(request, 1_000).await.map(|answer| answer.status)
    };
    assert_eq!(ask(format!("https://localhost:{tls_port}/")).await, Err(Failure::Untrusted));
    assert_eq!(ask(format!("https://localhost:{}/", port::free())).await, Err(Failure::Unreachable));
}

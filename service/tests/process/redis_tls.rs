//! TLS, with Redis at the other end: certificates are checked against the system's authorities.

use std::process::Command;
use std::time::Instant;

use bytes::Bytes;
use farmlokal::outbound::{Failure, HttpClient};
use farmlokal_testkit::{port, redis};
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;

use crate::child::{PATIENCE, Process, farmlokal};

/// Runs `openssl` in `dir`.
fn openssl(dir: &TempDir, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(dir.path()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A Redis whose TLS port has a certificate of an authority of its own: `ca.pem` in `dir`.
fn server(dir: &TempDir, tls_port: u16) -> redis::Server {
    const CURVE: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(dir, &format!("req -x509 {CURVE} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem"));
    openssl(dir, &format!("req {CURVE} -subj /CN=localhost -keyout server.key -out server.csr"));
    std::fs::write(dir.path().join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        dir,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
    let file = |name: &str| dir.path().join(name).display().to_string();
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
    let (data, keys, tls_port) = (TempDir::new().unwrap(), TempDir::new().unwrap(), port::free());
    let server = server(&keys, tls_port);
    let (mut command, public, admin) = farmlokal(&data);
    command
        .env("FARMLOKAL_REDIS__URL", format!("rediss://localhost:{tls_port}"))
        .env("SSL_CERT_FILE", keys.path().join("ca.pem"));
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
    let (keys, tls_port) = (TempDir::new().unwrap(), port::free());
    let _server = server(&keys, tls_port);
    let ask = |url: String| async move {
        let request = Request::get(url).body(Full::new(Bytes::new())).unwrap();
        HttpClient::open().send(request, 1_000).await.map(|answer| answer.status)
    };
    assert_eq!(ask(format!("https://localhost:{tls_port}/")).await, Err(Failure::Untrusted));
    assert_eq!(ask(format!("https://localhost:{}/", port::free())).await, Err(Failure::Unreachable));
}

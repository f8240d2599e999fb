//! TLS, with a collector at the other end: certificates are checked against the system's authorities.

use std::sync::Arc;
use std::time::{Duration, Instant};

use farmlokal_testkit::collector::Collector;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificates;
use crate::child::{PATIENCE, Process, farmlokal};

/// Takes TLS off on the way to `target` (`127.0.0.1:4318`); the port it listens on.
async fn terminate(certificates: &Certificates, target: String, http2: bool) -> u16 {
    let chain = CertificateDer::pem_file_iter(certificates.file("server.pem")).unwrap().collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_file(certificates.file("server.key")).unwrap();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain.unwrap(), key).unwrap();
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                // Who does not trust the certificate hangs up.
                let Ok(mut plain) = acceptor.accept(stream).await else { return };
                let mut collector = TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut plain, &mut collector).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_go_to_an_encrypted_collector_that_is_trusted_and_to_no_other() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (certificates, collector) = (Certificates::make(), Collector::start());
    let start = |endpoint: String, protocol: &str, trusts: bool| {
        let data = TempDir::new().unwrap();
        let (mut command, public, admin) = farmlokal(&data);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        command.env("OTEL_BSP_SCHEDULE_DELAY", "50").env("OTEL_METRICS_EXPORTER", "none");
        if trusts {
            command.env("SSL_CERT_FILE", certificates.file("ca.pem"));
        }
        (Process::serving((command, public, admin)), data)
    };
    let ask = async |process: &Process, trace: &str| {
        let request = reqwest::Client::new().get(format!("{}/v1/products/1", process.public));
        let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    for (protocol, target, trace) in [
        ("grpc", collector.grpc(), "1af7651916cd43dd8448eb211c80319c"),
        ("http/protobuf", collector.http(), "2af7651916cd43dd8448eb211c80319c"),
    ] {
        let target = target.trim_start_matches("http://").to_owned();
        let port = terminate(&certificates, target, protocol == "grpc").await;
        let endpoint = format!("https://localhost:{port}");
        let mut doubtful = start(endpoint.clone(), protocol, false);
        let untrusted = trace.replace("af76", "bf76");
        ask(&doubtful.0, &untrusted).await;
        // The end waits for what is left, so it will not come any more.
        doubtful.0.signal("INT");
        assert_eq!(doubtful.0.wait().code(), Some(0), "{protocol}");

        let trusting = start(endpoint, protocol, true);
        ask(&trusting.0, trace).await;
        let deadline = Instant::now() + PATIENCE;
        while !collector.spans().iter().any(|span| span.trace == trace) {
            assert!(Instant::now() < deadline, "no span by {protocol}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!collector.spans().iter().any(|span| span.trace == untrusted), "{protocol}");
    }
}

//! Two operators as they are installed: one works, the other takes over when the first is told to end.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use farmlokal_operator::crd::FarmLokal;
use farmlokal_testkit::http::Client;
use farmlokal_testkit::process::Process;
use farmlokal_testkit::{kubernetes, port};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::Service;
use kube::Api;
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use crate::namespace::Namespace;
use crate::operating::define;
use crate::waiting::until;

const LEASE: &str = "farmlokal-operator";
const READY_WITHIN: Duration = Duration::from_secs(60);
/// What a rollout of the operator may leave objects alone for.
const HANDS_OVER_WITHIN: Duration = Duration::from_secs(5);

struct Operator {
    name: &'static str,
    admin: SocketAddr,
    process: Process,
}

impl Operator {
    async fn start(name: &'static str, namespace: &str) -> Self {
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_farmlokal-operator"));
        command
            .args(["run", "--identity", name, "--namespace", namespace, "--watch-namespaces", namespace])
            .args(["--listen", &admin.to_string()])
            .env("KUBECONFIG", kubernetes::kubeconfig());
        let mut process = Process::start(command, tempfile::tempdir().unwrap()).unwrap();
        tokio::task::block_in_place(|| {
            let ready = || Client::new(admin).get("/readyz").is_ok_and(|(status, _)| status == 200);
            process.wait_until(READY_WITHIN, ready).unwrap();
        });
        Self { name, admin, process }
    }

    /// A number of its metrics, summed over their labels; `None` when it has ended.
    fn metric(&self, name: &str) -> Option<f64> {
        tokio::task::block_in_place(|| {
            let mut client = Client::new(self.admin);
            let (_, body) = client.get("/metrics").ok()?;
            let text = String::from_utf8_lossy(body).into_owned();
            let values =
                text.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' ')?.1.parse::<f64>().ok());
            Some(values.sum())
        })
    }

    fn leads(&self) -> bool {
        self.metric("farmlokal_operator_leader") == Some(1.0)
    }

    /// Objects it has written, the Lease apart.
    fn writes(&self) -> f64 {
        self.metric(r#"farmlokal_operator_api_requests_total{purpose="write""#).unwrap_or_default()
    }

    fn terminate(&self) {
        let told = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status().unwrap();
        assert!(told.success());
    }
}

async fn lease(namespace: &Namespace) -> LeaseSpec {
    let lease: Option<Lease> = namespace.api().get_opt(LEASE).await.unwrap();
    lease.and_then(|lease| lease.spec).unwrap_or_default()
}

fn is_held_by(lease: &LeaseSpec, operator: &Operator) -> bool {
    lease.holder_identity.as_ref().is_some_and(|holder| holder.starts_with(&format!("{}_", operator.name)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_to_end_hands_over_and_two_never_write() {
    let namespace = Namespace::create().await;
    define(&namespace.client).await;
    let first = Operator::start("first", &namespace.name).await;
    until("the first one's turn", async || first.leads().then_some(())).await;
    let second = Operator::start("second", &namespace.name).await;

    let objects: Api<FarmLokal> = namespace.api();
    let object = json!({"metadata": {"name": "corner"}, "spec": {}});
    objects.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
    let services: Api<Service> = namespace.api();
    until("the Service", async || services.get_opt("corner").await.unwrap()).await;
    assert!(first.writes() > 0.0);
    let before = lease(&namespace).await;
    assert!(is_held_by(&before, &first), "{before:?}");

    let told = Instant::now();
    first.terminate();
    let after = loop {
        // In this order: what the second has written by now, it wrote before the Lease was looked at.
        let (both, written, lease) = (first.leads() && second.leads(), second.writes(), lease(&namespace).await);
        assert!(!both, "two lead");
        if is_held_by(&lease, &second) {
            break lease;
        }
        assert!(written == 0.0, "it writes while the Lease is not its own: {lease:?}");
        assert!(told.elapsed() < HANDS_OVER_WITHIN, "nobody took over: {lease:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!("handed over after {:?}", told.elapsed());
    assert_eq!(after.lease_transitions, before.lease_transitions.map(|count| count + 1), "from one to the other");

    // It works on, and is the only one.
    let _ = services.delete("corner", &DeleteParams::default()).await.unwrap();
    until("the Service's return", async || services.get_opt("corner").await.unwrap()).await;
    assert!(second.writes() > 0.0);
    until("the end of the first", async || first.metric("farmlokal_operator_leader").is_none().then_some(())).await;
    drop(first);
    second.terminate();
    until("a Lease that is nobody's", async || lease(&namespace).await.holder_identity.is_none().then_some(())).await;
    namespace.end().await;
}

//! The operator as a process of its own, and what it uses.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use farmlokal_testkit::http::Client;
use farmlokal_testkit::port;
use farmlokal_testkit::process::Process;

const READY_WITHIN: Duration = Duration::from_secs(30);
const RESTS_WITHIN: Duration = Duration::from_secs(300);
/// Without a round for so long, it has come to rest.
const REST: Duration = Duration::from_secs(10);
/// As `farmlokal_operator_api_requests_total` calls them.
const PURPOSES: [&str; 4] = ["read", "watch", "write", "lead"];
/// Ticks of the processor's time in a second, on every Linux.
const TICKS: f64 = 100.0;

pub(crate) struct Operator {
    process: Process,
    admin: SocketAddr,
    began: Instant,
}

/// Since it started, or since another one.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) seconds: f64,
    /// Seconds of the processor.
    pub(crate) processor: f64,
    /// Bytes, now.
    pub(crate) resident: u64,
    /// Bytes, at most ever.
    pub(crate) peak: u64,
    pub(crate) rounds: f64,
    pub(crate) requests: [f64; 4],
}

impl Operator {
    pub(crate) fn start(kubeconfig: &Path) -> Result<Self, String> {
        let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let program = std::env::current_exe().map_err(|error| format!("the operator: {error}"))?;
        let mut command = Command::new(program);
        command.arg("run").arg("--listen").arg(admin.to_string()).env("KUBECONFIG", kubeconfig);
        let directory = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let mut process = Process::start(command, directory)?;
        let ready = || Client::new(admin).get("/readyz").is_ok_and(|(status, _)| status == 200);
        tokio::task::block_in_place(|| process.wait_until(READY_WITHIN, ready))
            .map_err(|error| format!("the operator {error}"))?;
        Ok(Self { process, admin, began: Instant::now() })
    }

    /// Waits until there has been no round for a while.
    pub(crate) async fn rest(&self) -> Result<(), String> {
        let deadline = Instant::now() + RESTS_WITHIN;
        let mut before = self.usage()?.rounds;
        while Instant::now() < deadline {
            tokio::time::sleep(REST).await;
            let now = self.usage()?.rounds;
            if now == before {
                return Ok(());
            }
            before = now;
        }
        Err(format!("the operator does not come to rest; its log:\n{}", self.process.printed()))
    }

    pub(crate) fn usage(&self) -> Result<Usage, String> {
        let read = |file: &str| {
            let path = format!("/proc/{}/{file}", self.process.id());
            fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))
        };
        let (status, stat, metrics) = (read("status")?, read("stat")?, self.metrics()?);
        let kilobytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default()
        };
        // Behind the name, which may have anything in it: the 12th and 13th are user's and system's time.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum();
        let value = |name: &str| {
            let line = metrics.lines().filter_map(|line| line.strip_prefix(name));
            line.filter_map(|rest| rest.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
        };
        Ok(Usage {
            seconds: self.began.elapsed().as_secs_f64(),
            processor: ticks / TICKS,
            resident: kilobytes("VmRSS:") * 1024,
            peak: kilobytes("VmHWM:") * 1024,
            rounds: value("farmlokal_operator_reconcile_duration_seconds_count"),
            requests: PURPOSES
                .map(|purpose| value(&format!("farmlokal_operator_api_requests_total{{purpose=\"{purpose}\""))),
        })
    }

    fn metrics(&self) -> Result<String, String> {
        tokio::task::block_in_place(|| {
            let mut client = Client::new(self.admin);
            let (_, body) = client.get("/metrics")?;
            Ok(String::from_utf8_lossy(body).into_owned())
        })
    }
}

impl Usage {
    pub(crate) fn since(self, before: &Self) -> Self {
        let mut requests = self.requests;
        requests.iter_mut().zip(before.requests).for_each(|(now, before)| *now -= before);
        Self {
            seconds: self.seconds - before.seconds,
            processor: self.processor - before.processor,
            rounds: self.rounds - before.rounds,
            requests,
            ..self
        }
    }
}

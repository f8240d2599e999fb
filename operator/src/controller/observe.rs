//! What pods tell of themselves on their admin ports.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use tokio::net::TcpStream;

use super::dereference::World;
use super::gates::{Gates, State};
use super::names::{COMPONENT, Component};
use super::validate::settings::ADMIN_PORT;
use super::validate::{Database, Instance};

/// A pod that does not answer in this time is as good as silent.
const PATIENCE: Duration = Duration::from_secs(2);
const LARGEST: usize = 1 << 20;

/// Products a seeding has written, and those it is to write; gauges of the process that seeds.
const ROWS_DONE: &str = "farmlokal_seed_rows_done";
const ROWS_WANTED: &str = "farmlokal_seed_rows_wanted";

/// Asks a pod for its metrics.
pub trait Scrape: Send + Sync {
    /// The metrics in Prometheus' text format; `None` when the pod does not answer.
    fn scrape(&self, address: SocketAddr) -> BoxFuture<'_, Option<String>>;
}

/// By HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Http;

impl Scrape for Http {
    fn scrape(&self, address: SocketAddr) -> BoxFuture<'_, Option<String>> {
        Box::pin(async move { tokio::time::timeout(PATIENCE, get(address)).await.ok().flatten() })
    }
}

async fn get(address: SocketAddr) -> Option<String> {
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let asked = async {
        let request = http::Request::get("/metrics").header("host", address.to_string()).body(Empty::<Bytes>::new());
        let answer = sender.send_request(request.ok()?).await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.ok()?.to_bytes();
        String::from_utf8(body.into()).ok()
    };
    tokio::select! {
        answer = asked => answer,
        _ = connection => None,
    }
}

/// The pod of a seeding under way, which tells how far it is when it is asked.
#[must_use]
pub fn seeding(instance: &Instance, world: &World, gates: &Gates) -> Option<SocketAddr> {
    let component = match (&instance.database, &gates.seed) {
        (Database::Embedded { .. }, _) if instance.seed.rows > 0 => Component::Server,
        (_, Some(step)) if step.state == State::Running => Component::Seed,
        _ => return None,
    };
    admin(world.pods.iter().find(|pod| is_starting(pod, component))?)
}

/// Asks it: products it has written, and those it is to write; `None` when it does not say.
pub async fn seed_progress(scrape: &dyn Scrape, pod: SocketAddr) -> Option<(i64, i64)> {
    let text = scrape.scrape(pod).await?;
    Some((gauge(&text, ROWS_DONE)?, gauge(&text, ROWS_WANTED)?))
}

/// Whether a pod runs, and is not ready: one that is ready has seeded.
fn is_starting(pod: &Pod, component: Component) -> bool {
    let Some(status) = &pod.status else { return false };
    let ready =
        status.conditions.iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    pod.labels().get(COMPONENT).is_some_and(|is| is == component.as_str())
        && status.phase.as_deref() == Some("Running")
        && (component != Component::Server || !ready)
}

/// Where a pod tells of itself.
pub(super) fn admin(pod: &Pod) -> Option<SocketAddr> {
    Some(SocketAddr::new(address(pod)?, u16::try_from(ADMIN_PORT).ok()?))
}

fn address(pod: &Pod) -> Option<IpAddr> {
    pod.status.as_ref()?.pod_ip.as_deref()?.parse().ok()
}

/// A gauge without labels, or with any.
fn gauge(text: &str, name: &str) -> Option<i64> {
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))?;
    let value: f64 = line.rsplit_once(' ')?.1.parse().ok()?;
    value.is_finite().then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_read_by_their_whole_name() {
        let text = "# HELP farmlokal_seed_rows_done x\nfarmlokal_seed_rows_done_more 9\nfarmlokal_seed_rows_done{a=\"b\"} 1.5e+06\nfarmlokal_seed_rows_wanted 7\n";
        assert_eq!(gauge(text, ROWS_DONE), Some(1_500_000));
        assert_eq!(gauge(text, ROWS_WANTED), Some(7));
        assert_eq!(gauge(text, "farmlokal_seed_rows"), None);
        assert_eq!(gauge("farmlokal_seed_rows_done NaN", ROWS_DONE), None);
    }
}

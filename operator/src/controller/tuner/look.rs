//! What a window is judged by: the pods, what they say, and what was published.

use std::net::{IpAddr, SocketAddr};

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DynamicObject, ListParams};
use kube::{Client, ResourceExt as _};

use super::super::build::tuning;
use super::super::kind::Kind;
use super::super::names::{self, Component};
use super::super::observe::Scrape;
use super::super::status::is_settled;
use super::super::validate::Instance;
use super::super::validate::settings::ADMIN_PORT;
use super::turn::Fleet;
use crate::tune::Sample;

/// Pods asked at once.
const AT_ONCE: usize = 8;

/// See above.
pub(super) struct Look {
    /// The tuning file's object.
    pub(super) file: DynamicObject,
    pub(super) fleet: Fleet,
}

/// Looks; `None` when there is nothing to tune yet, or any more.
pub(super) async fn look(
    client: &Client,
    scrape: &dyn Scrape,
    instance: &Instance,
) -> Result<Option<Look>, kube::Error> {
    let resource = Kind::ConfigMap.resource();
    let files: Api<DynamicObject> = Api::namespaced_with(client.clone(), &instance.namespace, &resource);
    let Some(file) = files.get_opt(&tuning::name(instance)).await? else { return Ok(None) };
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), &instance.namespace);
    let Some(deployment) = deployments.get_opt(&instance.name).await? else { return Ok(None) };
    let labels = names::selector(&instance.name, Component::Server);
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let pods: Api<Pod> = Api::namespaced(client.clone(), &instance.namespace);
    let pods = pods.list(&ListParams::default().labels(&labels.join(","))).await?.items;
    let ready: Vec<_> = pods.iter().filter(|pod| is_ready(pod)).collect();
    let fleet = Fleet {
        scaling: !is_settled(&deployment),
        existing: pods.iter().filter_map(|pod| pod.uid()).collect(),
        ready: u32::try_from(ready.len()).unwrap_or(u32::MAX),
        samples: ask(scrape, &ready).await,
    };
    Ok(Some(Look { file, fleet }))
}

async fn ask(scrape: &dyn Scrape, pods: &[&Pod]) -> Vec<(String, Sample)> {
    let asked: Vec<_> = pods.iter().filter_map(|pod| Some((pod.uid()?, address(pod)?))).collect();
    let answers = futures::stream::iter(asked).map(async |(uid, address)| {
        let text = scrape.scrape(address).await?;
        match Sample::parse(&text) {
            Ok(sample) => Some((uid, sample)),
            Err(error) => {
                tracing::warn!(pod = uid, %error, "its metrics are of no use");
                None
            }
        }
    });
    answers.buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready = conditions.into_iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True");
    ready && pod.metadata.deletion_timestamp.is_none()
}

fn address(pod: &Pod) -> Option<SocketAddr> {
    let ip: IpAddr = pod.status.as_ref()?.pod_ip.as_deref()?.parse().ok()?;
    Some(SocketAddr::new(ip, u16::try_from(ADMIN_PORT).ok()?))
}

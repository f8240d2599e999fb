//! What a window is judged by: the pods, what they say, and what was published.

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::DynamicObject;

use super::super::build::tuning;
use super::super::cache::Cache;
use super::super::kind::Kind;
use super::super::names::{COMPONENT, Component};
use super::super::observe::{Scrape, admin};
use super::super::status::is_settled;
use super::super::validate::Instance;
use super::turn::Fleet;
use crate::crd::TuningMode;
use crate::tune::Sample;

/// Pods asked at once.
const AT_ONCE: usize = 8;

/// See above.
pub(super) struct Look {
    /// The tuning file's object.
    pub(super) file: DynamicObject,
    pub(super) fleet: Fleet,
}

/// Looks; `None` when there is nothing to tune yet, or any more. Pods are asked only where that makes a difference.
pub(super) async fn look(cache: &Cache, scrape: &dyn Scrape, instance: &Instance, mode: TuningMode) -> Option<Look> {
    let owner = instance.owner();
    let file = cache.child(&owner, Kind::ConfigMap, &tuning::name(instance))?;
    let deployment = cache.live(&owner).deployment(&instance.name)?;
    let mut pods = cache.pods(&owner);
    pods.retain(|pod| pod.labels().get(COMPONENT).is_some_and(|is| is == Component::Server.as_str()));
    let ready: Vec<_> = pods.iter().filter(|pod| is_ready(pod)).collect();
    let fleet = Fleet {
        scaling: !is_settled(&deployment),
        existing: pods.iter().filter_map(|pod| pod.uid()).collect(),
        ready: u32::try_from(ready.len()).unwrap_or(u32::MAX),
        samples: if mode == TuningMode::Off { vec![] } else { ask(scrape, &ready).await },
    };
    Some(Look { file, fleet })
}

async fn ask(scrape: &dyn Scrape, pods: &[&Pod]) -> Vec<(String, Sample)> {
    let asked: Vec<_> = pods.iter().filter_map(|pod| Some((pod.uid()?, admin(pod)?))).collect();
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

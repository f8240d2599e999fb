//! What is done to an instance, and what happens to it, while requests come in.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::embedded::gone;
use super::operator::NAMESPACE;
use super::server::Shop;
use super::{CLIENTS, Steps, Tally, Traffic};

const LEASE: &str = "farmlokal-operator";
/// A rollout of two pods takes a minute, most of it waiting for connections to move.
const ROLLED_WITHIN: u64 = 300;

pub(super) fn run(shop: &Shop<'_>, steps: &mut Steps) -> Result<(), String> {
    steps.take("scaled to three replicas and back", || {
        shop.kubectl("scale farmlokal/shop --replicas=3")?;
        shop.settled(3)?;
        shop.kubectl("scale farmlokal/shop --replicas=2")?;
        shop.settled(2)
    })?;
    steps.take("two pods crash, one after the other, under load", || {
        // Each connection to a pod that dies may lose one request.
        shop.under_load(2 * CLIENTS as usize, || {
            for victim in &shop.pods()? {
                shop.place.crash("shops", victim)?;
                shop.unsettled(victim)?;
                shop.settled(2)?;
            }
            Ok(String::new())
        })
    })?;
    steps.take("the operator's leader is told to end, under load", || {
        shop.under_load(0, || {
            shop.hand_over(|pod| {
                shop.kubectl(&format!("delete pod {pod} --namespace {NAMESPACE} --wait=false")).map(|_| ())
            })
        })
    })?;
    steps.take("the operator's leader crashes, under load", || {
        shop.under_load(0, || shop.hand_over(|pod| shop.place.crash(NAMESPACE, pod)))
    })?;
    steps.take("another password, under load", || {
        shop.under_load(0, || {
            let patch = format!(r#"{{"stringData":{{"url":"{}"}}}}"#, shop.next_url);
            shop.rolls(|| shop.place.tools.kubectl_with("patch secret shop-database --patch", &patch))
        })
    })?;
    steps.take("another image, under load", || {
        shop.under_load(0, || {
            let patch = format!(r#"{{"spec":{{"image":"{}"}}}}"#, shop.next_image());
            shop.rolls(|| shop.place.tools.kubectl_with("patch farmlokal shop --type merge --patch", &patch))?;
            let version = shop.kubectl("get farmlokal shop --output jsonpath={.status.version}")?;
            if version == shop.arguments.next { Ok(version) } else { Err(format!("version {version} serves")) }
        })
    })?;
    steps.take("paused: three replicas are asked for, two stay", || shop.pause())?;
    steps.take("deleted, the database left", || {
        shop.kubectl("delete farmlokal/shop --timeout=60s")?;
        gone(shop.place, "shop")
    })?;
    Ok(())
}

impl Shop<'_> {
    fn kubectl(&self, words: &str) -> Result<String, String> {
        self.place.tools.kubectl(words)
    }

    fn json(&self, words: &str) -> Result<Value, String> {
        let said = self.kubectl(&format!("{words} --output json"))?;
        serde_json::from_str(&said).map_err(|error| format!("kubectl {words}: {error}"))
    }

    /// Does something while requests come in, of which `most` may fail; says what became of them.
    fn under_load(&self, most: usize, act: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
        let traffic = Traffic::begin(self.address, self.arguments.rate, self.arguments.rows);
        let acted = act();
        let tally: Tally = traffic.end()?;
        let (acted, seen) = (acted?, tally.judge(most)?);
        Ok(if acted.is_empty() { seen } else { format!("{acted}; {seen}") })
    }

    /// Waits until what is asked for is there, with so many pods.
    fn settled(&self, replicas: u64) -> Result<String, String> {
        self.place.tools.until(&format!("{replicas} pods that are ready"), ROLLED_WITHIN, || {
            let object = self.json("get farmlokal/shop")?;
            let status = &object["status"];
            let ready = status["conditions"].as_array().into_iter().flatten().find(|it| it["type"] == "Ready");
            let is_ready = ready.is_some_and(|it| it["status"] == "True");
            let seen = status["observedGeneration"] == object["metadata"]["generation"];
            // The pods' own word: the status is a moment behind.
            let pods = self.pods_that(is_ready_pod)?.len() as u64;
            if is_ready && seen && status["readyReplicas"] == replicas && pods == replicas {
                return Ok(Some(String::new()));
            }
            let message = ready.cloned().unwrap_or_default()["message"].clone();
            Err(format!("{pods} pods are ready, {} by the status, {message}", status["readyReplicas"]))
        })
    }

    /// Waits until it is known that a pod does not serve any more.
    fn unsettled(&self, pod: &str) -> Result<(), String> {
        self.place.tools.until(&format!("{pod} is known to have crashed"), 30, || {
            let ready = self.pods_that(is_ready_pod)?;
            let restarts = self.kubectl(&format!(
                "get pod {pod} --ignore-not-found --output jsonpath={{.status.containerStatuses[0].restartCount}}"
            ))?;
            if restarts != "0" || !ready.iter().any(|it| it == pod) { Ok(Some(())) } else { Ok(None) }
        })
    }

    /// Those that serve, or are about to.
    fn pods(&self) -> Result<Vec<String>, String> {
        self.pods_that(|_| true)
    }

    fn pods_that(&self, is_one: impl Fn(&Value) -> bool) -> Result<Vec<String>, String> {
        let list =
            self.json("get pods --selector app.kubernetes.io/instance=shop,app.kubernetes.io/component=server")?;
        let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null() && is_one(pod);
        let pods = list["items"].as_array().into_iter().flatten().filter(stays);
        Ok(pods.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect())
    }

    /// Does what replaces all pods, and waits until they are.
    fn rolls(&self, act: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
        let before = self.pods()?;
        act()?;
        self.place.tools.until("pods are replaced", ROLLED_WITHIN, || {
            let pods = self.pods()?;
            let kept = pods.iter().filter(|pod| before.contains(pod)).count();
            if kept == 0 && pods.len() == before.len() { Ok(Some(())) } else { Err(format!("{kept} are left")) }
        })?;
        self.settled(2)
    }

    /// Takes the leader away, and waits until another one works. It writes nothing that was not asked for.
    fn hand_over(&self, end: impl FnOnce(&str) -> Result<(), String>) -> Result<String, String> {
        let holder = || -> Result<String, String> {
            let words = format!("get lease {LEASE} --namespace {NAMESPACE} --output jsonpath={{.spec.holderIdentity}}");
            self.kubectl(&words)
        };
        let before =
            self.place.tools.until("a leader", 30, || holder().map(|it| Some(it).filter(|it| !it.is_empty())))?;
        let (pod, _) = before.rsplit_once('_').ok_or_else(|| format!("the leader is {before:?}"))?;
        let (written, pods) = (self.generation()?, self.pods()?);
        end(pod)?;
        let begun = Instant::now();
        self.place.tools.until("another leader", 60, || {
            holder().map(|now| Some(now).filter(|now| !now.is_empty() && *now != before))
        })?;
        let took = begun.elapsed();
        self.kubectl(&format!("rollout status deployment --namespace {NAMESPACE} --timeout=2m"))?;
        self.works()?;
        if (self.generation()?, self.pods()?) != (written, pods) {
            return Err("the next leader changed what was as asked".to_owned());
        }
        Ok(format!("another leads after {:.1} s", took.as_secs_f64()))
    }

    /// Whoever leads now repairs what somebody breaks.
    fn works(&self) -> Result<(), String> {
        self.kubectl("delete configmap shop-config")?;
        self.place
            .tools
            .until("the configuration is made again", 60, || self.kubectl("get configmap shop-config").map(Some))?;
        Ok(())
    }

    /// How often the Deployment was changed.
    fn generation(&self) -> Result<String, String> {
        self.kubectl("get deployment shop --output jsonpath={.metadata.generation}")
    }

    fn pause(&self) -> Result<String, String> {
        let patch = |spec: &str| {
            self.place.tools.kubectl_with("patch farmlokal shop --type merge --patch", &format!(r#"{{"spec":{spec}}}"#))
        };
        patch(r#"{"paused":true,"replicas":3}"#)?;
        self.kubectl("wait farmlokal/shop --for=condition=Paused --timeout=60s")?;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            let replicas = self.kubectl("get deployment shop --output jsonpath={.spec.replicas}")?;
            if replicas != "2" {
                return Err(format!("the Deployment has {replicas} replicas"));
            }
        }
        patch(r#"{"paused":false}"#)?;
        self.settled(3)?;
        Ok("and come when it goes on".to_owned())
    }

    /// The image of the next version.
    fn next_image(&self) -> String {
        let name = format!("farmlokal:{}", self.arguments.next);
        self.arguments.registry.as_ref().map_or_else(|| name.clone(), |registry| format!("{registry}/{name}"))
    }
}

fn is_ready_pod(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|it| it["type"] == "Ready" && it["status"] == "True")
}

//! Elastic grants never exceed the budget, in whatever order pods come, go, read late and answer late. Two simpler
//! protocols do.

use std::collections::BTreeMap;

use farmlokal_operator::tune::budget::boot;
use farmlokal_operator::tune::grant::{Confirmed, Elastic, Ledger};
use farmlokal_telemetry::tuning::Tuning;
use proptest::prelude::*;

/// One thing that happens: what, and to whom or how much.
type Event = (u8, u16);
/// How many happen in a run.
const EVENTS: usize = 250;

/// Publishes files.
trait Protocol {
    /// The operator hears of these pods, which are all there are; of those that are `None` it hears nothing but that.
    fn hear(&mut self, pods: &BTreeMap<String, Option<Confirmed>>);
    fn publish(&mut self, wished: u32, elastic: &Elastic) -> Tuning;
}

#[derive(Default)]
struct Named(Ledger);

impl Protocol for Named {
    fn hear(&mut self, pods: &BTreeMap<String, Option<Confirmed>>) {
        self.0.retain(|uid| pods.contains_key(uid));
        for (uid, said) in pods {
            if let Some(said) = said {
                self.0.confirm(uid, *said);
            }
        }
    }

    fn publish(&mut self, wished: u32, elastic: &Elastic) -> Tuning {
        self.0.grant(wished, elastic)
    }
}

/// One value for everybody who started before it: what is left after setting aside `boot` for those not there,
/// divided; with `careful`, so that what pods may still hold counts.
struct Unnamed {
    careful: bool,
    heard: BTreeMap<String, Confirmed>,
    published: Vec<Tuning>,
}

impl Unnamed {
    fn new(careful: bool) -> Self {
        Self { careful, heard: BTreeMap::new(), published: vec![] }
    }

    fn may_hold(&self, said: &Confirmed) -> u32 {
        let since = self.published.iter().filter(|it| it.generation > said.generation).map(|it| it.pool_max);
        if self.careful { since.max().unwrap_or(0).max(said.connections) } else { 0 }
    }
}

impl Protocol for Unnamed {
    fn hear(&mut self, pods: &BTreeMap<String, Option<Confirmed>>) {
        self.heard = pods.iter().filter_map(|(uid, said)| Some((uid.clone(), (*said)?))).collect();
    }

    fn publish(&mut self, wished: u32, elastic: &Elastic) -> Tuning {
        let others = elastic.worst_case_pods.saturating_sub(self.heard.len() as u32);
        let room = elastic.budget.saturating_sub(elastic.boot * others);
        let fits = |grant: &u32| self.heard.values().map(|it| self.may_hold(it).max(*grant)).sum::<u32>() <= room;
        let largest = (elastic.boot..=elastic.budget).take_while(fits).last().unwrap_or(elastic.boot);
        let generation = self.published.len() as u64 + 1;
        let tuning =
            Tuning { generation, pool_max: wished.clamp(elastic.boot, largest), boot: Some(elastic.boot), pods: None };
        self.published.push(tuning.clone());
        tuning
    }
}

#[derive(Debug, Clone)]
struct Pod {
    uid: String,
    /// The youngest file there was when it started: it takes nothing from that.
    born: u64,
    seen: u64,
    limit: u32,
    held: u32,
}

struct Fleet {
    elastic: Elastic,
    pods: Vec<Pod>,
    files: Vec<Tuning>,
    started: u32,
    wished: u32,
}

impl Fleet {
    fn new(budget: u32, worst_case_pods: u32) -> Self {
        let boot = boot(budget, worst_case_pods).unwrap();
        let elastic = Elastic { budget, worst_case_pods, boot };
        Self { elastic, pods: vec![], files: vec![], started: 0, wished: u32::MAX }
    }

    fn happen(&mut self, (what, how): Event, protocol: &mut dyn Protocol) {
        let how = usize::from(how);
        let pod = if self.pods.is_empty() { 0 } else { how % self.pods.len() };
        let last = self.files.last().map_or(0, |it| it.generation);
        match what % 100 {
            0..20 if self.pods.len() < self.elastic.worst_case_pods as usize => {
                self.started += 1;
                let (limit, held) = (self.elastic.boot, self.elastic.boot);
                self.pods.push(Pod { uid: self.started.to_string(), born: last, seen: last, limit, held });
            }
            20..30 if !self.pods.is_empty() => drop(self.pods.swap_remove(pod)),
            30..42 => {
                // Every eighth does not answer.
                let said = |index: usize, it: &Pod| {
                    let said = Confirmed { generation: it.seen, connections: it.held.max(it.limit) };
                    ((how >> (index % 8)) & 7 != 7).then_some(said)
                };
                protocol.hear(&self.pods.iter().enumerate().map(|(at, it)| (it.uid.clone(), said(at, it))).collect());
            }
            42..57 => {
                let file = protocol.publish(self.wished, &self.elastic);
                if file.generation > last {
                    self.files.push(file);
                }
            }
            57..85 if !self.pods.is_empty() => self.read(pod, how),
            // Closes what is over its limit.
            85..95 if !self.pods.is_empty() => self.pods[pod].held = self.pods[pod].limit,
            95.. => self.wished = 1 + how as u32 % 400,
            _ => {}
        }
    }

    /// A pod reads any file that is younger than the one it has read, and opens connections at once.
    fn read(&mut self, pod: usize, how: usize) {
        let pod = &mut self.pods[pod];
        let younger: Vec<_> = self.files.iter().filter(|it| it.generation > pod.seen).collect();
        if younger.is_empty() {
            return;
        }
        let file = younger[how / 7 % younger.len()];
        pod.seen = file.generation;
        let knows = file.pods.is_some() || file.generation > pod.born;
        pod.limit = if knows { file.limit_of(Some(&pod.uid)) } else { self.elastic.boot };
        pod.held = pod.held.max(pod.limit);
    }

    fn held(&self) -> u32 {
        self.pods.iter().map(|it| it.held).sum()
    }
}

/// The most that was held, as a share of the budget.
fn run(budget: u32, pods: u32, events: &[Event], protocol: &mut dyn Protocol) -> f64 {
    let mut fleet = Fleet::new(budget, pods);
    let mut most = 0;
    for event in events {
        fleet.happen(*event, protocol);
        most = most.max(fleet.held());
    }
    f64::from(most) / f64::from(budget)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn named_grants_keep_to_the_budget(
        budget in 40_u32..300,
        pods in 2_u32..16,
        events in prop::collection::vec(any::<Event>(), EVENTS),
    ) {
        let most = run(budget, pods, &events, &mut Named::default());
        prop_assert!(most <= 1.0, "{most} of the budget were held");
    }
}

/// Runs of a protocol, by seed.
fn runs(protocol: fn() -> Box<dyn Protocol>) -> Vec<f64> {
    let run = |seed| {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (budget, pods) = (dice.u32(40..300), dice.u32(2..16));
        let events: Vec<Event> = (0..EVENTS).map(|_| (dice.u8(..), dice.u16(..))).collect();
        run(budget, pods, &events, &mut *protocol())
    };
    (0..300).map(run).collect()
}

#[test]
fn the_simpler_protocols_do_not_and_the_events_show_it() {
    let broken = |runs: &[f64]| runs.iter().filter(|&&most| most > 1.0).count();
    assert!(broken(&runs(|| Box::new(Unnamed::new(false)))) > 50);
    assert!(broken(&runs(|| Box::new(Unnamed::new(true)))) > 50);
}

#[test]
fn named_grants_use_the_budget() {
    let named = runs(|| Box::new(Named::default()));
    assert!(named.iter().all(|&most| most <= 1.0));
    let mean = named.iter().sum::<f64>() / named.len() as f64;
    assert!(mean > 0.8, "at most {mean} of the budget was ever held, on average");
}

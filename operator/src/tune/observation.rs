//! What happened in the whole fleet between two scrapes.

use std::collections::BTreeMap;

use farmlokal_telemetry::tuning::Tuning;

use super::sample::Sample;

/// The percentile of waits that the target is for.
const PERCENTILE: f64 = 0.95;

/// One pod's scrapes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Its UID, as the tuning file names it.
    pub uid: String,
    /// The scrape of now.
    pub now: Sample,
    /// That of the window before and how many seconds ago it was; `None` for a pod seen for the first time.
    pub before: Option<(Sample, f64)>,
}

/// One window of the fleet. Rates and sums are of all ready pods: what the reporting ones said, scaled up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// Ready pods.
    pub pods: u32,
    /// Those of them with two scrapes and no restart between.
    pub reporting: u32,
    /// Whether the number of pods is about to change, or a rollout is under way.
    pub scaling: bool,
    /// Whether every ready pod had applied what was published last, and held no more connections than that, through the
    /// whole window: one in which the size changed says nothing of either size.
    pub confirmed: bool,
    /// Connections that the scraped pods hold or may open.
    pub applied: u32,
    /// Connections handed out.
    pub acquires: u64,
    /// Connections given back, a second.
    pub throughput: f64,
    /// The mean of connections in use.
    pub in_use: f64,
    /// The wait for a connection at the 95th percentile, in seconds; 0 without acquires.
    pub wait_p95: f64,
    /// Callers turned away because they waited too long, or too many did.
    pub turned_away: u64,
    /// Connections that the database refused because it had too many.
    pub refused: u64,
}

impl Observation {
    /// Adds up one window: of `ready` pods those in `scraped`. `published` is the last tuning file, `None` before the
    /// first.
    #[must_use]
    pub fn of(ready: u32, scaling: bool, published: Option<&Tuning>, scraped: &[Pod]) -> Self {
        let follows = |pod: &Pod, said: &Sample| {
            published.is_none_or(|it| said.generation >= it.generation && said.applied <= it.limit_of(Some(&pod.uid)))
        };
        let confirms =
            |pod: &Pod| follows(pod, &pod.now) && pod.before.as_ref().is_none_or(|(before, _)| follows(pod, before));
        let mut seen = Self {
            pods: ready,
            scaling,
            confirmed: scraped.len() == ready as usize && scraped.iter().all(confirms),
            applied: scraped.iter().map(|pod| pod.now.applied).sum(),
            ..Self::default()
        };
        let mut waits = BTreeMap::new();
        for pod in scraped {
            if let Some((before, seconds)) = &pod.before {
                seen.add(before, &pod.now, *seconds, &mut waits);
            }
        }
        let missing = f64::from(ready) / f64::from(seen.reporting.max(1));
        seen.throughput *= missing;
        seen.in_use *= missing;
        seen.acquires = waits.last_key_value().map_or(0, |(_, count)| *count);
        seen.wait_p95 = percentile(&waits);
        seen
    }

    /// Adds one pod's window, unless the pod began anew within it.
    fn add(&mut self, before: &Sample, now: &Sample, seconds: f64, waits: &mut BTreeMap<Bound, u64>) {
        let counts = |sample: &Sample| [sample.uses, sample.timeouts, sample.refusals];
        let less = |(now, before): (u64, u64)| now.checked_sub(before);
        let deltas: Option<Vec<u64>> = counts(now).into_iter().zip(counts(before)).map(less).collect();
        let buckets: Option<Vec<u64>> =
            now.waits.iter().zip(&before.waits).map(|(now, before)| less((now.1, before.1))).collect();
        let (Some([uses, timeouts, refusals]), Some(buckets)) = (deltas.as_deref(), buckets) else {
            return;
        };
        if now.in_use < before.in_use || now.waits.len() != before.waits.len() || seconds <= 0.0 {
            return;
        }
        self.reporting += 1;
        self.throughput += *uses as f64 / seconds;
        self.in_use += (now.in_use - before.in_use) / seconds;
        self.turned_away += timeouts;
        self.refused += refusals;
        for ((bound, _), count) in now.waits.iter().zip(buckets) {
            *waits.entry(Bound(*bound)).or_default() += count;
        }
    }
}

/// A bucket's upper bound, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound(f64);

impl Eq for Bound {}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Linear within a bucket, as Prometheus' `histogram_quantile` has it; beyond the last finite bound, that bound.
fn percentile(waits: &BTreeMap<Bound, u64>) -> f64 {
    let rank = waits.last_key_value().map_or(0.0, |(_, count)| *count as f64 * PERCENTILE);
    if rank <= 0.0 {
        return 0.0;
    }
    let (mut lower, mut below) = (0.0, 0.0);
    for (Bound(upper), count) in waits {
        let count = *count as f64;
        if upper.is_infinite() {
            return lower;
        }
        if count >= rank && count > below {
            return lower + (upper - lower) * (rank - below) / (count - below);
        }
        (lower, below) = (*upper, count);
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(scale: u64) -> Sample {
        Sample {
            generation: 3,
            applied: 8,
            waits: vec![(0.01, 80 * scale), (0.1, 96 * scale), (f64::INFINITY, 100 * scale)],
            uses: 98 * scale,
            in_use: 300.0 * scale as f64,
            timeouts: scale,
            refusals: 2 * scale,
        }
    }

    fn pod(uid: &str, before: u64, now: u64) -> Pod {
        Pod { uid: uid.to_owned(), now: sample(now), before: Some((sample(before), 60.0)) }
    }

    fn published(generation: u64, pool_max: u32) -> Tuning {
        Tuning { generation, pool_max, boot: None, pods: None }
    }

    #[test]
    fn counters_become_rates_of_the_fleet() {
        let seen = Observation::of(2, false, Some(&published(3, 8)), &[pod("a", 1, 2), pod("b", 5, 6)]);
        assert_eq!((seen.pods, seen.reporting, seen.confirmed, seen.applied), (2, 2, true, 16));
        assert_eq!((seen.acquires, seen.turned_away, seen.refused), (200, 2, 4));
        assert!((seen.throughput - 2.0 * 98.0 / 60.0).abs() < 1e-9, "{seen:?}");
        assert!((seen.in_use - 10.0).abs() < 1e-9, "{seen:?}");
        // 190 of 200: 30 of the 32 that waited between 0.01 and 0.1.
        assert!((seen.wait_p95 - (0.01 + 0.09 * 30.0 / 32.0)).abs() < 1e-9, "{seen:?}");
    }

    #[test]
    fn pods_that_are_new_or_began_anew_are_not_counted_but_scaled_up_to() {
        let first = Pod { before: None, ..pod("c", 1, 2) };
        let seen = Observation::of(4, false, None, &[pod("a", 1, 2), pod("b", 6, 5), first]);
        assert_eq!((seen.reporting, seen.acquires, seen.confirmed), (1, 100, false));
        assert!((seen.throughput - 4.0 * 98.0 / 60.0).abs() < 1e-9, "{seen:?}");
        assert!((seen.in_use - 20.0).abs() < 1e-9, "{seen:?}");
        assert_eq!(
            Observation::of(0, true, None, &[]),
            Observation { scaling: true, confirmed: true, ..Observation::default() }
        );
    }

    #[test]
    fn a_grant_is_confirmed_by_what_is_held() {
        let confirmed = |tuning: &Tuning| Observation::of(1, false, Some(tuning), &[pod("a", 1, 2)]).confirmed;
        assert!(confirmed(&published(3, 8)) && confirmed(&published(2, 9)));
        assert!(!confirmed(&published(4, 8)), "not read yet");
        assert!(!confirmed(&published(3, 7)), "read, but eight connections are still open");
        let applied_within = Pod { before: Some((Sample { generation: 2, ..sample(1) }, 60.0)), ..pod("a", 1, 2) };
        let seen = Observation::of(1, false, Some(&published(3, 8)), &[applied_within]);
        assert!(!seen.confirmed, "a part of the window had another size");
        let named = |pod: &str| Tuning { boot: Some(4), pods: Some(vec![pod.to_owned()]), ..published(3, 8) };
        assert!(confirmed(&named("a")) && !confirmed(&named("b")));
    }

    #[test]
    fn waits_beyond_the_last_bound_are_that_bound() {
        let mut pod = pod("a", 1, 2);
        pod.now.waits[2].1 += 1000;
        assert!((Observation::of(1, false, None, &[pod]).wait_p95 - 0.1).abs() < 1e-9);
        let mut idle = Pod { uid: "a".into(), now: sample(1), before: Some((sample(1), 60.0)) };
        assert!(Observation::of(1, false, None, std::slice::from_ref(&idle)).wait_p95.abs() < 1e-9);
        idle.before = Some((sample(1), 0.0));
        assert_eq!(Observation::of(1, false, None, &[idle]).reporting, 0);
    }
}

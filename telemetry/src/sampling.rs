//! Which traces are recorded. Decided once for each [`Root`](crate::Root), before anything is made for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use opentelemetry::trace::{SpanContext, TraceId};

use crate::environment::Variables;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// Why the variables do not say how to sample.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {remedy}")]
pub struct SamplerError {
    name: &'static str,
    remedy: &'static str,
}

/// Decides.
#[derive(Debug)]
pub(crate) struct Sampler {
    /// Whether who called us decides, if it is traced.
    by_parent: bool,
    own: Own,
}

/// How the traces that begin here are decided about.
#[derive(Debug)]
enum Own {
    All,
    None,
    /// Those whose number, the id's low 63 bits, is below this one. All who sample by the id agree.
    Ratio(u64),
    PerSecond(Pace),
}

impl Sampler {
    /// As the specification says, when `OTEL_TRACES_SAMPLER` is set or there is somewhere to send traces to. Otherwise
    /// only this process looks at them, and so many a second are enough, whoever calls.
    pub(crate) fn new(variables: Variables<'_>, exports: bool, per_second: u32) -> Result<Self, SamplerError> {
        let ratio = || ratio(variables(ARGUMENT));
        let (by_parent, own) = match variables(SAMPLER).as_deref() {
            Some("always_on") => (false, Own::All),
            Some("always_off") => (false, Own::None),
            Some("traceidratio") => (false, ratio()?),
            Some("parentbased_always_on") => (true, Own::All),
            Some("parentbased_always_off") => (true, Own::None),
            Some("parentbased_traceidratio") => (true, ratio()?),
            Some(_) => {
                let remedy = "always_on, always_off, traceidratio or one of these after parentbased_";
                return Err(SamplerError { name: SAMPLER, remedy });
            }
            None if exports => (true, Own::All),
            None if per_second == 0 => (false, Own::None),
            None => (false, Own::PerSecond(Pace::new(per_second))),
        };
        Ok(Self { by_parent, own })
    }

    /// Whether `trace`, which `parent` takes part in if it is valid, is recorded.
    pub(crate) fn decide(&self, parent: &SpanContext, trace: TraceId, now: impl FnOnce() -> Instant) -> bool {
        if self.by_parent && parent.is_valid() {
            return parent.is_sampled();
        }
        match &self.own {
            Own::All => true,
            Own::None => false,
            Own::Ratio(bound) => number(trace) < *bound,
            Own::PerSecond(pace) => (!parent.is_valid() || parent.is_sampled()) && pace.admits(now()),
        }
    }
}

fn ratio(argument: Option<String>) -> Result<Own, SamplerError> {
    let ratio = argument.as_deref().map_or(Ok(1.0), str::parse::<f64>);
    match ratio {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(Own::Ratio((ratio * (1_u64 << 63) as f64) as u64)),
        _ => Err(SamplerError { name: ARGUMENT, remedy: "a number from 0 to 1" }),
    }
}

fn number(trace: TraceId) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1
}

/// So many a second, all at once at the most: one number says when the next one would be due.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    /// From one to the next, in nanoseconds.
    interval: u64,
    next: AtomicU64,
}

impl Pace {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { began: Instant::now(), interval: SECOND / u64::from(per_second.max(1)), next: AtomicU64::new(0) }
    }

    pub(crate) fn admits(&self, now: Instant) -> bool {
        let now = u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX);
        let after = |next: u64| {
            let next = next.max(now) + self.interval;
            (next <= now + SECOND).then_some(next)
        };
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::trace::{SpanId, TraceFlags, TraceState};

    use super::*;

    fn sampler(sampler: &str, argument: &str, exports: bool) -> Result<Sampler, SamplerError> {
        let value = |name: &str| match name {
            SAMPLER => Some(sampler.to_owned()),
            _ => Some(argument.to_owned()),
        };
        Sampler::new(&|name| value(name).filter(|value| !value.is_empty()), exports, 20)
    }

    fn parent(sampled: bool) -> SpanContext {
        let flags = TraceFlags::default().with_sampled(sampled);
        SpanContext::new(TraceId::from(7), SpanId::from(7), flags, true, TraceState::NONE)
    }

    /// What is decided without a parent, with a sampled one and with one that is not.
    fn decisions(sampler: &Sampler, trace: TraceId) -> [bool; 3] {
        [SpanContext::NONE, parent(true), parent(false)].map(|parent| sampler.decide(&parent, trace, Instant::now))
    }

    #[test]
    fn the_variables_mean_what_the_specification_says() {
        let (low, high) = (TraceId::from(1), TraceId::from(u128::MAX));
        for (name, argument, trace, expected) in [
            ("always_on", "", low, [true, true, true]),
            ("always_off", "", low, [false, false, false]),
            ("parentbased_always_on", "", low, [true, true, false]),
            ("parentbased_always_off", "", low, [false, true, false]),
            ("traceidratio", "0.5", low, [true, true, true]),
            ("traceidratio", "0.5", high, [false, false, false]),
            ("parentbased_traceidratio", "0.5", high, [false, true, false]),
            ("parentbased_traceidratio", "", high, [true, true, false]),
            ("traceidratio", "0", low, [false, false, false]),
        ] {
            assert_eq!(decisions(&sampler(name, argument, true).unwrap(), trace), expected, "{name} {argument}");
        }
        assert_eq!(
            decisions(&sampler("", "", true).unwrap(), high),
            [true, true, false],
            "with somewhere to send them"
        );
    }

    #[test]
    fn wrong_variables_are_named() {
        for (name, argument, expected) in
            [("sometimes", "", SAMPLER), ("traceidratio", "many", ARGUMENT), ("traceidratio", "1.5", ARGUMENT)]
        {
            assert!(sampler(name, argument, true).unwrap_err().to_string().starts_with(expected), "{name} {argument}");
        }
    }

    #[test]
    fn a_tenth_is_a_tenth() {
        let sampler = sampler("traceidratio", "0.1", true).unwrap();
        fastrand::seed(7);
        let traces = (0..100_000).map(|_| crate::ids::trace());
        let sampled = traces.filter(|trace| sampler.decide(&SpanContext::NONE, *trace, Instant::now)).count();
        assert!((9_500..10_500).contains(&sampled), "{sampled}");
    }

    #[test]
    fn for_ourselves_so_many_a_second_are_enough() {
        let sampler = sampler("", "", false).unwrap();
        let began = Instant::now();
        let admitted = |after: u64| {
            let now = began + Duration::from_millis(after);
            (0..1_000).filter(|_| sampler.decide(&SpanContext::NONE, TraceId::from(1), || now)).count()
        };
        assert_eq!(admitted(0), 20, "a second's worth at once");
        assert_eq!([admitted(500), admitted(1_000), admitted(60_000)], [10, 10, 20]);
        let off = Sampler::new(&|_| None, false, 0).unwrap();
        assert_eq!(decisions(&off, TraceId::from(1)), [false; 3]);
        assert_eq!(decisions(&Sampler::new(&|_| None, false, 9).unwrap(), TraceId::from(1)), [true, true, false]);
    }
}

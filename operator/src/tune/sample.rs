//! What one pod says of its pool: the lines of `/metrics` that the law needs.

use farmlokal_telemetry::pool;

/// One pod's counters and gauges at one moment. Counters count from the pod's start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The generation of the tuning file it has applied; 0 for none.
    pub generation: u64,
    /// Connections it holds or may open, whichever is more.
    pub applied: u32,
    /// Waits for a connection: for each bound in seconds, how many were as short. The last bound is infinite.
    pub waits: Vec<(f64, u64)>,
    /// Connections given back.
    pub uses: u64,
    /// The integral of connections in use over time, in seconds.
    pub in_use: f64,
    /// Callers turned away.
    pub timeouts: u64,
    /// Connections that the database refused.
    pub refusals: u64,
}

/// Why a pod's metrics are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// A metric is not there.
    #[error("the pod's metrics have no {0} of the pool `primary`")]
    Missing(&'static str),
    /// A line's value is no number.
    #[error("the pod's metrics have a {0} that is no number")]
    Number(&'static str),
}

impl Sample {
    /// Reads the answer of `/metrics`, in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// When a metric is missing or is no number. Counters of things that never happened may be missing.
    pub fn parse(text: &str) -> Result<Self, SampleError> {
        let lines: Vec<Line<'_>> = text.lines().filter_map(Line::parse).collect();
        let all = |name, suffix| lines.iter().filter(move |line| line.name.strip_suffix(suffix) == Some(name));
        let value = |name, suffix| all(name, suffix).next().map(|line| line.value(name)).transpose();
        let needed = |name, suffix| value(name, suffix)?.ok_or(SampleError::Missing(name));
        let mut waits = Vec::new();
        for line in all(pool::WAIT_TIME, "_bucket") {
            let bound = line.label("le").and_then(|it| it.parse().ok()).ok_or(SampleError::Number(pool::WAIT_TIME))?;
            waits.push((bound, line.value(pool::WAIT_TIME)? as u64));
        }
        if waits.is_empty() {
            return Err(SampleError::Missing(pool::WAIT_TIME));
        }
        waits.sort_by(|(one, _), (other, _): &(f64, u64)| one.total_cmp(other));
        Ok(Self {
            generation: needed(pool::GENERATION, "")? as u64,
            applied: needed(pool::APPLIED, "")? as u32,
            waits,
            uses: needed(pool::USE_TIME, "_count")? as u64,
            in_use: needed(pool::IN_USE_TIME, "")?,
            timeouts: value(pool::TIMEOUTS, "")?.unwrap_or_default() as u64,
            refusals: value(pool::REFUSALS, "")?.unwrap_or_default() as u64,
        })
    }
}

/// `name{label="value",…} 12.5` of the pool that is tuned.
struct Line<'a> {
    name: &'a str,
    labels: &'a str,
    value: &'a str,
}

impl<'a> Line<'a> {
    /// `None` for comments, other pools, and metrics without labels: the pool's all have one.
    fn parse(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.rsplit_once('}')?;
        let line = Self { name, labels, value: value.split_whitespace().next()? };
        (line.label(pool::POOL) == Some(pool::PRIMARY)).then_some(line)
    }

    /// A label's value. None of those asked for has a quotation mark or a comma in it.
    fn label(&self, name: &str) -> Option<&'a str> {
        let of = |label: &'a str| label.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"');
        self.labels.split(',').find_map(of)
    }

    fn value(&self, name: &'static str) -> Result<f64, SampleError> {
        self.value.parse().map_err(|_| SampleError::Number(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = r#"
# HELP db_client_connection_wait_time_seconds The time it took to obtain a connection
# TYPE db_client_connection_wait_time_seconds histogram
db_client_connection_wait_time_seconds_bucket{db_client_connection_pool_name="primary",le="0.01"} 90
db_client_connection_wait_time_seconds_bucket{db_client_connection_pool_name="primary",le="+Inf"} 100
db_client_connection_wait_time_seconds_bucket{db_client_connection_pool_name="primary",le="0.1"} 99
db_client_connection_wait_time_seconds_count{db_client_connection_pool_name="primary"} 100
db_client_connection_wait_time_seconds_bucket{db_client_connection_pool_name="replica",le="0.01"} 7
db_client_connection_use_time_seconds_count{db_client_connection_pool_name="primary"} 98
farmlokal_pool_in_use_seconds_total{otel_scope_name="farmlokal",db_client_connection_pool_name="primary"} 12.75
farmlokal_pool_refusals_total{db_client_connection_pool_name="primary"} 2 1700000000000
farmlokal_pool_applied_limit{db_client_connection_pool_name="primary"} 8
farmlokal_pool_applied_limit{db_client_connection_pool_name="replica"} 80
farmlokal_pool_tuning_generation{db_client_connection_pool_name="primary"} 3
http_server_active_requests 4
http_server_requests_total{http_route="/v1/products/{id}"} 4
"#;

    #[test]
    fn the_tuned_pool_is_read() {
        let expected = Sample {
            generation: 3,
            applied: 8,
            waits: vec![(0.01, 90), (0.1, 99), (f64::INFINITY, 100)],
            uses: 98,
            in_use: 12.75,
            timeouts: 0,
            refusals: 2,
        };
        assert_eq!(Sample::parse(METRICS), Ok(expected));
    }

    #[test]
    fn what_is_missing_or_no_number_is_named() {
        for name in [pool::WAIT_TIME, pool::USE_TIME, pool::IN_USE_TIME, pool::APPLIED, pool::GENERATION] {
            let without: String =
                METRICS.lines().filter(|it| !it.starts_with(name)).fold(String::new(), |all, line| all + line + "\n");
            assert_eq!(Sample::parse(&without), Err(SampleError::Missing(name)));
        }
        let broken = METRICS.replace("12.75", "much");
        assert_eq!(Sample::parse(&broken), Err(SampleError::Number(pool::IN_USE_TIME)));
        assert_eq!(Sample::parse(""), Err(SampleError::Missing(pool::WAIT_TIME)));
    }
}

//! The store's observer: operations on the database, and waits for connections to it.

use std::time::Duration;

use farmlokal_catalog::store::{Engine, Observer, Pool};
use farmlokal_telemetry::metrics::table::database as table;
use farmlokal_telemetry::metrics::{Counter, Labelled, Metrics, Series};

/// Records what the store does.
#[derive(Debug)]
pub struct StoreObserver {
    system: &'static str,
    operations: Series<Operation>,
    waits: Series<InPool>,
    uses: Series<InPool>,
    timeouts: Counter,
    refusals: Counter,
}

/// An operation and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Operation {
    system: &'static str,
    summary: &'static str,
    error: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct InPool(Pool);

impl StoreObserver {
    /// Records what a store of `engine` does into `metrics`.
    pub fn new(metrics: &Metrics, engine: Engine) -> Self {
        let series = |metric| Series::new(metrics.histogram(metric));
        let system = match engine {
            Engine::Sqlite => "sqlite",
            Engine::Mysql => "mysql",
        };
        let observer = Self {
            system,
            operations: Series::new(metrics.histogram(&table::OPERATION_DURATION)),
            waits: series(&table::WAIT_TIME),
            uses: series(&table::USE_TIME),
            timeouts: metrics.counter(&table::TIMEOUTS),
            refusals: metrics.counter(&table::REFUSALS),
        };
        // The operator reckons with differences: they must be there before the first of them.
        observer.waits.open(InPool(Pool::Primary));
        observer.uses.open(InPool(Pool::Primary));
        observer.timeouts.add(0, &[Pool::Primary.name()]);
        observer.refusals.add(0, &[Pool::Primary.name()]);
        observer
    }
}

impl Observer for StoreObserver {
    fn acquired(&self, pool: Pool, waited: Duration) {
        self.waits.record(InPool(pool), waited.as_secs_f64());
    }

    fn released(&self, pool: Pool, held: Duration) {
        self.uses.record(InPool(pool), held.as_secs_f64());
    }

    fn timed_out(&self, pool: Pool) {
        self.timeouts.add(1, &[pool.name()]);
    }

    fn refused(&self, pool: Pool) {
        self.refusals.add(1, &[pool.name()]);
    }

    fn operation(&self, summary: &'static str, took: Duration, error: Option<&'static str>) {
        self.operations.record(Operation { system: self.system, summary, error }, took.as_secs_f64());
    }
}

impl Labelled for Operation {
    fn labels(&self) -> Vec<String> {
        let name = self.summary.split(' ').next().unwrap_or_default();
        [self.system, name, self.summary, self.error.unwrap_or_default()].map(str::to_owned).into()
    }
}

impl Labelled for InPool {
    fn labels(&self) -> Vec<String> {
        vec![self.0.name().to_owned()]
    }
}

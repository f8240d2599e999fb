//! A database as Gunther's Universal Scalability Law has it, or as a hard limit with a cliff behind it; and the queue
//! before it as Erlang has it.

/// Throughput over the number of statements at work: they contend for what is single, and they wait for each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Database {
    /// Statements a second that one connection achieves alone.
    pub(crate) alone: f64,
    /// Contention: the share that cannot be done side by side.
    pub(crate) contention: f64,
    /// Coherency: what each pair costs. It is what makes throughput fall beyond the knee.
    pub(crate) coherency: f64,
    /// Work in proportion up to so many connections, the same beyond; infinite for none of that.
    pub(crate) limit: f64,
}

/// How many times the limit can be at work before all get into each other's way, and what is left then.
const CLIFF: (f64, f64) = (2.0, 0.5);

impl Database {
    /// Statements a second with so many at work.
    pub(crate) fn throughput(&self, at_work: f64) -> f64 {
        let others = at_work - 1.0;
        let left = if at_work > CLIFF.0 * self.limit { CLIFF.1 } else { 1.0 };
        left * self.alone * at_work.min(self.limit)
            / (1.0 + self.contention * others + self.coherency * at_work * others)
    }

    /// The best it can do with so many connections at most.
    pub(crate) fn peak(&self, at_most: u32) -> f64 {
        (1..=at_most).map(|it| self.throughput(it.into())).fold(0.0, f64::max)
    }
}

/// The probability that a caller has to wait, with `servers` and an offered load of `offered` of them (Erlang C).
pub(crate) fn waiting_probability(servers: u32, offered: f64) -> f64 {
    if offered >= f64::from(servers) {
        return 1.0;
    }
    let inverse = (1..=servers).fold(1.0, |inverse, it| 1.0 + inverse * f64::from(it) / offered);
    let blocked = 1.0 / inverse;
    blocked / (1.0 - offered / f64::from(servers) * (1.0 - blocked))
}

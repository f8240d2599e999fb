//! What a metric is.

use opentelemetry::KeyValue;

/// What a label says of everything that has no value of its own: unknown paths, methods, sources.
pub const OTHER: &str = "_OTHER";

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// A sum that grows and shrinks; over several processes it is added up.
    UpDownCounter,
    /// A value that holds at a moment.
    Gauge,
    /// How values are spread, by the upper boundaries of buckets.
    Histogram(&'static [f64]),
}

/// What tells the series of a metric apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its key in OpenTelemetry's form.
    pub key: &'static str,
    /// What its values can be.
    pub values: Values,
}

/// What the values of a label can be. Never what a client sends as it is: that has no bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// One of few that only the running process knows, described.
    Few(&'static str),
}

/// A metric as it is declared.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in OpenTelemetry's form.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// Its unit (UCUM): `s`, `By`, or an annotation such as `{request}`; empty for flags.
    pub unit: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
    /// Its labels; their values are given in this order.
    pub labels: &'static [Label],
    /// Series it may have in one process; what is beyond falls into one that is labelled as overflow.
    pub series: usize,
}

impl Metric {
    const fn new(name: &'static str, kind: Kind, unit: &'static str, help: &'static str) -> Self {
        Self { name, kind, unit, help, labels: &[], series: 1 }
    }

    pub(super) const fn counter(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Counter, unit, help)
    }

    pub(super) const fn up_down(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::UpDownCounter, unit, help)
    }

    pub(super) const fn gauge(name: &'static str, unit: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Gauge, unit, help)
    }

    /// Of durations, in seconds.
    pub(super) const fn duration(name: &'static str, buckets: &'static [f64], help: &'static str) -> Self {
        Self::new(name, Kind::Histogram(buckets), "s", help)
    }

    pub(super) const fn labelled(self, labels: &'static [Label], series: usize) -> Self {
        Self { labels, series, ..self }
    }

    /// Its name as Prometheus has it: the unit and `_total` behind the name.
    #[must_use]
    pub fn prometheus_name(&self) -> String {
        let unit = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        let total = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{unit}{total}", prometheus_form(self.name))
    }

    /// Its type as Prometheus has it.
    #[must_use]
    pub fn prometheus_type(&self) -> &'static str {
        match self.kind {
            Kind::Counter => "counter",
            Kind::UpDownCounter | Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }

    /// The attributes for `values`, which stand in the order of the labels. One that is empty is left out.
    #[must_use]
    pub fn attributes(&self, values: &[&str]) -> Vec<KeyValue> {
        debug_assert_eq!(values.len(), self.labels.len(), "{}: a value for each label", self.name);
        let given = self.labels.iter().zip(values).filter(|(_, value)| !value.is_empty());
        given.map(|(label, value)| label.attribute(value)).collect()
    }
}

impl Label {
    pub(super) const fn one_of(key: &'static str, values: &'static [&'static str]) -> Self {
        Self { key, values: Values::OneOf(values) }
    }

    pub(super) const fn few(key: &'static str, described: &'static str) -> Self {
        Self { key, values: Values::Few(described) }
    }

    /// Its key as Prometheus has it.
    #[must_use]
    pub fn prometheus_name(&self) -> String {
        prometheus_form(self.key)
    }

    fn attribute(&self, value: &str) -> KeyValue {
        // The one attribute that the semantic conventions want as a number.
        match value.parse::<i64>() {
            Ok(number) if self.key == "http.response.status_code" => KeyValue::new(self.key, number),
            _ => KeyValue::new(self.key, value.to_owned()),
        }
    }
}

fn prometheus_form(name: &str) -> String {
    name.replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

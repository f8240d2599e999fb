//! The environment variables of OpenTelemetry's specification. An empty one counts as not set.

/// Gives the value of a variable. A parameter, so that tests need not change the process' own.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process' own.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Whether the signal, `TRACES` or `METRICS`, is to be sent anywhere: only once somebody says where.
pub(crate) fn exports(signal: &str, variables: Variables<'_>) -> bool {
    let disabled = variables("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let otlp = variables(&format!("OTEL_{signal}_EXPORTER")).is_none_or(|exporter| exporter == "otlp");
    let endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")];
    !disabled && otlp && endpoints.iter().any(|name| variables(name).is_some())
}

/// What the signal's own variable of OTLP says, or else the one for all signals.
pub(crate) fn otlp(signal: &str, name: &str, variables: Variables<'_>) -> Option<String> {
    variables(&format!("OTEL_EXPORTER_OTLP_{signal}_{name}"))
        .or_else(|| variables(&format!("OTEL_EXPORTER_OTLP_{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_unless_somebody_says_where() {
        let exports = |set: &[(&str, &str)]| {
            let value = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            ["TRACES", "METRICS"].map(|signal| exports(signal, &value))
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert_eq!(exports(&[]), [false, false]);
        assert_eq!(exports(&[endpoint]), [true, true]);
        assert_eq!(exports(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c:4318")]), [false, true]);
        assert_eq!(exports(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]), [false, true]);
        assert_eq!(exports(&[endpoint, ("OTEL_METRICS_EXPORTER", "prometheus")]), [true, false]);
        assert_eq!(exports(&[endpoint, ("OTEL_METRICS_EXPORTER", "otlp")]), [true, true]);
        assert_eq!(exports(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]), [false, false]);
    }
}

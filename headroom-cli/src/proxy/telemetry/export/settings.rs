//! The standard variables that the SDK does not read by itself.

use std::{env, time::Duration};

use crate::config::Base;

/// The default of `OTEL_EXPORTER_OTLP_TIMEOUT`.
const TIMEOUT_MILLIS: u64 = 10_000;

/// What is exported, and where.
#[derive(Debug)]
pub(super) struct ExportSettings {
    pub(super) has_traces: bool,
    pub(super) has_metrics: bool,
    /// From the configuration; without it, the SDK reads the variables.
    pub(super) endpoint: Option<Base>,
    pub(super) timeout: Duration,
    /// Whether a variable names the service.
    pub(super) is_named: bool,
}

impl ExportSettings {
    pub(super) fn from_environment(endpoint: Option<&Base>) -> Self {
        Self::new(endpoint, |name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn new(endpoint: Option<&Base>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let is = |name: &str, value: &str| variable(name).is_some_and(|is| is.eq_ignore_ascii_case(value));
        let is_on = !is("OTEL_SDK_DISABLED", "true");
        let has = |signal: &str| {
            let common = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
            let own = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
            let has_endpoint = endpoint.is_some() || own.or(common).is_some();
            is_on && has_endpoint && !is(&format!("OTEL_{signal}_EXPORTER"), "none")
        };
        if is("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc") && (has("TRACES") || has("METRICS")) {
            tracing::warn!(
                "OTEL_EXPORTER_OTLP_PROTOCOL: grpc is not supported; http/protobuf is sent, usually to port 4318"
            );
        }
        let timeout = variable("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|millis| millis.parse().ok());
        let attributes = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        Self {
            has_traces: has("TRACES"),
            has_metrics: has("METRICS"),
            endpoint: endpoint.cloned(),
            timeout: Duration::from_millis(timeout.unwrap_or(TIMEOUT_MILLIS)),
            is_named: variable("OTEL_SERVICE_NAME").is_some()
                || attributes.split(',').any(|pair| pair.trim_start().starts_with("service.name=")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether traces and metrics are exported.
    fn exported(endpoint: Option<&str>, variables: &[(&str, &str)]) -> (bool, bool) {
        let base: Option<Base> = endpoint.map(|endpoint| endpoint.parse().unwrap());
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let settings = ExportSettings::new(base.as_ref(), variable);
        (settings.has_traces, settings.has_metrics)
    }

    #[test]
    fn nothing_is_exported_unless_an_endpoint_is_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces");
        for (configured, variables, expected) in [
            (None, vec![], (false, false)),
            (None, vec![("OTEL_SERVICE_NAME", "x")], (false, false)),
            (Some("http://h:4318"), vec![], (true, true)),
            (None, vec![endpoint], (true, true)),
            (None, vec![traces], (true, false)),
            (None, vec![endpoint, ("OTEL_SDK_DISABLED", "True")], (false, false)),
            (Some("http://h:4318"), vec![("OTEL_SDK_DISABLED", "true")], (false, false)),
            (None, vec![endpoint, ("OTEL_METRICS_EXPORTER", "none")], (true, false)),
            (None, vec![endpoint, ("OTEL_TRACES_EXPORTER", "none")], (false, true)),
        ] {
            assert_eq!(exported(configured, &variables), expected, "{configured:?} {variables:?}");
        }
    }
}

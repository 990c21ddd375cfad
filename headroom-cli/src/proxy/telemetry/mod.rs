//! Traces and metrics for OpenTelemetry: numbers and names, never content.
//!
//! Spans are made here and not from the events of `tracing`, so that only the attributes in this folder can leave.

#[cfg(feature = "otel")]
mod export;
#[cfg(not(feature = "otel"))]
mod off;

#[cfg(feature = "otel")]
pub(crate) use self::export::{ServerSpan, Telemetry};
#[cfg(not(feature = "otel"))]
pub(crate) use self::off::{ServerSpan, Telemetry};

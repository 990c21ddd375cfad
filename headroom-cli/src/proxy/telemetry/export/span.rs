//! The spans of a request: one for the client's, and below it one for each call of a provider.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use headroom_tower::RequestReport;
use http::{HeaderMap, Request, StatusCode, header, request::Parts};
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracer};

use super::genai::{GenAiMetrics, model_in, operation, provider_name};
use crate::{config::Base, proxy::Provider, tokens::Tokens, usage::Usage};

/// The request of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerSpan(Option<Arc<ServedRequest>>);

#[derive(Debug)]
struct ServedRequest {
    tracer: Arc<SdkTracer>,
    usage: Option<Arc<GenAiMetrics>>,
    context: Context,
    start: SystemTime,
    /// What the layer did, until the first call says it.
    is_rewrite_told: Mutex<bool>,
}

impl ServerSpan {
    pub(super) fn start<B>(
        tracer: &Arc<SdkTracer>,
        usage: Option<Arc<GenAiMetrics>>,
        request: &Request<B>,
        provider: Provider,
    ) -> Self {
        let parent = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &HeaderExtractor(request.headers()));
        // Names of spans have few values, and paths hold models and ids.
        let name = match operation(request.uri().path()) {
            Some(operation) => format!("{} {} {operation}", request.method(), provider.as_str()),
            None => format!("{} {}", request.method(), provider.as_str()),
        };
        let span = tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes([
            KeyValue::new("http.request.method", request.method().as_str().to_owned()),
            // Without the query, in which some clients send their key.
            KeyValue::new("url.path", request.uri().path().to_owned()),
        ]);
        let span = span.start_with_context(&**tracer, &parent);
        Self(Some(Arc::new(ServedRequest {
            tracer: Arc::clone(tracer),
            usage,
            context: parent.with_span(span),
            start: SystemTime::now(),
            is_rewrite_told: Mutex::new(false),
        })))
    }

    /// Begins the span of a call, and tells the provider of it as the client told us of its own.
    pub(crate) fn call(
        &self,
        parts: &mut Parts,
        provider: Provider,
        base: &Base,
        report: Option<&RequestReport>,
    ) -> CallSpan {
        let Some(served) = &self.0 else { return CallSpan::default() };
        if let Some(report) = report {
            served.tell_rewrite(report);
        }
        let path = parts.uri.path();
        let (operation, model) = (operation(path), model_in(path).map(str::to_owned));
        let mut attributes = vec![
            KeyValue::new("http.request.method", parts.method.as_str().to_owned()),
            KeyValue::new("server.address", base.host().to_owned()),
        ];
        attributes.extend(base.port().map(|port| KeyValue::new("server.port", i64::from(port))));
        let mut common = Vec::new();
        if let Some(operation) = operation {
            common.push(KeyValue::new("gen_ai.operation.name", operation));
            common.push(KeyValue::new("gen_ai.provider.name", provider_name(provider)));
            attributes.extend(common.iter().cloned());
        }
        let name = operation.unwrap_or(parts.method.as_str()).to_owned();
        let span = served.tracer.span_builder(name).with_kind(SpanKind::Client).with_attributes(attributes);
        let span = span.start_with_context(&*served.tracer, &served.context);
        let context = served.context.with_span(span);
        if !is_signed(&parts.headers) {
            TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(&mut parts.headers));
            if parts.headers.get("tracestate").is_some_and(|state| state.is_empty()) {
                parts.headers.remove("tracestate");
            }
        }
        let call = CallSpan(Some(Arc::new(Mutex::new(Call {
            context,
            operation,
            usage_metrics: served.usage.clone(),
            common,
            start: Instant::now(),
            model: None,
            response_model: None,
            usage: None,
            error: None,
        }))));
        if let Some(model) = model {
            call.asked(&model);
        }
        call
    }

    /// Ends the span. `outcome` is what the layer did.
    pub(crate) fn end(&self, status: Option<StatusCode>, outcome: Option<&'static str>) {
        let Some(served) = &self.0 else { return };
        let span = served.context.span();
        if let Some(outcome) = outcome {
            span.set_attribute(KeyValue::new("headroom.outcome", outcome));
        }
        match status {
            Some(status) => {
                span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
                if status.is_server_error() {
                    span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
                    span.set_status(Status::error(""));
                }
            }
            None => span.set_attribute(KeyValue::new("error.type", "client_left")),
        }
        span.end();
    }
}

impl ServedRequest {
    /// Adds the span of what happened between the client's request and the first call: reading, waiting, compressing,
    /// storing.
    fn tell_rewrite(&self, report: &RequestReport) {
        if std::mem::replace(&mut *self.is_rewrite_told.lock().unwrap_or_else(PoisonError::into_inner), true)
        {
            return;
        }
        let outcome = report.skip_reason().map_or("rewritten", |reason| reason.as_str());
        let mut attributes = vec![KeyValue::new("headroom.outcome", outcome)];
        if let Some(engine) = report.report() {
            let Tokens { before, after } = Tokens::from_report(engine);
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            attributes.push(KeyValue::new("headroom.tokens.before", number(before)));
            attributes.push(KeyValue::new("headroom.tokens.after", number(after)));
        }
        let span = self.tracer.span_builder("headroom.rewrite").with_kind(SpanKind::Internal);
        let span = span.with_start_time(self.start).with_attributes(attributes);
        opentelemetry::trace::Span::end(&mut span.start_with_context(&*self.tracer, &self.context));
    }
}

/// Whether the headers of a request are signed, so that none may be added.
fn is_signed(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"))
}

/// A request to a provider. It ends when the last clone is dropped, with the body of the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallSpan(Option<Arc<Mutex<Call>>>);

#[derive(Debug)]
struct Call {
    context: Context,
    operation: Option<&'static str>,
    usage_metrics: Option<Arc<GenAiMetrics>>,
    /// The attributes of the metrics.
    common: Vec<KeyValue>,
    start: Instant,
    model: Option<String>,
    response_model: Option<String>,
    usage: Option<Usage>,
    error: Option<String>,
}

impl CallSpan {
    fn with(&self, see: impl FnOnce(&mut Call)) {
        if let Some(call) = &self.0 {
            see(&mut call.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Whether the request's body may tell the model.
    pub(crate) fn wants_model(&self) -> bool {
        let mut wants = false;
        self.with(|call| wants = call.operation.is_some() && call.model.is_none());
        wants
    }

    /// Records the model that is asked.
    pub(crate) fn asked(&self, model: &str) {
        self.with(|call| {
            let Some(operation) = call.operation else { return };
            let span = call.context.span();
            span.update_name(format!("{operation} {model}"));
            span.set_attribute(KeyValue::new("gen_ai.request.model", model.to_owned()));
            call.model = Some(model.to_owned());
        });
    }

    /// Records the head of the answer.
    pub(crate) fn answered(&self, status: StatusCode, headers: &HeaderMap) {
        self.with(|call| {
            let span = call.context.span();
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            let kind =
                headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            if call.operation.is_some() && kind.starts_with("text/event-stream") {
                span.set_attribute(KeyValue::new("gen_ai.request.stream", true));
            }
            if status.is_client_error() || status.is_server_error() {
                call.error = Some(status.as_str().to_owned());
            }
        });
    }

    /// Records that there is no answer, and why.
    pub(crate) fn failed(&self, kind: &'static str) {
        self.with(|call| call.error = Some(kind.to_owned()));
    }

    /// Records what the answer tells so far.
    pub(crate) fn used(&self, usage: Option<Usage>, model: Option<&str>) {
        self.with(|call| {
            call.usage = usage.or(call.usage);
            call.response_model = model.map(str::to_owned).or(call.response_model.take());
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let span = self.context.span();
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        if let Some(usage) = self.usage {
            // Input includes what was read from the cache and written to it, as the conventions say.
            for (name, tokens) in [
                ("gen_ai.usage.input_tokens", usage.prompt()),
                ("gen_ai.usage.output_tokens", usage.output),
                ("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
                ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
            ] {
                span.set_attribute(KeyValue::new(name, number(tokens)));
            }
        }
        if let Some(model) = &self.response_model {
            span.set_attribute(KeyValue::new("gen_ai.response.model", model.clone()));
        }
        if let Some(error) = &self.error {
            span.set_attribute(KeyValue::new("error.type", error.clone()));
            span.set_status(Status::error(""));
        }
        span.end();
        if let Some(metrics) = self.usage_metrics.as_ref().filter(|_| self.operation.is_some()) {
            let mut attributes = std::mem::take(&mut self.common);
            for (name, model) in
                [("gen_ai.request.model", &self.model), ("gen_ai.response.model", &self.response_model)]
            {
                attributes.extend(model.as_ref().map(|model| KeyValue::new(name, model.clone())));
            }
            let took: Duration = self.start.elapsed();
            metrics.record(took, &attributes, self.error.take(), self.usage);
        }
    }
}

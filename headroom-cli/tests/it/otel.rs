//! Traces and metrics that a collector gets.

use std::{
    collections::HashMap,
    io, thread,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, metric::Data, number_data_point},
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;

use crate::support::{Connection, Message, PATIENCE, Proxy, Upstream, exchange, headroom, ok, post};

/// What must reach no collector.
const SECRETS: [&str; 4] =
    ["planted-in-the-prompt", "planted-in-the-answer", "planted-in-the-key", "planted-in-the-tool"];
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A request of an API and what its provider answers.
#[derive(Clone, Copy, Debug)]
struct Case {
    path: &'static str,
    body: &'static str,
    key: &'static str,
    whole: &'static str,
    /// Events, each the data of one.
    stream: &'static [&'static str],
    /// What is added to the body for a stream, and the path of one.
    streaming: (&'static str, &'static str),
    operation: &'static str,
    provider: &'static str,
}

const CASES: [Case; 3] = [
    Case {
        path: "/v1/messages?beta=true",
        body: r#"{"model":"claude-opus-5-5","max_tokens":9,"system":"planted-in-the-prompt","messages":[{"role":"user","content":"planted-in-the-prompt"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"planted-in-the-tool"}]}]}"#,
        key: "x-api-key: sk-planted-in-the-key\r\n",
        whole: r#"{"id":"m","type":"message","role":"assistant","model":"claude-opus-5-5-20270101","content":[{"type":"text","text":"planted-in-the-answer"}],"usage":{"input_tokens":5,"cache_read_input_tokens":7,"cache_creation_input_tokens":8,"output_tokens":40}}"#,
        stream: &[
            r#"{"type":"message_start","message":{"model":"claude-opus-5-5-20270101","usage":{"input_tokens":5,"cache_read_input_tokens":7,"cache_creation_input_tokens":8,"output_tokens":1}}}"#,
            r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"planted-in-the-answer"}}"#,
            r#"{"type":"message_delta","usage":{"output_tokens":40}}"#,
        ],
        streaming: (r#","stream":true}"#, "/v1/messages?beta=true"),
        operation: "chat",
        provider: "anthropic",
    },
    Case {
        path: "/v1/chat/completions",
        body: r#"{"messages":[{"role":"user","content":"planted-in-the-prompt"},{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"sh","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t","content":"planted-in-the-tool"}],"model":"claude-opus-5-5"}"#,
        key: "authorization: Bearer sk-planted-in-the-key\r\n",
        whole: r#"{"model":"claude-opus-5-5-20270101","choices":[{"message":{"role":"assistant","content":"planted-in-the-answer"}}],"usage":{"prompt_tokens":20,"completion_tokens":40,"prompt_tokens_details":{"cached_tokens":7,"cache_write_tokens":8}}}"#,
        stream: &[
            r#"{"model":"claude-opus-5-5-20270101","choices":[{"delta":{"content":"planted-in-the-answer"}}]}"#,
            r#"{"model":"claude-opus-5-5-20270101","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":40,"prompt_tokens_details":{"cached_tokens":7,"cache_write_tokens":8}}}"#,
        ],
        streaming: (r#","stream":true}"#, "/v1/chat/completions"),
        operation: "chat",
        provider: "openai",
    },
    Case {
        path: "/v1beta/models/claude-opus-5-5:generateContent?key=sk-planted-in-the-key",
        body: r#"{"contents":[{"role":"user","parts":[{"text":"planted-in-the-prompt"}]},{"role":"model","parts":[{"functionCall":{"name":"sh","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"sh","response":{"output":"planted-in-the-tool"}}}]}]}"#,
        key: "",
        whole: r#"{"candidates":[{"content":{"parts":[{"text":"planted-in-the-answer"}]}}],"modelVersion":"claude-opus-5-5-20270101","usageMetadata":{"promptTokenCount":20,"cachedContentTokenCount":7,"candidatesTokenCount":40}}"#,
        stream: &[
            r#"{"candidates":[{"content":{"parts":[{"text":"planted-in-the-answer"}]}}],"modelVersion":"claude-opus-5-5-20270101"}"#,
            r#"{"modelVersion":"claude-opus-5-5-20270101","usageMetadata":{"promptTokenCount":20,"cachedContentTokenCount":7,"candidatesTokenCount":40}}"#,
        ],
        streaming: (
            "}",
            "/v1beta/models/claude-opus-5-5:streamGenerateContent?alt=sse&key=sk-planted-in-the-key",
        ),
        operation: "generate_content",
        provider: "gcp.gemini",
    },
];

/// A provider that answers as the case says.
fn provider(case: Case) -> Upstream {
    Upstream::start(move |connection| {
        let request = connection.read()?;
        let is_stream = request.target().contains(":stream")
            || String::from_utf8_lossy(&request.body).contains(r#""stream":true"#);
        if is_stream {
            connection.write(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
            )?;
            for event in case.stream {
                connection.write_chunk(&format!("data: {event}\n\n"))?;
            }
            connection.write_chunk("")?;
        } else {
            connection.write(ok(case.whole))?;
        }
        Ok(request)
    })
}

fn collector() -> Upstream {
    Upstream::answering(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
    )
}

/// A proxy between these that exports at once.
fn start(provider: &Upstream, collector: &str, variables: &[(&str, &str)]) -> Proxy {
    let url = format!("http://{}", provider.address);
    let mut command =
        headroom(&["proxy", "--listen", "127.0.0.1:0", "--store", "memory", "--upstream", &url]);
    command.env("OTEL_BSP_SCHEDULE_DELAY", "20").env("OTEL_METRIC_EXPORT_INTERVAL", "50");
    if !collector.is_empty() {
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    }
    Proxy::start(command.envs(variables.iter().copied()))
}

/// Sends a request of a case, with the trace of its caller.
fn send(proxy: &Proxy, case: Case, is_stream: bool) -> Message {
    let headers = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\ntracestate: vendor=1\r\n{}", case.key);
    let (end, path) = case.streaming;
    let body =
        if is_stream { case.body.strip_suffix('}').unwrap().to_owned() + end } else { case.body.to_owned() };
    let path = if is_stream { path } else { case.path };
    let answer = exchange(proxy.address, post(path, &headers, body.as_bytes()));
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert!(String::from_utf8_lossy(&answer.body).contains("planted-in-the-answer"), "{answer:?}");
    answer
}

/// What a collector got so far.
#[derive(Default)]
struct Exports {
    spans: Vec<Span>,
    resource: Option<Resource>,
    metrics: HashMap<String, Metric>,
    /// Every byte.
    raw: Vec<u8>,
}

impl Exports {
    /// Reads what comes until it is enough.
    fn until(&mut self, collector: &Upstream, is_enough: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_enough(self) {
            assert!(start.elapsed() < PATIENCE, "{:?} {:?}", self.spans, self.metrics.keys());
            if let Some(request) = collector.request_within(PATIENCE) {
                self.read(&request);
            }
        }
    }

    fn read(&mut self, request: &Message) {
        self.raw.extend(format!("{} {:?}", request.start, request.headers).into_bytes());
        self.raw.extend(&request.body);
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        match request.target() {
            "/v1/traces" => {
                for of_resource in ExportTraceServiceRequest::decode(&*request.body).unwrap().resource_spans {
                    self.resource = of_resource.resource;
                    self.spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
                }
            }
            "/v1/metrics" => {
                for of_resource in
                    ExportMetricsServiceRequest::decode(&*request.body).unwrap().resource_metrics
                {
                    let metrics = of_resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
                    self.metrics.extend(metrics.map(|metric| (metric.name.clone(), metric)));
                }
            }
            other => panic!("{other}"),
        }
    }

    fn span(&self, kind: SpanKind) -> &Span {
        let mut found = self.spans.iter().filter(|span| span.kind == kind as i32);
        let span = found.next().unwrap_or_else(|| panic!("no {kind:?} in {:?}", self.spans));
        assert!(found.next().is_none(), "more than one {kind:?}: {:?}", self.spans);
        span
    }
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let pair = attributes.iter().find(|pair| pair.key == name)?;
    Some(match pair.value.clone()?.value? {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(is) => is.to_string(),
        other => panic!("{other:?}"),
    })
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// What a call's span says of it.
fn check_call(case: Case, is_stream: bool, call: &Span, port: u16) {
    assert_eq!(call.name, format!("{} claude-opus-5-5", case.operation));
    let cache_write = if case.provider == "gcp.gemini" { "0" } else { "8" };
    for (name, value) in [
        ("gen_ai.operation.name", case.operation),
        ("gen_ai.provider.name", case.provider),
        ("gen_ai.request.model", "claude-opus-5-5"),
        ("gen_ai.response.model", "claude-opus-5-5-20270101"),
        ("gen_ai.usage.input_tokens", "20"),
        ("gen_ai.usage.output_tokens", "40"),
        ("gen_ai.usage.cache_read.input_tokens", "7"),
        ("gen_ai.usage.cache_creation.input_tokens", cache_write),
        ("http.response.status_code", "200"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port.to_string()),
    ] {
        assert_eq!(attribute(&call.attributes, name).as_deref(), Some(value), "{case:?} {is_stream} {name}");
    }
    let streamed = attribute(&call.attributes, "gen_ai.request.stream");
    assert_eq!(streamed.as_deref(), is_stream.then_some("true"), "{case:?}");
}

#[test]
fn a_request_has_a_span_and_so_has_its_call_whole_or_streamed() {
    for case in CASES {
        for is_stream in [false, true] {
            let (provider, collector) = (provider(case), collector());
            let proxy = start(&provider, &format!("http://{}", collector.address), &[]);
            send(&proxy, case, is_stream);
            let mut exports = Exports::default();
            exports.until(&collector, |exports| exports.spans.len() >= 3);
            let (server, call) = (exports.span(SpanKind::Server), exports.span(SpanKind::Client));
            for span in &exports.spans {
                assert_eq!(hex(&span.trace_id), TRACE, "{case:?}");
                assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
            }
            assert_eq!(hex(&server.parent_span_id), CALLER);
            assert_eq!(call.parent_span_id, server.span_id);
            assert_eq!(exports.span(SpanKind::Internal).name, "headroom.rewrite");
            check_call(case, is_stream, call, provider.address.port());
            let path = attribute(&server.attributes, "url.path").unwrap();
            assert!(
                !path.contains('?') && case.streaming.1.starts_with(&path) || case.path.starts_with(&path),
                "{path}"
            );
            assert_eq!(attribute(&server.attributes, "http.response.status_code").as_deref(), Some("200"));
            assert!(attribute(&server.attributes, "headroom.outcome").is_some());
            let resource = exports.resource.as_ref().unwrap();
            assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("headroom"));

            // The provider can go on with the trace.
            let got = provider.request();
            assert_eq!(
                got.header("traceparent"),
                Some(format!("00-{TRACE}-{}-01", hex(&call.span_id)).as_str())
            );
            assert_eq!(got.header("tracestate"), Some("vendor=1"));

            exports.until(&collector, |exports| exports.metrics.contains_key("gen_ai.client.token.usage"));
            let raw = String::from_utf8_lossy(&exports.raw);
            for secret in SECRETS {
                assert!(!raw.contains(secret), "{case:?} {secret}");
            }
        }
    }
}

#[test]
fn the_metrics_of_the_proxy_and_of_calls_are_exported() {
    let case = CASES[0];
    let (provider, collector) = (provider(case), collector());
    let proxy = start(&provider, &format!("http://{}", collector.address), &[("OTEL_SERVICE_NAME", "mine")]);
    for _ in 0..3 {
        send(&proxy, case, false);
    }
    let mut exports = Exports::default();
    let counted = |exports: &Exports| {
        let Data::Sum(sum) = exports.metrics.get("headroom_usage_tokens_total")?.data.clone()? else {
            return None;
        };
        let point = sum
            .data_points
            .into_iter()
            .find(|point| attribute(&point.attributes, "kind").as_deref() == Some("output"))?;
        match point.value? {
            number_data_point::Value::AsInt(number) => Some(number),
            number_data_point::Value::AsDouble(_) => None,
        }
    };
    exports.until(&collector, |exports| counted(exports) == Some(120));
    exports.until(&collector, |exports| {
        let Some(Data::Histogram(tokens)) =
            exports.metrics.get("gen_ai.client.token.usage").and_then(|metric| metric.data.clone())
        else {
            return false;
        };
        tokens.data_points.iter().any(|point| {
            attribute(&point.attributes, "gen_ai.token.type").as_deref() == Some("input")
                && attribute(&point.attributes, "gen_ai.request.model").as_deref() == Some("claude-opus-5-5")
                && (point.count, point.sum) == (3, Some(60.0))
        })
    });
    for name in ["headroom_requests_total", "headroom_compress_duration_seconds", "headroom_response_seconds"]
    {
        assert!(exports.metrics.contains_key(name), "{name}");
    }
    exports.until(&collector, |exports| exports.resource.is_some());
    assert_eq!(attribute(&exports.resource.unwrap().attributes, "service.name").as_deref(), Some("mine"));
    let refused = exchange(proxy.address, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n");
    assert_ne!(refused.status(), 200, "the page still needs the token");
}

#[test]
fn what_fails_is_marked() {
    let failing = Upstream::answering("HTTP/1.1 529 Overloaded\r\ncontent-length: 0\r\n\r\n");
    let collector = collector();
    let proxy = start(&failing, &format!("http://{}", collector.address), &[]);
    let answer = exchange(proxy.address, post("/v1/messages", "", CASES[0].body.as_bytes()));
    assert_eq!(answer.status(), 529);
    let mut exports = Exports::default();
    exports.until(&collector, |exports| exports.spans.len() >= 3);
    for kind in [SpanKind::Client, SpanKind::Server] {
        assert_eq!(
            attribute(&exports.span(kind).attributes, "error.type").as_deref(),
            Some("529"),
            "{kind:?}"
        );
    }
}

#[test]
fn without_an_endpoint_nothing_is_exported_and_the_trace_passes_unchanged() {
    for variables in [&[][..], &[("OTEL_SDK_DISABLED", "true")]] {
        let (provider, collector) = (provider(CASES[0]), collector());
        let endpoint =
            if variables.is_empty() { String::new() } else { format!("http://{}", collector.address) };
        let mut proxy = start(&provider, &endpoint, variables);
        send(&proxy, CASES[0], false);
        let got = provider.request();
        assert_eq!(got.header("traceparent"), Some(format!("00-{TRACE}-{CALLER}-01").as_str()));
        assert_eq!(got.header("tracestate"), Some("vendor=1"));
        proxy.signal("TERM");
        assert!(proxy.wait().success());
        assert!(collector.is_untouched());
    }
}

#[test]
fn a_collector_that_is_away_or_hangs_disturbs_nobody() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hanging = Upstream::start(|connection: &mut Connection| -> io::Result<Message> {
        connection.read()?;
        thread::sleep(PATIENCE);
        Err(io::ErrorKind::TimedOut.into())
    });
    for (name, address) in [("away", gone), ("hangs", hanging.address)] {
        let provider = provider(CASES[0]);
        let variables = [("OTEL_EXPORTER_OTLP_TIMEOUT", "300")];
        let mut proxy = start(&provider, &format!("http://{address}"), &variables);
        for _ in 0..20 {
            send(&proxy, CASES[0], false);
        }
        proxy.wait_for("exports to OpenTelemetry fail");
        // More of them fail.
        thread::sleep(Duration::from_millis(500));
        let stderr = proxy.stderr();
        assert_eq!(stderr.matches("exports to OpenTelemetry fail").count(), 1, "{name}: {stderr}");
        assert!(SECRETS.iter().all(|secret| !stderr.contains(secret)), "{stderr}");
        proxy.signal("TERM");
        assert!(proxy.wait().success(), "{name}: {}", proxy.stderr());
    }
}

#[test]
fn what_is_left_is_exported_at_the_end() {
    let (provider, collector) = (provider(CASES[0]), collector());
    let url = format!("http://{}", provider.address);
    let endpoint = format!("http://{}", collector.address);
    let mut command =
        headroom(&["proxy", "--listen", "127.0.0.1:0", "--store", "memory", "--upstream", &url]);
    // The delays of the SDK are seconds.
    let mut proxy = Proxy::start(command.args(["--otlp-endpoint", &endpoint]));
    send(&proxy, CASES[0], true);
    proxy.signal("TERM");
    assert!(proxy.wait().success());
    let mut exports = Exports::default();
    exports.until(&collector, |exports| exports.spans.len() >= 3 && !exports.metrics.is_empty());
    assert_eq!(
        attribute(&exports.span(SpanKind::Client).attributes, "gen_ai.usage.output_tokens").as_deref(),
        Some("40")
    );
}

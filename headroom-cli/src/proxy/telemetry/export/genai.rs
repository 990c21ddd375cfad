//! Names and metrics of the semantic conventions for generative AI.

use std::time::Duration;

use opentelemetry::{
    KeyValue,
    metrics::{Histogram, Meter},
};

use crate::{proxy::Provider, usage::Usage};

/// Buckets that the conventions recommend.
const TOKEN_BUCKETS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const SECOND_BUCKETS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// The longest name of a model.
const MAX_MODEL: usize = 96;

/// The name of a provider.
pub(super) const fn provider_name(provider: Provider) -> &'static str {
    match provider {
        Provider::Anthropic => "anthropic",
        Provider::OpenAi => "openai",
        Provider::Gemini => "gcp.gemini",
        Provider::Bedrock => "aws.bedrock",
        Provider::Vertex => "gcp.vertex_ai",
    }
}

/// The operation that a path asks for; `None` if it is none of a model.
pub(super) fn operation(path: &str) -> Option<&'static str> {
    const CHAT: [&str; 9] = [
        "/messages",
        "/chat/completions",
        "/responses",
        "/converse",
        "/converse-stream",
        "/invoke",
        "/invoke-with-response-stream",
        ":rawPredict",
        ":streamRawPredict",
    ];
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    if ends(&CHAT) {
        Some("chat")
    } else if ends(&[":generateContent", ":streamGenerateContent"]) {
        Some("generate_content")
    } else if ends(&["/embeddings", ":embedContent", ":batchEmbedContents"]) {
        Some("embeddings")
    } else if ends(&["/completions", "/complete"]) {
        Some("text_completion")
    } else {
        None
    }
}

/// The model that a path names, as those of Gemini, Vertex and Bedrock do.
pub(super) fn model_in(path: &str) -> Option<&str> {
    let mut segments = path.split('/');
    segments.find(|segment| matches!(*segment, "models" | "model"))?;
    let model = segments.next()?;
    let model =
        model.rsplit_once(':').filter(|_| path.contains("/models/")).map_or(model, |(model, _)| model);
    Some(model).filter(|model| is_model(model))
}

/// Whether this is the name of a model and not content: it has only characters of URLs.
fn is_model(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@%".contains(&byte);
    (1..=MAX_MODEL).contains(&name.len()) && name.bytes().all(is_part)
}

/// The metrics of calls.
#[derive(Debug)]
pub(super) struct GenAiMetrics {
    duration: Histogram<f64>,
    tokens: Histogram<u64>,
}

impl GenAiMetrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let duration = meter.f64_histogram("gen_ai.client.operation.duration").with_unit("s");
        let tokens = meter.u64_histogram("gen_ai.client.token.usage").with_unit("{token}");
        Self {
            duration: duration.with_boundaries(SECOND_BUCKETS.to_vec()).build(),
            tokens: tokens.with_boundaries(TOKEN_BUCKETS.to_vec()).build(),
        }
    }

    /// Records a call. Tokens are those that the provider counted.
    pub(super) fn record(
        &self,
        took: Duration,
        attributes: &[KeyValue],
        error: Option<String>,
        usage: Option<Usage>,
    ) {
        let mut with = attributes.to_vec();
        if let Some(usage) = usage {
            for (kind, tokens) in [("input", usage.prompt()), ("output", usage.output)] {
                with.push(KeyValue::new("gen_ai.token.type", kind));
                self.tokens.record(tokens, &with);
                with.pop();
            }
        }
        with.extend(error.map(|error| KeyValue::new("error.type", error)));
        self.duration.record(took.as_secs_f64(), &with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_operation_and_sometimes_the_model() {
        for (path, expected, model) in [
            ("/v1/messages", Some("chat"), None),
            ("/v1/messages/count_tokens", None, None),
            ("/v1/chat/completions", Some("chat"), None),
            ("/v1/completions", Some("text_completion"), None),
            ("/v1/embeddings", Some("embeddings"), None),
            ("/v1/models", None, None),
            (
                "/v1beta/models/gemini-3-pro:streamGenerateContent",
                Some("generate_content"),
                Some("gemini-3-pro"),
            ),
            ("/model/anthropic.claude-v1:0/converse", Some("chat"), Some("anthropic.claude-v1:0")),
            (
                "/v1/projects/p/locations/l/publishers/anthropic/models/claude@1:rawPredict",
                Some("chat"),
                Some("claude@1"),
            ),
            ("/v1beta/models/two words:generateContent", Some("generate_content"), None),
        ] {
            assert_eq!((operation(path), model_in(path)), (expected, model), "{path}");
        }
    }
}

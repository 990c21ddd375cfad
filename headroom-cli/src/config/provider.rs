use http::{HeaderMap, StatusCode};
use serde_json::json;

/// The provider whose API a request uses. Decides the upstream and the shape of error responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Anthropic,
    OpenAi,
    Gemini,
    /// Amazon Bedrock's runtime: Claude's own format as `invoke`, and Converse.
    Bedrock,
    /// Google's Vertex AI: Claude's own format as `rawPredict`, and Gemini.
    Vertex,
}

impl Provider {
    /// Detects the provider from the path and, on shared paths, from headers that only one provider's clients send.
    pub(crate) fn from_request(path: &str, headers: &HeaderMap) -> Self {
        let mut segments = path.split('/').skip(1);
        match (segments.next().unwrap_or_default(), segments.next().unwrap_or_default()) {
            ("model", _) => Self::Bedrock,
            ("projects", _) | ("v1" | "v1beta1", "projects") => Self::Vertex,
            ("anthropic", _) => Self::Anthropic,
            ("api", "v1") if !headers.contains_key("anthropic-version") => Self::OpenAi,
            ("v1", "messages" | "complete" | "oauth" | "organizations" | "skills") | ("api", _) => {
                Self::Anthropic
            }
            ("v1", "chat" | "responses" | "completions" | "embeddings") => Self::OpenAi,
            ("v1beta" | "v1beta1" | "v1alpha" | "v1internal" | "upload", _) => Self::Gemini,
            ("v1", "models" | "tunedModels") if path.contains(':') && has_method(path) => Self::Gemini,
            _ if headers.contains_key("anthropic-version") => Self::Anthropic,
            _ if headers.contains_key("x-goog-api-key") => Self::Gemini,
            _ => Self::OpenAi,
        }
    }

    /// The label in the ledger and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Vertex => "vertex",
        }
    }

    /// The body of an error, in the shape that the provider's clients parse.
    pub(crate) fn error(self, status: StatusCode, message: &str) -> String {
        let (kind, gemini) = match status {
            StatusCode::UNAUTHORIZED => ("authentication_error", "UNAUTHENTICATED"),
            StatusCode::FORBIDDEN => ("permission_error", "PERMISSION_DENIED"),
            StatusCode::MISDIRECTED_REQUEST => ("invalid_request_error", "PERMISSION_DENIED"),
            StatusCode::NOT_FOUND => ("not_found_error", "NOT_FOUND"),
            StatusCode::PAYLOAD_TOO_LARGE => ("request_too_large", "INVALID_ARGUMENT"),
            StatusCode::BAD_GATEWAY => ("api_error", "UNAVAILABLE"),
            StatusCode::INTERNAL_SERVER_ERROR => ("api_error", "INTERNAL"),
            _ => ("invalid_request_error", "INVALID_ARGUMENT"),
        };
        match self {
            Self::Anthropic => json!({"type": "error", "error": {"type": kind, "message": message}}),
            Self::OpenAi => json!({"error": {"message": message, "type": kind, "param": null, "code": null}}),
            Self::Bedrock => json!({"message": message}),
            Self::Gemini | Self::Vertex => {
                json!({"error": {"code": status.as_u16(), "message": message, "status": gemini}})
            }
        }
        .to_string()
    }
}

/// Whether the path ends in `MODEL:METHOD`. Names of fine-tuned OpenAI models have colons as well, but no method.
fn has_method(path: &str) -> bool {
    let method = path.rsplit(':').next().unwrap_or_default();
    method.ends_with("Content") || method.ends_with("Tokens") || method.starts_with("predict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_the_provider() {
        for (path, provider) in [
            ("/v1/messages", Provider::Anthropic),
            ("/v1/messages/count_tokens", Provider::Anthropic),
            ("/v1/complete", Provider::Anthropic),
            ("/api/hello", Provider::Anthropic),
            ("/v1/chat/completions", Provider::OpenAi),
            ("/v1/completions", Provider::OpenAi),
            ("/v1/responses", Provider::OpenAi),
            ("/v1/responses/compact", Provider::OpenAi),
            ("/v1/models", Provider::OpenAi),
            ("/v1/models/ft:gpt-4o:team:x:1", Provider::OpenAi),
            ("/chat/completions", Provider::OpenAi),
            ("/", Provider::OpenAi),
            ("", Provider::OpenAi),
            ("/v1beta/models/gemini-3-pro:streamGenerateContent", Provider::Gemini),
            ("/v1beta/openai/chat/completions", Provider::Gemini),
            ("/v1/models/gemini-3-pro:generateContent", Provider::Gemini),
            ("/v1/models/gemini-3-pro:countTokens", Provider::Gemini),
            ("/upload/v1beta/files", Provider::Gemini),
            ("/openai/deployments/d/chat/completions", Provider::OpenAi),
            ("/openai/v1/responses", Provider::OpenAi),
            ("/anthropic/v1/messages", Provider::Anthropic),
            ("/api/v1/chat/completions", Provider::OpenAi),
            ("/model/anthropic.claude-opus-5-5-v1:0/invoke-with-response-stream", Provider::Bedrock),
            ("/model/m/converse", Provider::Bedrock),
            ("/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict", Provider::Vertex),
            ("/v1beta1/projects/p/locations/l/publishers/google/models/g:generateContent", Provider::Vertex),
            ("/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict", Provider::Vertex),
        ] {
            assert_eq!(Provider::from_request(path, &HeaderMap::new()), provider, "{path}");
        }
    }

    #[test]
    fn headers_tell_it_on_shared_paths_only() {
        let with = |name: &'static str| HeaderMap::from_iter([(name.parse().unwrap(), "x".parse().unwrap())]);
        assert_eq!(Provider::from_request("/v1/models", &with("anthropic-version")), Provider::Anthropic);
        assert_eq!(Provider::from_request("/v1/files", &with("anthropic-version")), Provider::Anthropic);
        assert_eq!(Provider::from_request("/v1/models", &with("x-goog-api-key")), Provider::Gemini);
        assert_eq!(
            Provider::from_request("/v1/chat/completions", &with("anthropic-version")),
            Provider::OpenAi
        );
    }
}

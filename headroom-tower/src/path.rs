use headroom_core::Api;

/// What a path says about its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// Requests of this API.
    Known(Api),
    /// Requests that are never rewritten.
    Excluded,
    /// Nothing.
    Unknown,
}

impl Path {
    pub(crate) fn of(path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        let excluded = ["/batches", "/responses/compact", ":batchGenerateContent", ":asyncBatchEmbedContent"];
        if excluded.into_iter().any(|end| path.ends_with(end)) || path.contains("/batches/") {
            return Self::Excluded;
        }
        api(path).map_or(Self::Unknown, Self::Known)
    }
}

fn api(path: &str) -> Option<Api> {
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    if ends(&["/v1/messages", "/v1/messages/count_tokens", ":rawPredict", ":streamRawPredict"]) {
        Some(Api::Anthropic)
    } else if ends(&["/chat/completions"]) {
        Some(Api::OpenAiChat)
    } else if ends(&["/responses"]) {
        Some(Api::OpenAiResponses)
    } else if ends(&[":generateContent", ":streamGenerateContent", ":countTokens"]) {
        Some(Api::Gemini)
    } else if path.contains("/model/") && ends(&["/invoke", "/invoke-with-response-stream"]) {
        Some(Api::Anthropic)
    } else if path.contains("/model/") && ends(&["/converse", "/converse-stream"]) {
        Some(Api::Converse)
    } else {
        None
    }
}

/// The API whose requests look like this body.
pub(crate) fn detect(body: &[u8]) -> Option<Api> {
    let has = |key: &str| body.windows(key.len()).any(|window| window == key.as_bytes());
    if has("\"contents\"") {
        Some(Api::Gemini)
    } else if has("\"inferenceConfig\"") || has("\"toolResult\"") {
        Some(Api::Converse)
    } else if has("\"input\"") && !has("\"messages\"") {
        Some(Api::OpenAiResponses)
    } else if has("\"messages\"") {
        let anthropic = has("\"tool_result\"") || has("\"anthropic_version\"") || has("\"input_schema\"");
        Some(if anthropic { Api::Anthropic } else { Api::OpenAiChat })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_path_names_its_api() {
        for (path, api) in [
            ("/v1/messages", Api::Anthropic),
            ("/anthropic/v1/messages/", Api::Anthropic),
            ("/v1/messages/count_tokens", Api::Anthropic),
            ("/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict", Api::Anthropic),
            ("/model/anthropic.claude%3A0/invoke-with-response-stream", Api::Anthropic),
            ("/v1/chat/completions", Api::OpenAiChat),
            ("/openai/deployments/d/chat/completions", Api::OpenAiChat),
            ("/v1/responses", Api::OpenAiResponses),
            ("/v1beta/models/gemini:streamGenerateContent", Api::Gemini),
            ("/model/m/converse-stream", Api::Converse),
        ] {
            assert_eq!(Path::of(path), Path::Known(api), "{path}");
        }
    }

    #[test]
    fn batches_and_compaction_are_left_alone() {
        for path in ["/v1/messages/batches", "/v1/messages/batches/b/cancel", "/v1/responses/compact"] {
            assert_eq!(Path::of(path), Path::Excluded, "{path}");
        }
        assert_eq!(Path::of("/v1/embeddings"), Path::Unknown);
    }
}

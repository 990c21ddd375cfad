use std::{fmt, str::FromStr};

/// A provider's wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Api {
    /// Anthropic Messages, also as a Bedrock `InvokeModel` or Vertex `rawPredict` body.
    Anthropic,
    /// OpenAI Chat Completions and everything compatible with it.
    #[cfg_attr(feature = "serde", serde(rename = "openai"))]
    OpenAiChat,
    /// OpenAI Responses.
    #[cfg_attr(feature = "serde", serde(rename = "responses"))]
    OpenAiResponses,
    /// Gemini `generateContent`.
    Gemini,
    /// Bedrock Converse.
    Converse,
}

impl Api {
    /// All formats that the engine knows.
    pub const ALL: &'static [Self] =
        &[Self::Anthropic, Self::OpenAiChat, Self::OpenAiResponses, Self::Gemini, Self::Converse];

    /// Returns the format's name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAiChat => "openai",
            Self::OpenAiResponses => "responses",
            Self::Gemini => "gemini",
            Self::Converse => "converse",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Error returned when parsing an [`Api`] fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownApi(());

impl fmt::Display for UnknownApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown API; expected anthropic, openai, responses, gemini or converse")
    }
}

impl std::error::Error for UnknownApi {}

impl FromStr for Api {
    type Err = UnknownApi;

    /// Parses a name as returned by [`Api::as_str`].
    ///
    /// ```
    /// use headroom_core::Api;
    ///
    /// assert_eq!("openai".parse(), Ok(Api::OpenAiChat));
    /// assert!("OpenAI?".parse::<Api>().is_err());
    /// ```
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|api| api.as_str() == name).ok_or(UnknownApi(()))
    }
}

impl Api {
    /// Returns the format of requests to this path, or `None` if no known API has a conversation there.
    ///
    /// Knows the providers' own paths and those of Azure, Bedrock, Vertex and OpenAI-compatible servers. Batch and
    /// compaction requests are excluded: the model cannot call a tool there.
    ///
    /// ```
    /// use headroom_core::Api;
    ///
    /// assert_eq!(Api::from_path("/v1/messages"), Some(Api::Anthropic));
    /// assert_eq!(Api::from_path("/api/v1/chat/completions"), Some(Api::OpenAiChat));
    /// assert_eq!(Api::from_path("/v1beta/models/gemini-3-pro:streamGenerateContent"), Some(Api::Gemini));
    /// assert_eq!(Api::from_path("/v1/messages/batches"), None);
    /// ```
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let (parent, last) = path.rsplit_once('/')?;
        if let Some((model, method)) = last.rsplit_once(':') {
            return match method {
                "generateContent" | "streamGenerateContent" | "countTokens" => Some(Self::Gemini),
                "rawPredict" | "streamRawPredict" => {
                    // Vertex serves models of other publishers under the same methods.
                    let anthropic = parent.ends_with("/publishers/anthropic/models");
                    (anthropic && !model.is_empty()).then_some(Self::Anthropic)
                }
                _ => None,
            };
        }
        let parent_is = |name: &str| parent.rsplit('/').next() == Some(name);
        match last {
            "messages" => Some(Self::Anthropic),
            "count_tokens" if parent_is("messages") => Some(Self::Anthropic),
            "completions" if parent_is("chat") => Some(Self::OpenAiChat),
            "responses" => Some(Self::OpenAiResponses),
            "input_tokens" if parent_is("responses") => Some(Self::OpenAiResponses),
            "converse" | "converse-stream" if parent.contains("/model/") => Some(Self::Converse),
            "invoke" | "invoke-with-response-stream" if parent.contains("/model/") => Some(Self::Anthropic),
            _ => None,
        }
    }

    /// Detects the format of a body from its shape, for when the path does not decide.
    ///
    /// ```
    /// use headroom_core::Api;
    ///
    /// let body = br#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;
    /// assert_eq!(Api::detect(body), Some(Api::Gemini));
    /// assert_eq!(Api::detect(b"{}"), None);
    /// ```
    #[must_use]
    pub fn detect(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let tape = headroom_json::Tape::parse(text).ok()?;
        crate::wire::detect(tape.root())
    }
}

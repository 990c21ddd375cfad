use std::{fmt, str::FromStr};

/// A provider's wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Api {
    /// Anthropic Messages, also as a Bedrock `InvokeModel` or Vertex `rawPredict` body.
    Anthropic,
    /// OpenAI Chat Completions and everything compatible with it.
    OpenAiChat,
    /// OpenAI Responses.
    OpenAiResponses,
    /// Gemini `generateContent`.
    Gemini,
    /// Bedrock Converse.
    Converse,
}

impl Api {
    /// Every format the engine knows.
    pub const ALL: [Self; 5] =
        [Self::Anthropic, Self::OpenAiChat, Self::OpenAiResponses, Self::Gemini, Self::Converse];

    /// The format's name in reports and on the command line.
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

/// The error of parsing an [`Api`] from a name that is none.
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

    /// Parses the names of [`Api::as_str`].
    ///
    /// ```
    /// use headroom_core::Api;
    ///
    /// assert_eq!("openai".parse(), Ok(Api::OpenAiChat));
    /// assert!("OpenAI?".parse::<Api>().is_err());
    /// ```
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|api| api.as_str() == name).ok_or(UnknownApi(()))
    }
}

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::Handle;

/// How far edits may go. Each tier includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Tier {
    /// Renderings that can be read and reversed from the output itself.
    Lossless,
    /// References to lines of an earlier block in the same request.
    Dedup,
    /// Parts replaced by a marker, if the request has a [`Retrieval`] for them.
    #[default]
    Recoverable,
}

impl Tier {
    /// All tiers, mildest first.
    pub const ALL: [Self; 3] = [Self::Lossless, Self::Dedup, Self::Recoverable];

    /// Returns the tier's name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lossless => "lossless",
            Self::Dedup => "dedup",
            Self::Recoverable => "recoverable",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Error returned when parsing a [`Tier`] fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTier(());

impl fmt::Display for UnknownTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown tier; expected lossless, dedup or recoverable")
    }
}

impl std::error::Error for UnknownTier {}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name).ok_or(UnknownTier(()))
    }
}

/// How the model retrieves content that a marker replaces.
///
/// With [`Retrieval::Disabled`] only edits that need no retrieval are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Retrieval {
    /// The model cannot retrieve content: only lossless edits and references are made.
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "off"))]
    Disabled,
    /// The sender of the request answers calls of `headroom_retrieve`. The tool's definition is appended to `tools`,
    /// from the first request of a conversation on, if the head of the request is that of an agent. Without such a head
    /// this counts as [`Retrieval::Disabled`]; if the client brings the tool itself, as [`Retrieval::ClientTool`].
    ServerTool,
    /// The client has its own `headroom_retrieve` tool over the same store. Counts as [`Retrieval::Disabled`] for
    /// requests whose `tools` lack it.
    ClientTool,
    /// The agent runs on this machine and reads the file that a marker names with its own tool; needs
    /// [`CompressOptions::originals_dir`]. Counts as [`Retrieval::Disabled`] for requests without a tool that runs
    /// commands or shows files.
    File,
}

impl Retrieval {
    /// All ways of retrieval.
    pub const ALL: [Self; 4] = [Self::Disabled, Self::ServerTool, Self::ClientTool, Self::File];

    /// Returns the name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "off",
            Self::ServerTool => "server-tool",
            Self::ClientTool => "client-tool",
            Self::File => "file",
        }
    }
}

impl fmt::Display for Retrieval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Error returned when parsing a [`Retrieval`] fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRetrieval(());

impl fmt::Display for UnknownRetrieval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown retrieval; expected off, server-tool, client-tool or file")
    }
}

impl std::error::Error for UnknownRetrieval {}

impl FromStr for Retrieval {
    type Err = UnknownRetrieval;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|retrieval| retrieval.as_str() == name).ok_or(UnknownRetrieval(()))
    }
}

/// Options for compressing one request.
///
/// Use the same options for all requests of a conversation: a block that was written differently in the last request
/// is a cache miss for everything after it.
///
/// # Example
///
/// ```
/// use headroom_core::{CompressOptions, Tier};
///
/// let options = CompressOptions::new().tier(Tier::Lossless).tenant("team-a");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompressOptions {
    pub(crate) tier: Tier,
    pub(crate) retrieval: Retrieval,
    pub(crate) tenant: String,
    pub(crate) originals_dir: Option<String>,
    pub(crate) unstorable: BTreeSet<Handle>,
}

impl CompressOptions {
    /// Creates the default options: every tier, no retrieval, no tenant.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how far edits may go. Default: [`Tier::Recoverable`].
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Sets how the model retrieves elided content. Default: [`Retrieval::Disabled`].
    #[must_use]
    pub fn retrieval(mut self, retrieval: Retrieval) -> Self {
        self.retrieval = retrieval;
        self
    }

    /// Sets the folder in which the agent finds originals by handle, and the retrieval to [`Retrieval::File`].
    ///
    /// The caller writes the files before the request is sent, because the engine opens none. `PlaintextStore` in
    /// `headroom-store` does this. With any other retrieval the folder is ignored.
    #[must_use]
    pub fn originals_dir(mut self, folder: impl Into<String>) -> Self {
        self.originals_dir = Some(folder.into());
        self.retrieval = Retrieval::File;
        self
    }

    /// Names originals that cannot be stored. A block that needs one of them is written without any, possibly in full.
    /// Everything before it stays the same, and so does the definition of the tool.
    ///
    /// Use this when a store fails: stored originals stay usable, and the prompt cache keeps hitting.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_core::{Api, CompressOptions, Engine, Outcome, Retrieval};
    ///
    /// # let line = |n: usize| format!("2026-01-01T10:{:02}:{:02} INFO served request {n} in {} ms\\n", n / 60, n % 60, n * 7919 % 97);
    /// # let lines: String = (0..300).map(line).collect();
    /// # let tool = r#"{"type":"function","function":{"name":"headroom_retrieve","parameters":{}}}"#;
    /// # let body = format!(
    /// #     r#"{{"model":"gpt-4o","tools":[{tool}],"messages":[
    /// #         {{"role":"assistant","tool_calls":[{{"id":"1","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}},
    /// #         {{"role":"tool","tool_call_id":"1","content":"{lines}"}}]}}"#
    /// # );
    /// let (engine, options) = (Engine::new(), CompressOptions::new().retrieval(Retrieval::ClientTool));
    /// let outcome = engine.compress(Api::OpenAiChat, body.as_bytes(), &options);
    /// let Outcome::Rewritten { originals, .. } = outcome else { panic!("a long log is cut") };
    /// assert!(!originals.is_empty());
    ///
    /// let options = options.without_originals(originals.iter().map(|original| original.handle));
    /// let outcome = engine.compress(Api::OpenAiChat, body.as_bytes(), &options);
    /// assert!(matches!(outcome, Outcome::Unchanged { .. }), "nothing else can be done with this log");
    /// ```
    #[must_use]
    pub fn without_originals(mut self, handles: impl IntoIterator<Item = Handle>) -> Self {
        self.unstorable.extend(handles);
        self
    }

    /// Returns the folder that markers name, if the request's retrieval is [`Retrieval::File`].
    pub(crate) fn originals_dir_for(&self, retrieval: Retrieval) -> Option<&str> {
        self.originals_dir.as_deref().filter(|_| retrieval == Retrieval::File)
    }

    /// Sets the tenant of the request. The engine's caches share nothing between tenants.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }
}

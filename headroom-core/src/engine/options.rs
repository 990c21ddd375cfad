use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::Handle;

/// How far an edit may go. Each tier includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Tier {
    /// Forms that can be read and reversed from the output itself.
    Lossless,
    /// References to lines that stand in an earlier block of the same request.
    Dedup,
    /// Parts set aside behind a marker, where the request has a [`Retrieval`] to fetch them back.
    #[default]
    Recoverable,
}

impl Tier {
    /// Every tier, mildest first.
    pub const ALL: [Self; 3] = [Self::Lossless, Self::Dedup, Self::Recoverable];

    /// The tier's name in reports and on the command line.
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

/// The error of parsing a [`Tier`] from a name that is none.
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

/// How the model can get back what a marker stands for.
///
/// With [`Retrieval::Disabled`] only edits that need no retrieval are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Retrieval {
    /// There is no way: lossless and in-context edits only.
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "off"))]
    Disabled,
    /// Who sends the request answers calls of `headroom_retrieve`. Its definition is added last to `tools`, from the
    /// first request of a conversation on, where the request's head is that of an agent; elsewhere this counts as
    /// [`Retrieval::Disabled`], and as [`Retrieval::ClientTool`] where the client brings the tool itself.
    ServerTool,
    /// The client has a `headroom_retrieve` tool of its own, over the same store. Counts as [`Retrieval::Disabled`] for
    /// requests whose `tools` have none.
    ClientTool,
    /// The agent runs on this machine and reads the file that a marker names with a tool of its own; needs
    /// [`CompressOptions::originals_dir`]. Counts as [`Retrieval::Disabled`] for requests without a tool that runs commands or shows files.
    File,
}

impl Retrieval {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Disabled, Self::ServerTool, Self::ClientTool, Self::File];

    /// The name in reports and on the command line.
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

/// The error of parsing a [`Retrieval`] from a name that is none.
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

/// What one request asks of the engine.
///
/// Keep these the same for all requests of a conversation: a block that became one thing in the last request and
/// another in this one is a cache miss for everything behind it.
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
    /// The defaults: every tier, no retrieval, no tenant.
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

    /// Sets how the model can fetch back what is set aside. Default: [`Retrieval::Disabled`].
    #[must_use]
    pub fn retrieval(mut self, retrieval: Retrieval) -> Self {
        self.retrieval = retrieval;
        self
    }

    /// Sets the folder in which the agent finds originals under their handles, and the retrieval to [`Retrieval::File`].
    ///
    /// Writing the files is the caller's part, before the request leaves: the engine opens none. `PlaintextStore` in
    /// `headroom-store` does it. Under any other retrieval the folder counts for nothing.
    #[must_use]
    pub fn originals_dir(mut self, folder: impl Into<String>) -> Self {
        self.originals_dir = Some(folder.into());
        self.retrieval = Retrieval::File;
        self
    }

    /// Names originals that cannot be stored. A block that would need one of them is written without any, so it may
    /// become as long as it was. Everything before it stays the same, and so does the definition of the tool.
    ///
    /// This is for a store that fails: what is stored already stays usable, and the prompt cache keeps hitting.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_core::{Api, Handle, Engine, Retrieval, CompressOptions, Outcome};
    ///
    /// # let lines: String = (0..400).map(|n| format!("step {n} of the build took {} ms\\n", n * 7919 % 1000)).collect();
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

    /// The folder that markers name, under the retrieval that a request has.
    pub(crate) fn originals_dir_for(&self, retrieval: Retrieval) -> Option<&str> {
        self.originals_dir.as_deref().filter(|_| retrieval == Retrieval::File)
    }

    /// Sets whose request this is. Nothing the engine remembers is shared between tenants.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }
}

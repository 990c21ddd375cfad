use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::Handle;

/// How far an edit may go. Each tier includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Tier {
    /// Forms that can be read and reversed from the output itself.
    Lossless,
    /// References to lines that stand in an earlier block of the same request.
    Context,
    /// Parts set aside behind a marker, where the request has a [`Means`] to fetch them back.
    #[default]
    Full,
}

impl Tier {
    /// Every tier, mildest first.
    pub const ALL: [Self; 3] = [Self::Lossless, Self::Context, Self::Full];

    /// The tier's name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lossless => "lossless",
            Self::Context => "context",
            Self::Full => "full",
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
        f.write_str("unknown tier; expected lossless, context or full")
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
/// With [`Means::None`] only edits that need no retrieval are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Means {
    /// There is no way: lossless and in-context edits only.
    #[default]
    None,
    /// Who sends the request answers calls of `headroom_retrieve`. Its definition is added last to `tools`, from the
    /// first request of a conversation on, where the request's head is that of an agent; elsewhere this counts as
    /// [`Means::None`], and as [`Means::Client`] where the client brings the tool itself.
    Served,
    /// The client has a `headroom_retrieve` tool of its own, over the same store. Counts as [`Means::None`] for
    /// requests whose `tools` have none.
    Client,
    /// The agent runs on this machine and reads the file that a marker names with a tool of its own; needs
    /// [`Options::spool`]. Counts as [`Means::None`] for requests without a tool that runs commands or shows files.
    File,
}

impl Means {
    /// Every means.
    pub const ALL: [Self; 4] = [Self::None, Self::Served, Self::Client, Self::File];

    /// The name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Served => "served",
            Self::Client => "client",
            Self::File => "file",
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error of parsing a [`Means`] from a name that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMeans(());

impl fmt::Display for UnknownMeans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown means; expected none, served, client or file")
    }
}

impl std::error::Error for UnknownMeans {}

impl FromStr for Means {
    type Err = UnknownMeans;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|means| means.as_str() == name).ok_or(UnknownMeans(()))
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
/// use headroom_core::{Options, Tier};
///
/// let options = Options::new().tier(Tier::Lossless).tenant("team-a");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub(crate) tier: Tier,
    pub(crate) means: Means,
    pub(crate) tenant: String,
    pub(crate) spool: Option<String>,
    pub(crate) unstorable: BTreeSet<Handle>,
}

impl Options {
    /// The defaults: every tier, no means of retrieval, no tenant.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how far edits may go. Default: [`Tier::Full`].
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Sets how the model can fetch back what is set aside. Default: [`Means::None`].
    #[must_use]
    pub fn means(mut self, means: Means) -> Self {
        self.means = means;
        self
    }

    /// Sets the folder in which the agent finds originals under their handles, and the means to [`Means::File`].
    ///
    /// Writing the files is the caller's part, before the request leaves: the engine opens none. `Spool` in
    /// `headroom-store` does it. Under other means the folder counts for nothing.
    #[must_use]
    pub fn spool(mut self, folder: impl Into<String>) -> Self {
        self.spool = Some(folder.into());
        self.means = Means::File;
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
    /// use headroom_core::{Api, Handle, Headroom, Means, Options, Outcome};
    ///
    /// # let lines: String = (0..400).map(|n| format!("step {n} of the build took {} ms\\n", n * 7919 % 1000)).collect();
    /// # let tool = r#"{"type":"function","function":{"name":"headroom_retrieve","parameters":{}}}"#;
    /// # let body = format!(
    /// #     r#"{{"model":"gpt-4o","tools":[{tool}],"messages":[
    /// #         {{"role":"assistant","tool_calls":[{{"id":"1","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}},
    /// #         {{"role":"tool","tool_call_id":"1","content":"{lines}"}}]}}"#
    /// # );
    /// let (engine, options) = (Headroom::new(), Options::new().means(Means::Client));
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

    /// The folder that markers name, under the means that a request has.
    pub(crate) fn spool_of(&self, means: Means) -> Option<&str> {
        self.spool.as_deref().filter(|_| means == Means::File)
    }

    /// Sets whose request this is. Nothing the engine remembers is shared between tenants.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }
}

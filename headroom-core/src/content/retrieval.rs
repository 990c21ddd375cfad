use std::{fmt, str::FromStr};

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
    /// [`CompressOptions::originals_dir`](crate::CompressOptions::originals_dir). Counts as [`Retrieval::Disabled`] for requests without a tool that runs
    /// commands or shows files.
    File,
}

impl Retrieval {
    /// All ways of retrieval.
    pub const ALL: &'static [Self] = &[Self::Disabled, Self::ServerTool, Self::ClientTool, Self::File];

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
        Self::ALL.iter().copied().find(|retrieval| retrieval.as_str() == name).ok_or(UnknownRetrieval(()))
    }
}

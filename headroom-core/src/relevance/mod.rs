//! Ranks the lines and words of a text: matches with the query, severity, rarity.

pub(crate) mod features;
pub(crate) mod outliers;
pub(crate) mod query;
pub(crate) mod sequence;
pub(crate) mod severity;
pub(crate) mod templates;
pub(crate) mod test_result;
pub(crate) mod words;

/// What is known about which lines matter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Query<'a> {
    /// The user's last text before the call.
    pub(crate) question: Option<&'a str>,
    /// The arguments of the call that returned the text: JSON, or a raw string.
    pub(crate) arguments: Option<&'a str>,
    /// Whether the text is the content of a file.
    pub(crate) file_read: bool,
}

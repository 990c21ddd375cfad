//! Which lines and words of a text matter: what the query names, how severe a line is, what is rare.

pub(crate) mod features;
pub(crate) mod outliers;
pub(crate) mod query;
pub(crate) mod severity;
pub(crate) mod templates;
pub(crate) mod words;

use crate::engine::models::TenantModels;

/// What is known about which lines matter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Query<'a> {
    /// The user's last text before the call.
    pub(crate) question: Option<&'a str>,
    /// The arguments of the call that brought the text: JSON, or a raw string.
    pub(crate) arguments: Option<&'a str>,
    /// Whether the text is the content of a file.
    pub(crate) file_read: bool,
    /// What else can be asked about the text.
    #[cfg_attr(
        not(feature = "__code"),
        expect(dead_code, reason = "only the language of code is asked for")
    )]
    pub(crate) models: TenantModels<'a>,
}

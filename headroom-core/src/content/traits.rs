use super::ContentKind;

/// The answers to what rooms ask about a kind beyond how its texts are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KindTraits {
    /// A result can report a failure. Files and hits quote errors without having one.
    pub(crate) can_fail: bool,
    /// A line says the same without the lines before it. A value of a record or a line of a diff would seem to belong to the
    /// line that is left before it.
    pub(crate) has_independent_lines: bool,
    /// A marker may have to be a comment, because some texts are read by programs.
    pub(crate) may_need_comments: bool,
    /// A text may hold JSON or a page with other text around it.
    pub(crate) may_hold_parts: bool,
    /// A text may be a file in a language that nothing names.
    pub(crate) may_be_code: bool,
    /// Lines may open what later ones close.
    pub(crate) may_be_nested: bool,
    /// Base64 within a line can be replaced by a marker. In files and code the marker would be part of a string.
    pub(crate) may_lose_data: bool,
}

impl ContentKind {
    /// Returns what holds for this kind.
    pub(crate) const fn traits(self) -> KindTraits {
        const NONE: KindTraits = KindTraits {
            can_fail: false,
            has_independent_lines: false,
            may_need_comments: false,
            may_hold_parts: false,
            may_be_code: false,
            may_be_nested: false,
            may_lose_data: true,
        };
        const TEXT: KindTraits = KindTraits {
            can_fail: true,
            has_independent_lines: true,
            may_need_comments: true,
            may_hold_parts: true,
            may_be_code: true,
            may_be_nested: true,
            may_lose_data: true,
        };
        match self {
            Self::Text | Self::Log => TEXT,
            Self::Blob => KindTraits { can_fail: false, has_independent_lines: false, ..TEXT },
            Self::Table => KindTraits { has_independent_lines: false, may_be_nested: false, ..TEXT },
            Self::Prose => KindTraits {
                has_independent_lines: false,
                may_need_comments: false,
                may_be_nested: false,
                ..TEXT
            },
            Self::Code => KindTraits { can_fail: false, may_be_code: false, may_lose_data: false, ..TEXT },
            Self::Json => KindTraits { can_fail: true, may_hold_parts: true, may_lose_data: false, ..NONE },
            Self::FileRead => KindTraits {
                has_independent_lines: true,
                may_need_comments: true,
                may_be_nested: true,
                may_lose_data: false,
                ..NONE
            },
            Self::Listing => KindTraits { may_hold_parts: true, may_be_code: true, ..NONE },
            Self::Diff | Self::Search => KindTraits { may_hold_parts: true, ..NONE },
            Self::Html => KindTraits { may_be_nested: true, ..NONE },
        }
    }
}

//! The roles of HTML elements.

use super::token::Tag;

/// The effect of an element on its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// Holds other blocks.
    Container,
    /// Holds the content of a page, or a part of it.
    Main,
    /// Always holds a frame around the content, by its name.
    Frame,
    /// Holds a frame, unless it is the header of an article.
    Header,
    Paragraph,
    Heading(u8),
    List {
        ordered: bool,
    },
    Item,
    /// A row of cells in a table.
    Table,
    Row,
    Cell {
        head: bool,
    },
    Preformatted,
    Quote,
    Break,
    Link,
    Form,
    /// An input.
    Field,
    /// A list of choices, and a group of them.
    Select,
    Choices,
    Title,
    /// A list of terms with their definitions.
    Definitions,
    Term,
    Definition,
    /// A picture, which its alternative text describes.
    Picture,
    /// Raised or lowered text.
    Script {
        raised: bool,
    },
    /// A group of rows: cells do not span beyond it.
    Rows,
    /// A drawing.
    Drawing,
    Formula,
    /// Stands between signs, or apart from the text around it.
    Wrapped,
    /// Has no effect on the text.
    Inline,
}

/// Length of the longest element name in the table.
const LONGEST: usize = 12;

impl Element {
    pub(super) fn from_name(name: &str) -> Self {
        let mut lower = [0; LONGEST];
        let Some(buffer) = lower.get_mut(..name.len()) else { return Self::Inline };
        buffer.copy_from_slice(name.as_bytes());
        buffer.make_ascii_lowercase();
        match &*buffer {
            b"div" | b"section" | b"body" | b"figure" | b"fieldset" | b"details" | b"center" | b"address" => {
                Self::Container
            }
            b"main" | b"article" => Self::Main,
            b"nav" | b"footer" | b"aside" | b"dialog" | b"menu" => Self::Frame,
            b"header" => Self::Header,
            b"p" | b"hr" | b"figcaption" | b"summary" | b"legend" | b"caption" | b"hgroup" => Self::Paragraph,
            b"dl" => Self::Definitions,
            b"dt" => Self::Term,
            b"dd" => Self::Definition,
            b"img" => Self::Picture,
            b"sup" => Self::Script { raised: true },
            b"sub" => Self::Script { raised: false },
            b"thead" | b"tbody" | b"tfoot" => Self::Rows,
            b"h1" => Self::Heading(1),
            b"h2" => Self::Heading(2),
            b"h3" => Self::Heading(3),
            b"h4" => Self::Heading(4),
            b"h5" => Self::Heading(5),
            b"h6" => Self::Heading(6),
            b"ul" => Self::List { ordered: false },
            b"ol" => Self::List { ordered: true },
            b"li" | b"option" => Self::Item,
            b"table" => Self::Table,
            b"tr" => Self::Row,
            b"td" => Self::Cell { head: false },
            b"th" => Self::Cell { head: true },
            b"pre" => Self::Preformatted,
            b"blockquote" => Self::Quote,
            b"br" => Self::Break,
            b"a" => Self::Link,
            b"form" => Self::Form,
            b"input" => Self::Field,
            b"select" => Self::Select,
            b"optgroup" => Self::Choices,
            b"title" => Self::Title,
            b"svg" => Self::Drawing,
            b"math" => Self::Formula,
            b"bdo" | b"button" | b"label" | b"meter" | b"output" | b"progress" | b"q" | b"rt" | b"script"
            | b"textarea" => Self::Wrapped,
            _ => Self::Inline,
        }
    }

    /// Whether a formula ends at the tags of this element, even without an end tag.
    pub(super) fn ends_formula(self) -> bool {
        let is_inline = matches!(
            self,
            Self::Break
                | Self::Drawing
                | Self::Field
                | Self::Formula
                | Self::Inline
                | Self::Link
                | Self::Picture
                | Self::Script { .. }
                | Self::Title
                | Self::Wrapped
        );
        !is_inline
    }

    /// Whether blocks record that they are in this element.
    pub(super) fn holds_blocks(self) -> bool {
        matches!(
            self,
            Self::Container
                | Self::Definitions
                | Self::Main
                | Self::Frame
                | Self::Header
                | Self::List { .. }
                | Self::Table
                | Self::Quote
                | Self::Form
                | Self::Select
        )
    }
}

/// Words in classes and ids that name frames around the content of a page.
const FRAME_WORDS: [&str; 61] = [
    "ad",
    "ads",
    "adsense",
    "advert",
    "advertisement",
    "advertising",
    "banner",
    "breadcrumb",
    "breadcrumbs",
    "comment",
    "commenting",
    "comments",
    "consent",
    "cookie",
    "cookies",
    "disqus",
    "drawer",
    "dropdown",
    "flyout",
    "foot",
    "footer",
    "gdpr",
    "login",
    "masthead",
    "mega",
    "menu",
    "modal",
    "mostpopular",
    "nav",
    "navbar",
    "navigation",
    "newsletter",
    "notification",
    "outbrain",
    "overlay",
    "pager",
    "pagination",
    "popup",
    "privacy",
    "promo",
    "promoted",
    "recirculation",
    "recommended",
    "related",
    "respond",
    "share",
    "sharedaddy",
    "sharing",
    "shoutbox",
    "sidebar",
    "signup",
    "sitemap",
    "skip",
    "social",
    "sponsor",
    "sponsored",
    "subscribe",
    "taboola",
    "toolbar",
    "trending",
    "widget",
];
/// Roles that name frames.
const FRAME_ROLES: [&str; 8] =
    ["banner", "complementary", "contentinfo", "dialog", "menu", "navigation", "search", "toolbar"];

/// Whether the classes, the id or the role of an element name a frame.
pub(super) fn is_frame(tag: &Tag<'_>) -> bool {
    tag.attributes().any(|(name, value)| {
        if name.eq_ignore_ascii_case("role") {
            return FRAME_ROLES.iter().any(|role| role.eq_ignore_ascii_case(value));
        }
        if !name.eq_ignore_ascii_case("class") && !name.eq_ignore_ascii_case("id") {
            return false;
        }
        let mut words = value.split(|c: char| !c.is_ascii_alphanumeric());
        let is_known =
            |word: &str| FRAME_WORDS.binary_search_by(|known| cmp_ignoring_case(known, word)).is_ok();
        // Content that an article embeds belongs to it.
        words.clone().any(is_known) && !words.any(|word| word.eq_ignore_ascii_case("embed"))
    })
}

/// How a browser shows an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Shown,
    /// As empty space of its size.
    Blank,
    /// Not at all.
    Unrendered,
}

/// Returns how a browser shows an element, by its attributes.
pub(super) fn sight(tag: &Tag<'_>) -> Sight {
    let starts = |value: &str, start: &str| {
        value.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start))
    };
    if tag.raw("hidden").is_some()
        || has_style(tag, |name, value| name.eq_ignore_ascii_case("display") && starts(value, "none"))
    {
        Sight::Unrendered
    } else if has_style(tag, |name, value| {
        name.eq_ignore_ascii_case("visibility") && (starts(value, "hidden") || starts(value, "collapse"))
    }) {
        Sight::Blank
    } else {
        Sight::Shown
    }
}

/// Classes of text that is hidden from the eye, or from other readers than the eye, or only under conditions.
const APART_CLASSES: [&str; 14] = [
    "a-offscreen",
    "collapse",
    "d-none",
    "hidden",
    "hide",
    "invisible",
    "offscreen",
    "screen-reader-text",
    "sort-key",
    "sortkey",
    "sr-only",
    "visually-hidden",
    "visuallyhidden",
    "vh",
];

/// Whether the text of an element may not be shown next to the text around it.
pub(super) fn is_apart(tag: &Tag<'_>) -> bool {
    tag.attributes().any(|(name, value)| {
        if name.eq_ignore_ascii_case("class") {
            value.split_ascii_whitespace().any(|class| is_one_of(class, &APART_CLASSES))
        } else {
            name.eq_ignore_ascii_case("aria-hidden") && value.eq_ignore_ascii_case("true")
        }
    }) || has_style(tag, |name, value| {
        let number = value.trim_end_matches(|c: char| !c.is_ascii_digit());
        is_one_of(name, &["opacity", "font-size"]) && number.parse() == Ok(0.0)
            || name.eq_ignore_ascii_case("position") && is_one_of(value, &["absolute", "fixed"])
            || name.eq_ignore_ascii_case("float")
    })
}

/// Whether a name is one of these, in lower or upper case.
pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a browser strikes out the text of the element by its style.
pub(super) fn is_struck(tag: &Tag<'_>) -> bool {
    has_style(tag, |name, value| {
        let decorates = ["text-decoration", "text-decoration-line"];
        decorates.iter().any(|known| known.eq_ignore_ascii_case(name)) && value.contains("line-through")
    })
}

fn has_style(tag: &Tag<'_>, is: impl Fn(&str, &str) -> bool) -> bool {
    tag.attributes().filter(|(name, _)| name.eq_ignore_ascii_case("style")).any(|(_, style)| {
        style
            .split(';')
            .filter_map(|rule| rule.split_once(':'))
            .any(|(name, value)| is(name.trim(), value.trim()))
    })
}

fn cmp_ignoring_case(known: &str, word: &str) -> std::cmp::Ordering {
    known.bytes().cmp(word.bytes().map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::token::{HtmlToken, HtmlTokens},
        *,
    };

    fn tag(text: &str) -> Tag<'_> {
        match HtmlTokens::new(text).next() {
            Some(HtmlToken::Open(tag)) => tag,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_are_in_order_to_be_found() {
        assert!(FRAME_WORDS.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn what_stands_around_the_content_is_known_by_name() {
        for frame in
            ["<div class='Site-Nav x'>", "<div id=footer>", "<div role=navigation>", "<ul class=share_bar>"]
        {
            assert!(is_frame(&tag(frame)), "{frame}");
        }
        for content in ["<div class=navy>", "<div data-id=nav>", "<div class=social-embed>", "<div>"] {
            assert!(!is_frame(&tag(content)), "{content}");
        }
        for hidden in
            ["<div style='color:red; Display : none'>", "<p hidden>", "<p style=DISPLAY:NONE!important>"]
        {
            assert_eq!(sight(&tag(hidden)), Sight::Unrendered, "{hidden}");
        }
        assert_eq!(sight(&tag("<p style='visibility:hidden'>")), Sight::Blank);
        assert_eq!(sight(&tag("<div style='display:block' data-hidden=1>")), Sight::Shown);
        for apart in [
            "<p style='opacity: 0'>",
            "<b class='x sr-only'>",
            "<b aria-hidden=true>",
            "<i style=font-size:0px>",
        ] {
            assert!(is_apart(&tag(apart)), "{apart}");
        }
        assert!(!is_apart(&tag("<p style='opacity: 0.5; font-size: 10px' class=x>")));
    }
}

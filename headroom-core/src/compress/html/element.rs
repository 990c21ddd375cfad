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
    /// An input or a button.
    Field,
    /// A list of choices.
    Select,
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
    /// Holds nothing readable.
    Unread,
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
            b"input" | b"button" | b"textarea" => Self::Field,
            b"select" => Self::Select,
            b"title" => Self::Title,
            b"script" | b"style" | b"noscript" | b"iframe" | b"noembed" | b"noframes" | b"svg"
            | b"template" => Self::Unread,
            _ => Self::Inline,
        }
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

/// Whether a browser hides the element.
pub(super) fn is_hidden(tag: &Tag<'_>) -> bool {
    tag.raw("hidden").is_some()
        || has_style(tag, |name, value| name.eq_ignore_ascii_case("display") && value.starts_with("none"))
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
        assert!(is_hidden(&tag("<div style='color:red; Display : none'>")) && is_hidden(&tag("<p hidden>")));
        assert!(!is_hidden(&tag("<div style='display:block' data-hidden=1>")));
    }
}

//! Converts web pages to Markdown of their content, with one marker for the rest.
//!
//! ```text
//! [headroom:k3v9q2x7m4tzabcd lines 1-1842 omitted: the page as HTML, its content below as Markdown, left out 812 words around it; headroom_retrieve]
//! # The keepers of Skerryvore
//!
//! The light was lit on 1 February 1844.
//! ```
//!
//! The page is read in one pass by our own tokenizer: separating content from frames does not need a browser's tree,
//! which takes several times as long to build as everything here.
//!
//! Every word of the Markdown is in the page, with its characters decoded and white space folded. Hidden elements,
//! frames around the content, pictures and emphasis are omitted. What has no form in Markdown keeps its tags: formulas
//! that fit on no line, tables with more than lines in a cell, fields of forms.

mod content;
mod element;
mod entity;
mod markdown;
mod page;
#[cfg(test)]
mod tests;
mod token;
mod visible;

use page::{HtmlBlockKind, Page};

use crate::{
    Handle, Original,
    formats::html::is_page,
    relevance::Query,
    text::marker::{self, Elision},
    tuning::tuning,
};

const MAX_BYTES: usize = 16 << 20;
/// Words of a question about a page's source.
const SOURCE_WORDS: [&str; 14] = [
    "css",
    "dom",
    "favicon",
    "html",
    "iframe",
    "localhost",
    "markup",
    "scraper",
    "scraping",
    "selector",
    "selectors",
    "seo",
    "stylesheet",
    "xpath",
];

/// A page as Markdown, with the original.
#[derive(Clone, Debug)]
pub(crate) struct Markdown {
    pub(crate) text: String,
    pub(crate) original: Original,
}

/// Returns the content of a page as Markdown, after a marker for the whole page.
///
/// `folder` is the folder of plain-text originals, if any. Returns `None` if the text is no page, if the page shows
/// next to no text, if the query may be about its source, and if it already holds something like a marker.
pub(crate) fn selected(text: &str, query: &Query<'_>, folder: Option<&str>) -> Option<Markdown> {
    let fits = (tuning().html.min_bytes..=MAX_BYTES).contains(&text.len());
    if !fits || !is_page(text) || marker::is_in(text) || is_about_source(query) {
        return None;
    }
    let page = Page::parse(text);
    let kept = content::choose(&page);
    let (mut shown, mut shown_words, mut words) = (0, 0, 0);
    for (block, kept) in page.blocks.iter().zip(&kept).filter(|(block, _)| block.kind != HtmlBlockKind::Field)
    {
        let count = page.text_of(block).split_ascii_whitespace().count();
        if *kept {
            shown += block.len();
            shown_words += count;
        } else {
            words += count;
        }
    }
    // What is hidden at first may be the content, which scripts show.
    if shown < tuning().html.min_text || page.hidden_words > shown_words {
        return None;
    }
    let handle = Handle::from_content(text);
    let mut summary = "the page as HTML, its content below as Markdown".to_owned();
    let left_out = [(words, "words around it"), (page.hidden_words, "hidden words")];
    let left_out: Vec<String> = left_out
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if !left_out.is_empty() {
        summary.push_str(&format!(", left out {}", left_out.join(" and ")));
    }
    let lines = u32::try_from(text.split('\n').count()).ok()?;
    let elision = Elision { handle, lines: (1, lines), summary: &summary, folder };
    let body = markdown::write(&page, &kept);
    drop(page);
    let text_after = format!("{elision}\n{body}\n");
    Some(Markdown { text: text_after, original: Original::with_handle(handle, text.to_owned()) })
}

/// Whether the query may be about the source of a page rather than what it shows.
fn is_about_source(query: &Query<'_>) -> bool {
    let texts = query.question.into_iter().chain(query.arguments);
    let chunks = texts.flat_map(|text| text.split(|c: char| c.is_ascii_whitespace() || c == '"'));
    let is_address = |chunk: &str| chunk.contains("://") && !chunk.contains("localhost");
    chunks.filter(|chunk| !is_address(chunk)).any(|chunk| {
        chunk.contains("127.0.0.1")
            || chunk
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| SOURCE_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
    })
}

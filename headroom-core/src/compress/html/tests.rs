mod signs;
mod tables;

use super::{super::shared_texts, *};

const ARTICLE: &str = include_str!("tests/article.html");

fn asked(text: &str, question: &str) -> Option<Markdown> {
    selected(text, &Query { question: Some(question), ..Query::default() }, None)
}

/// The Markdown without its marker.
fn body(text: &str) -> String {
    let found = asked(text, "When was it lit?").expect("a page");
    let (marker, body) = found.text.split_once('\n').expect("a marker");
    assert!(marker.starts_with("[headroom:") && marker.ends_with("; headroom_retrieve]"), "{marker}");
    assert_eq!(found.original.content(), text);
    body.trim_end().to_owned()
}

/// A page around this, with text enough to be one.
fn page(inner: &str) -> String {
    let sentence = "The keepers of the light wrote down the wind and the weather of every single night. ";
    format!("<!doctype html><body><p>{}</p>{inner}</body>", sentence.repeat(30))
}

fn shown(inner: &str) -> String {
    let body = body(&page(inner));
    let (_, rest) = body.split_once("night.\n").unwrap_or_default();
    rest.trim().to_owned()
}

#[test]
fn an_article_is_markdown() {
    assert_eq!(body(ARTICLE), include_str!("tests/article.md").trim_end());
}

#[test]
fn elements_have_their_markdown() {
    for (html, markdown) in [
        ("<h2>A <b>b</b>\n c</h2>d &amp; <i>e</i>&nbsp;f", "## A b c\n\nd & e f"),
        ("<ul><li>a<li><p>b</p><p>c</p><ol start=3><li>d</ol></ul>", "- a\n- b\n\n  c\n\n  3. d"),
        ("<pre><code>if (a &lt; b)\n\n  <b>c</b></code></pre>", "```\nif (a < b)\n\n  c\n```"),
        ("<blockquote>a<br>b</blockquote>", "> a\n> b"),
        (
            "<table><tr><th>a<th>b<tr><td><p>1</p><td>2<tr><td><td>3</table>",
            "| a | b |\n|---|---|\n| 1 | 2 |\n| | 3 |",
        ),
        ("<p>See <a href='/x?a=1&amp;b=2'>the x</a>, now.</p>", "See the x, now.\n[the x]: /x?a=1&b=2"),
        ("<p><a href=/y>All of it</a></p><a href='#z'>here</a>", "[All of it](/y)\n\nhere"),
        ("x<script>'<p>no</p>'</script>y<style>p{}</style><p style='display:none'>z</p>", "xy"),
        ("<div hidden>no<div>no</div></div>yes<svg><text>no</text></svg>", "yes"),
        ("a<br><br>b<br>c", "a\n\nb\nc"),
        ("5 < 6 &unknown; &lt;p&gt;", "5 < 6 &unknown; <p>"),
    ] {
        assert_eq!(shown(html), markdown, "{html}");
    }
}

#[test]
fn what_stands_around_the_content_is_left_out() {
    let links = "<li><a href=/a>One</a><li><a href=/b>Two</a><li><a href=/c>Three</a>";
    for frame in ["nav", "footer", "aside", "div class='cookie-banner'", "ul id=related", "ul", "header"] {
        let name = frame.split(' ').next().unwrap_or_default();
        assert_eq!(shown(&format!("<{frame}>{links}</{name}>end")), "end", "{frame}");
    }
    assert!(body(&page("<nav>a b c</nav>")).contains("every single night"));
    let marker = asked(&page("<nav>a b c</nav>"), "?").map(|found| found.text).unwrap_or_default();
    assert!(marker.contains("left out 3 words around it"), "{marker}");
}

#[test]
fn pages_that_are_no_article_keep_their_structure() {
    let rows: String = (0..60).map(|n| format!("<li><a href=/item/{n}>Item number {n}</a>")).collect();
    let index =
        format!("<!doctype html><title>All items</title><nav><a href=/home>Home</a></nav><ul>{rows}</ul>");
    let text = body(&index);
    assert!(text.starts_with("# All items\n\n[Home](/home)\n\n- [Item number 0](/item/0)\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("- [")).count(), 60);

    let fields =
        "<form action=/go><input name=q\n placeholder='a > b'><select><option>One<option>Two</select></form>";
    let form = format!("<html><body>{fields}<p>{}</p>", "short words. ".repeat(20));
    let form = format!("{form}<script>{}</script>", "x".repeat(2000));
    let text = body(&form);
    assert!(text.contains("<form action=/go>\n<input name=q placeholder='a > b'>\n<select>"), "{text}");
    assert!(text.contains("- One\n- Two"), "{text}");
}

#[test]
fn pages_that_show_nothing_or_are_asked_for_as_source_stay() {
    let app = format!("<!doctype html><div id=root></div><script>{}</script>", "var state = 1;".repeat(500));
    assert!(asked(&app, "what is it?").is_none());
    assert!(asked(&page("x"), "which CSS class has the header?").is_none());
    assert!(asked(&page("x"), "read https://example.org/a.html").is_some());
    assert!(asked(&page("[headroom:x"), "?").is_none());
    assert!(asked(&format!("<config>{}</config>", "<p>x</p>".repeat(500)), "?").is_none());
    assert!(asked("<!doctype html><p>short</p>", "?").is_none());
}

#[test]
fn odd_pages_are_read_without_end() {
    for inner in [
        "<div>".repeat(10_000) + "x",
        "<ul><li>".repeat(10_000) + "x",
        "<table><tr><td>".repeat(10_000) + "x",
        "</div>".repeat(10_000),
        format!("<div class='{}'>x</div>", "a ".repeat(100_000)),
        format!("<a href='{}'>x</a>", "a".repeat(1 << 20)),
        "<a href=x>".repeat(10_000),
        "<p>a<!-- ".repeat(1000),
        "&#99999999999999;&#xffffff;&".repeat(1000),
        "<svg><script>".repeat(1000),
        "< <a <b <c ".repeat(10_000),
        "<tr><td>x".repeat(10_000),
    ] {
        let text = page(&inner);
        assert!(body(&text).contains("every single night"), "{:.40}", inner);
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_pages_may_end_anywhere() {
    for (_, text) in shared_texts("corpora/html").into_iter().filter(|(path, _)| path.ends_with(".html")) {
        for cut in (0..text.len()).step_by(997).filter(|cut| text.is_char_boundary(*cut)) {
            _ = asked(&text[..cut], "?");
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_markup_is_read(parts in proptest::collection::vec(proptest::sample::select(vec![
        "<div>", "</div>", "<p>", "text ", "<table>", "<tr>", "<td>", "</td>", "</table>", "<ul>", "<li>", "</ul>", "<a href=x>",
        "</a>", "<br>", "<pre>", "</pre>", "<h1>", "</h1>", "<svg>", "</svg>", "<nav>", "</nav>", "&amp;", "<select>",
        "<option>", "é", "<div hidden>", "<blockquote>", "</blockquote>", "\n", "<title>", "</title>", "<form>", "<input>", "<",
        "<dl>", "<dt>", "<dd>", "</dl>", "<th colspan=2 rowspan=3>", "<p hidden>", "<math>", "<mi>", "</math>", "<button>", "</button>",
        "<b>", "</b>", "<q>", "<rt>", "|", "<thead>", "<sup>", "</sup>", "<textarea>", "</textarea>", "<span class=hidden>", "</span>",
    ]), 0..80)) {
        let text = page(&parts.concat());
        let read = Page::parse(&text);
        // The sign of an item may stand alone, before what the item holds.
        let is_list = |kind| {
            use HtmlBlockKind::{Definition, Item, Term};
            matches!(kind, Item { .. } | Term { .. } | Definition { .. })
        };
        let mut end = 0;
        for block in &read.blocks {
            proptest::prop_assert!(block.text.start >= end && block.text.end <= read.text.len());
            proptest::prop_assert!((!read.text_of(block).is_empty() || is_list(block.kind)) && block.node < read.nodes.len());
            end = block.text.end;
        }
        for link in &read.links {
            proptest::prop_assert!(read.text.get(link.text.clone()).is_some_and(|text| !text.trim().is_empty()));
        }
        let found = asked(&text, "?");
        proptest::prop_assert!(found.is_some_and(|found| found.text.contains("every single night")));
    }
}

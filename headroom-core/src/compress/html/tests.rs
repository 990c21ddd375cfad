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
        ("<ul><li>a<li><p>b</p><p>c</p><ol start=3><li>d</ol></ul>", "- a\n- b\n\nc\n\n  3. d"),
        ("<pre><code>if (a &lt; b)\n\n  <b>c</b></code></pre>", "```\nif (a < b)\n\n  c\n```"),
        ("<blockquote>a<br>b</blockquote>", "> a\n> b"),
        ("<table><tr><th>a<th>b<tr><td><p>1</p><td>2<tr><td><td>3</table>", "a | b\n---|---\n1 | 2\n| 3"),
        ("<p>See <a href='/x?a=1&amp;b=2'>the x</a>, now.</p>", "See the x, now.\n[the x]: /x?a=1&b=2"),
        ("<p><a href=/y>All of it</a></p><a href='#z'>here</a>", "[All of it](/y)\n\nhere"),
        ("x<script>'<p>no</p>'</script>y<style>p{}</style><p style='display:none'>z</p>", "xy\n\nz"),
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
    ]), 0..80)) {
        let text = page(&parts.concat());
        let read = Page::parse(&text);
        let mut end = 0;
        for block in &read.blocks {
            proptest::prop_assert!(block.text.start >= end && block.text.end <= read.text.len());
            proptest::prop_assert!(!read.text_of(block).is_empty() && block.node < read.nodes.len());
            end = block.text.end;
        }
        for link in &read.links {
            proptest::prop_assert!(read.text.get(link.text.clone()).is_some_and(|text| !text.trim().is_empty()));
        }
        let found = asked(&text, "?");
        proptest::prop_assert!(found.is_some_and(|found| found.text.contains("every single night")));
    }
}

#[test]
fn meaning_that_markdown_lacks_is_written_out() {
    for (html, text) in [
        ("100<sup>2</sup>=10000", "100^2=10000"),
        ("10<sup>-3</sup> per, 5&times;10<SUP>6</SUP>.", "10^-3 per, 5×10^6."),
        ("10<sup>&minus;3</sup> x<sub>12</sub>", "10^−3 x_12"),
        ("e<sup>2x + 1</sup>y<sub>i,j</sub>", "e^(2x + 1)y_(i,j)"),
        ("a<sup>2</sup>b", "a^(2)b"),
        ("H<sub>2</sub>O", "H_(2)O"),
        ("said so<sup><a href='#fn1'>1</a></sup>.", "said so[^1]."),
        ("said so<sup class=ref><a href=\"#cite-1\">[1]</a></sup>.", "said so[1]."),
        ("<p>x<sup>2<p>y", "x^(2)\n\ny"),
        ("is <math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><mn>1</mn></math>.", "is x^(2)+1."),
        ("<math><mfrac><mn>1</mn><mrow><mn>2</mn><mi>n</mi></mrow></mfrac></math>", "(1)/(2n)"),
        (
            "<math><msubsup><mi>a</mi><mn>1</mn><mn>2</mn></msubsup><msqrt><mn>3</mn></msqrt></math> <b>4</b>",
            "a_(1)^(2)√(3) 4",
        ),
        ("now <del>120 EUR</del> 90 EUR", "now ~~120 EUR~~ 90 EUR"),
        ("is <s>safe</s> <ins>dangerous</ins>", "is ~~safe~~ <ins>dangerous</ins>"),
        ("<strike> free </strike>4.90", "~~free~~ 4.90"),
        ("<span style='color:red;text-decoration: line-through'>a<span>b</span>c</span>d", "~~abc~~d"),
        ("<p style='text-decoration-line:line-through'>a<p>b", "~~a~~\n\nb"),
        ("<del><p>a</p><p>b</p></del><p>c</p>", "~~a~~\n\n~~b~~\n\nc"),
        (
            "<ul><li><del>a</del> b<li style='text-decoration:line-through'>c<li>d</ul>",
            "- ~~a~~ b\n- ~~c~~\n- d",
        ),
        ("<pre>a <del>b</del> c</pre>", "```\na ~~b~~ c\n```"),
        ("x <del>old <a href=/y>link</a></del> z", "x ~~old link~~ z\n[link]: /y"),
        ("x <del><a href=/y>link</a></del> z", "x ~~link~~ z\n[link]: /y"),
        ("<ol start=5><li>a<li value=9>b<li>c</ol>", "5. a\n9. b\n10. c"),
        ("<ol reversed><li>a<li>b<li><p>c</p></ol>", "3. a\n2. b\n1. c"),
        ("<ol reversed start=10><li>a<li>b</ol>", "10. a\n9. b"),
        ("<ol type=a><li>x<li>y</ol><ol type=I start=4><li>z</ol>", "a. x\nb. y\nIV. z"),
        ("<ol start=0><li>a</ol><ol start=-1><li>b<li>c</ol>", "0. a\n-1. b\n0. c"),
        ("<ol reversed><li>a<ol reversed><li>x<li>y</ol><li>b</ol>", "2. a\n  2. x\n  1. y\n1. b"),
        (
            "<ul><li><input type=checkbox checked disabled> done<li><input type=checkbox> open</ul>",
            "- [x] done\n- [ ] open",
        ),
        ("<label><input type=radio checked>A</label> <label><input type=radio>B</label>", "[x] A [ ] B"),
        ("see <img src=a.png alt='the  tower &amp; keep'> there", "see ![the tower & keep] there"),
        ("x <img src=a.png alt=''><img src=b.png> y", "x y"),
        ("<dl><dt>port</dt><dd>8080</dd><dt>host<dd>a<dd>b</dl>", "port\n: 8080\n\nhost\n: a\n: b"),
        ("<dl><dt>mode</dt><dd><p>fast</p><p>or slow</p></dd></dl>", "mode\n: fast\n\nor slow"),
    ] {
        assert_eq!(shown(html), text, "{html}");
    }
}

#[test]
fn cells_stand_in_their_columns() {
    for (rows, text) in [
        (
            "<tr><th>a<th colspan=2>b<th>c<tr><td>1<td>2<td>3<td>4",
            "a | b | b | c\n---|---|---|---\n1 | 2 | 3 | 4",
        ),
        ("<tr><td rowspan=2>a<td>b<td>c<tr><td>d<td>e<tr><td>f<td>g<td>h", "a | b | c\na | d | e\nf | g | h"),
        ("<tr><td>a<td rowspan=3>b<td>c<tr><td>d<td>e<tr><td>f<td>g", "a | b | c\nd | b | e\nf | b | g"),
        ("<tr><td>a<td rowspan=2>b<tr><td>c<tr><td>d<td>e", "a | b\nc | b\nd | e"),
        ("<tr><td rowspan=2 colspan=2>a<td>b<tr><td>c<tr><td>d<td>e<td>f", "a | a | b\na | a | c\nd | e | f"),
        ("<tr><td>a<td>b<td rowspan=2>c<tr><td>d<tr><td>e<td>f<td>g", "a | b | c\nd |  | c\ne | f | g"),
        ("<tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d", "a | b\na | c\na | d"),
        ("<tbody><tr><td rowspan=9>a<td>b</tbody><tbody><tr><td>c<td>d</tbody>", "a | b\nc | d"),
        ("<tr><td rowspan=2><p>a</p><td>b<tr><td><div>c</div>", "a | b\na | c"),
        ("<tr><td colspan=x>a<td rowspan=-1>b<tr><td>c<td>d", "a | b\nc | d"),
        ("<tr><td colspan=3>title<tr><td>a<td>b<td>c", "title\n\na | b | c"),
    ] {
        assert_eq!(shown(&format!("<table>{rows}</table>")), text, "{rows}");
    }
    let long = "a long remark ".repeat(6);
    let text = shown(&format!("<table><tr><td rowspan=2>{long}<td>b<tr><td>c</table>"));
    assert_eq!(text, format!("{} | b\n(as above) | c", long.trim()));
}

#[test]
fn spans_do_not_grow_a_page_without_bound() {
    let row = "<tr><td colspan=24 rowspan=65000>some words of a cell";
    let html = format!("<table>{}</table>", row.repeat(2000));
    assert!(body(&page(&html)).len() < page(&html).len() * 12);
}

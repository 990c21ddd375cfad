//! The judge of pages finds what is wrong, and nothing else.

use super::*;

const PAGE: &str = "<title>Night &amp; day</title><h1>The log</h1>\n<p>Wind from <a href='/west?a=1&amp;b=2'>the \
     west</a> at 12&nbsp;knots.</p><script>var x = 'hidden';</script><!-- aside --><ul><li>one<li>two</ul>\
     <table><tr><td>a<td>b</table><pre>if (a < 2)</pre>";

fn verdict(body: &str) -> Verdict {
    let after = format!("[headroom:abcdefghijklmnop lines 1-2 stored: the page; headroom_retrieve]\n{body}");
    page(&TruthCase { before: PAGE, after: &after, steps: &[Transform::HtmlToMarkdown] })
}

#[test]
fn words_of_the_page_hold() {
    let all = "# Night & day\n\n# The log\n\nWind from the west at 12 knots.\n[the west]: /west?a=1&b=2\n\n- one\n- \
         two\n\na | b\n\n```\nif (a < 2)\n```";
    assert_eq!(verdict(all), Verdict::Holds);
    assert_eq!(verdict("Wind from [headroom: x] knots."), Verdict::Holds);
    assert_eq!(verdict("- [the west](/west?a=1&b=2)"), Verdict::Holds);
    assert!(
        matches!(verdict("1. [the west](/west?a=1&b=2)"), Verdict::Fails(_)),
        "no item of an ordered list"
    );
}

fn of(html: &str, body: &str) -> Verdict {
    let after = format!("[headroom:abcdefghijklmnop lines 1-1 stored: the page; headroom_retrieve]\n{body}");
    page(&TruthCase { before: html, after: &after, steps: &[Transform::HtmlToMarkdown] })
}

#[test]
fn signs_for_what_tags_say_are_needed() {
    for (html, right, wrong) in [
        ("<p>100<sup>2</sup> m", "100^2 m", "1002 m"),
        ("<p>e<sup>2x</sup>y", "e^(2x)y", "e2xy"),
        ("<p>x<sub>12</sub>", "x_12", "x12"),
        ("<p>so<sup><a href='#f1'>1</a></sup>.", "so[^1].", "so1."),
        ("<p><del>120</del> 90 EUR", "~~120~~ 90 EUR", "120 90 EUR"),
        ("<p>is <s>safe</s> bad", "is ~~safe~~ bad", "is safe bad"),
        ("<p><del>120</del><p>90", "~~120~~\n\n90", "120\n\n90"),
        ("<p style='text-decoration:line-through'>free</p>now", "~~free~~\n\nnow", "free\n\nnow"),
        ("<p><ins>new</ins> x", "<ins>new</ins> x", "new x"),
        (
            "<ul><li><input type=checkbox checked> a<li><input type=checkbox> b",
            "- [x] a\n- [ ] b",
            "- [x] a\n- [x] b",
        ),
        ("<ol start=4><li>a<li>b", "4. a\n5. b", "1. a\n2. b"),
        ("<ol reversed><li>a<li>b", "2. a\n1. b", "1. a\n2. b"),
        ("<ol type=a><li>x<li value=4>y", "a. x\nd. y", "a. x\nb. y"),
        ("<p>see <img alt='the keep'> there", "see ![the keep] there", "see ![the moat] there"),
        ("<dl><dt>port<dd>80</dl>", "port\n: 80", "port\n: 81"),
        (
            "<blockquote>a<blockquote><ul><li>b</ul></blockquote></blockquote>",
            "> a\n>\n> > - b",
            "> a\n>\n> > - c",
        ),
        ("<blockquote><ol><li>b</ol></blockquote>", "> 1. b", "> 2. b"),
    ] {
        assert_eq!(of(html, right), Verdict::Holds, "{html}");
        assert!(matches!(of(html, wrong), Verdict::Fails(_)), "{html}: {wrong}");
    }
}

#[test]
fn cells_that_span_stand_in_their_columns() {
    let table = "<table><tr><th>day<th colspan=2>am<th>pm<tr><td rowspan=2>Mon<td>a<td>b<td>c<tr><td>d<td>e<td>f</table>";
    let right = "day | am | am | pm\n---|---|---|---\nMon | a | b | c\nMon | d | e | f";
    assert_eq!(of(table, right), Verdict::Holds);
    for (from, to) in [("Mon | d", "d"), ("am | am", "am"), ("d | e", "e | d"), ("Mon | d", "| d")] {
        assert!(matches!(of(table, &right.replace(from, to)), Verdict::Fails(_)), "{to}");
    }
    let framed = right.replace("---|---|---|---", "|---|---|---|---|");
    let framed: Vec<_> = framed
        .lines()
        .map(|row| if row.starts_with('|') { row.to_owned() } else { format!("| {row} |") })
        .collect();
    let framed = framed.join("\n");
    assert_eq!(of(table, &framed), Verdict::Holds);
    for (from, to) in [("| d | e", "| e | d"), ("| c |", "| x |"), ("am | am", "pm | am")] {
        assert!(matches!(of(table, &framed.replace(from, to)), Verdict::Fails(_)), "{to}");
    }
}

#[test]
fn bars_and_lines_belong_to_their_cells() {
    let table = "<table><tr><td>a|b<td>1<br>2<td>c\\|d</table>";
    let right = r"| a\|b | 1<br>2 | c\\\|d |";
    assert_eq!(of(table, right), Verdict::Holds);
    for wrong in [r"| a\|b | 2<br>1 | c\\\|d |", r"| a | b | 1<br>2 | c\\\|d |", r"| a\|b | 1<br>2 | c\|d |"]
    {
        assert!(matches!(of(table, wrong), Verdict::Fails(_)), "{wrong}");
    }
}

#[test]
fn fields_have_labels_of_the_page() {
    let form = "<p><button name=\"go\" aria-label=\"Start now\"></button><button>Stop</button> tea</p>";
    assert_eq!(of(form, "<button name=\"go\">Start now</button> [Stop] tea"), Verdict::Holds);
    for wrong in ["<button name=\"no\">Start now</button>", "[Start]", "[Stop] coffee", "<input name=\"go\">"]
    {
        assert!(matches!(of(form, wrong), Verdict::Fails(_)), "{wrong}");
    }
}

#[test]
fn what_stands_around_a_page_stays() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let html = format!("{head}<html><p>a word</p></html>\nend");
    let mark = "[headroom:abcdefghijklmnop lines 1-1 stored: the page; headroom_retrieve]";
    let steps = &[Transform::HtmlToMarkdown];
    let verdict = |after: &str| page(&TruthCase { before: &html, after, steps });
    assert_eq!(verdict(&format!("{head}{mark}\na word\nend")), Verdict::Holds);
    assert!(matches!(verdict(&format!("{mark}\na word\nend")), Verdict::Fails(_)));
    assert!(matches!(verdict(&format!("{head}{mark}\na word")), Verdict::Fails(_)));
}

#[test]
fn what_the_page_does_not_say_fails() {
    for wrong in [
        "Wind from the west at 13 knots.",
        "- two\n- one",
        "[the west]: /west",
        "[the west](/east)",
        "var x = 'hidden';",
        "aside",
        "a | c",
        "no words of it",
        "<input name=a>",
    ] {
        assert!(matches!(verdict(wrong), Verdict::Fails(_)), "{wrong}");
    }
    let unmarked = TruthCase { before: PAGE, after: "# The log", steps: &[Transform::HtmlToMarkdown] };
    assert!(matches!(page(&unmarked), Verdict::Fails(_)));
}

//! What Markdown has no signs for.

use super::*;

#[test]
fn meaning_that_markdown_lacks_is_written_out() {
    for (html, text) in [
        ("100<sup>2</sup>=10000", "100^2=10000"),
        ("10<sup>-3</sup> per, 5&times;10<SUP>6</SUP>.", "10^-3 per, 5×10^6."),
        ("10<sup>&minus;3</sup> x<sub>12</sub>", "10^−3 x_12"),
        ("e<sup>2x + 1</sup>y<sub>i,j</sub>", "e^(2x + 1)y_(i,j)"),
        ("a<sup>2</sup>b", "a^(2)b"),
        ("H<sub>2</sub>O", "H_(2)O"),
        ("add 1<sup>1</sup>/<sub>2</sub> cups, <sup>3</sup>&frasl;<SUB>4</SUB>l", "add 1 1/2 cups, 3⁄4l"),
        ("so <script type='math/tex'>x^2 < 3</script>.<script>no</script>", "so $x^2 < 3$."),
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
        ("<ol type=a><li>x<li>y</ol><ol type=I start=4><li>z</ol>", "a. x\nb. y\n\nIV. z"),
        ("<ol start=0><li>a</ol><ol start=-1><li>b<li>c</ol>", "0. a\n\n-1. b\n0. c"),
        ("<ol reversed><li>a<ol reversed><li>x<li>y</ol><li>b</ol>", "2. a\n  2. x\n  1. y\n1. b"),
        (
            "<ul><li><input type=checkbox checked disabled> done<li><input type=checkbox> open</ul>",
            "- [x] done\n- [ ] open",
        ),
        ("<label><input type=radio checked>A</label> <label><input type=radio>B</label>", "[x] A [ ] B"),
        ("see <img src=a.png alt='the  tower &amp; keep'> there", "see ![the tower & keep] there"),
        ("x <img src=a.png alt=''><img src=b.png> y", "x y"),
        ("<dl><dt>port</dt><dd>8080</dd><dt>host<dd>a<dd>b</dl>", "- port\n  : 8080\n- host\n  : a\n  : b"),
        ("<dl><dt>mode</dt><dd><p>fast</p><p>or slow</p></dd></dl>", "- mode\n  : fast\n  or slow"),
    ] {
        assert_eq!(shown(html), text, "{html}");
    }
}

#[test]
fn formulas_are_on_one_line_or_stay_as_they_are() {
    for (formula, text) in [
        ("<msqrt><mi>a</mi><mo>+</mo><msup><mi>b</mi><mn>2</mn></msup></msqrt>", "√(a+b^(2))"),
        ("<mroot><mi>x</mi><mi>n</mi></mroot>", "√[n](x)"),
        ("<mtable><mtr><mtd>a</mtd></mtr></mtable>", "<mtable><mtr><mtd>a</mtd></mtr></mtable>"),
        (
            "<mo>(</mo><mtable><mtr><mtd><mn>5</mn></mtd><mtd><mn>6</mn></mtd></mtr><mtr><mtd/><mtd><mn>8</mn></mtd></mtr></mtable><mo>)</mo>",
            "([5, 6; , 8])",
        ),
        (
            "<semantics><mrow><mi>E</mi></mrow><annotation encoding='application/x-tex'>E_0</annotation></semantics>",
            "E",
        ),
        (
            "<mfrac linethickness=0><mn>6</mn><mn>2</mn></mfrac>",
            "<mfrac linethickness=\"0\"><mn>6</mn><mn>2</mn></mfrac>",
        ),
        ("<mfrac><mn>1</mn><mn>2</mn></mfrac><mi>x</mi>", "((1)/(2))x"),
        ("<mn>3</mn><mfrac><mn>1</mn><mn>2</mn></mfrac>", "3 (1)/(2)"),
        ("<msup><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></msup>", "(a+b)^(2)"),
        ("<msup><mfrac><mn>1</mn><mn>2</mn></mfrac><mn>2</mn></msup>", "((1)/(2))^(2)"),
        ("<msup><msup><mi>x</mi><mn>2</mn></msup><mn>3</mn></msup>", "(x^(2))^(3)"),
        (
            "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover><mi>i</mi>",
            "∑_(i=1)^(n) i",
        ),
        ("<mover><mi>x</mi><mn>2</mn></mover>", "<mover><mi>x</mi><mn>2</mn></mover>"),
        (
            "<mmultiscripts><mi>C</mi><none/><none/><mprescripts/><mn>6</mn><mn>14</mn></mmultiscripts>",
            "{}_(6)^(14)C",
        ),
        ("<mfenced open='[' separators=';'><mn>1</mn><mn>2</mn></mfenced>", "[1;2)"),
        (
            "<menclose notation=updiagonalstrike><mi>x</mi></menclose>",
            "<menclose notation=\"updiagonalstrike\"><mi>x</mi></menclose>",
        ),
        ("<mn>2</mn><mo>&InvisibleTimes;</mo><mn>3</mn>", "2·3"),
        ("<mi>sin</mi><mo>&af;</mo><mi>x</mi>", "sin x"),
        ("<msup><mi>f</mi><mo>′</mo></msup>", "f′"),
        ("<mfrac><mn>1</mn></mfrac>", "<mfrac><mn>1</mn></mfrac>"),
        ("<apply><plus/><ci>x</ci></apply>", "<apply><plus/><ci>x</ci></apply>"),
    ] {
        let is_source = text.starts_with('<');
        let text = if is_source { format!("<math>{text}</math>") } else { text.to_owned() };
        assert_eq!(
            shown(&format!("so <math class=x>{formula}</math> end")),
            format!("so {text} end"),
            "{formula}"
        );
    }
    assert_eq!(shown("<p>a <math><mi>x</mi><p>b"), "a x\n\nb");
}

#[test]
fn what_is_not_shown_does_not_touch_what_is() {
    for (html, text) in [
        ("<p>Weight <span style='display:none'>9</span>5 kg<b hidden>x</b>s", "Weight 5 kgs"),
        ("<p>No. <span style='visibility:hidden'>00</span>12", "No. 12"),
        ("<p>a<i class=sortkey>77</i>3 <b aria-hidden=true>8</b>4", "a 77 3 8 4"),
        ("<p><span class=sr-only>Price</span>10", "Price 10"),
        (
            "<table><tr><th>N<th hidden>H<th>M<tr><td>1<td hidden>x<td>2</table>",
            "| N | M |\n|---|---|\n| 1 | 2 |",
        ),
        ("<ul><li hidden>x<li>y</ul>", "- y"),
    ] {
        assert_eq!(shown(html), text, "{html}");
    }
    let found =
        asked(&page("<p hidden>some words here</p>"), "?").map(|found| found.text).unwrap_or_default();
    assert!(found.contains(", left out 3 hidden words; headroom_retrieve]"), "{found}");
    // Scripts show what most of a page is.
    let main = format!("<div style='display:none'>{}</div>", "many words of an article ".repeat(200));
    assert!(asked(&page(&main), "?").is_none());
}

#[test]
fn quotes_have_their_depth() {
    for (html, text) in [
        (
            "<blockquote>Ann:<blockquote>Ben:<blockquote>no</blockquote></blockquote>yes</blockquote>",
            "> Ann:\n>\n> > Ben:\n> >\n> > > no\n>\n> yes",
        ),
        ("<blockquote>a</blockquote><blockquote>b</blockquote>", "> a\n\n> b"),
        ("<blockquote><p>a<p>b<br>c</blockquote>d", "> a\n>\n> b\n> c\n\nd"),
        ("<blockquote><pre>x\n\ny</pre><ul><li>z</ul></blockquote>", "> ```\n> x\n>\n> y\n> ```\n>\n> - z"),
        ("<ol><li>a<blockquote>b</blockquote></ol>", "1. a\n\n  > b"),
    ] {
        assert_eq!(shown(html), text, "{html}");
    }
}

#[test]
fn fields_and_signs_stand_apart() {
    for (html, text) in [
        ("<p><button>Order 12</button>7 left", "[Order 12] 7 left"),
        ("<p>a<button aria-label=Close><svg></svg></button>b<button></button>c", "a [Close] b c"),
        ("<p>a<button name=n value=1>Go</button>b", "a <button name=\"n\" value=\"1\">Go</button> b"),
        ("<p>Dose: <input value=42>mg", "Dose: <input value=\"42\"> mg"),
        ("<p>a<input type=submit value=Send>b", "a [Send] b"),
        ("<p><label>Name</label><label>Age</label>", "Name Age"),
        (
            "<p>a<progress value=7 max=10>seven</progress>b",
            "a <progress value=\"7\" max=\"10\">seven</progress> b",
        ),
        ("<p>a<meter value=0.6></meter>b", "a <meter value=\"0.6\"> b"),
        ("<p>a<textarea name=t>b c</textarea>d", "a <textarea name=\"t\">b c</textarea> d"),
        (
            "<p>x<svg aria-label='up arrow'><path/></svg>y <svg><title>A chart</title><g/></svg>",
            "x![up arrow]y ![A chart]",
        ),
        ("<p>he said<q>no</q>.", "he said“no”."),
        ("<p><ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp>字<rt>ji</ruby>x", "漢(kan)字(ji)x"),
        ("<p>see <bdo dir=rtl>abc</bdo>", "see <bdo dir=\"rtl\">abc</bdo>"),
        ("<p><a href=/x>One</a><a href=/y>Two</a>", "One Two\n[One]: /x\n[Two]: /y"),
        ("<details><summary>Which plan?</summary>This.</details>", "**Which plan?**\n\nThis."),
        ("<p><b>Which plan?</b><p>This.<p><b>a</b> b", "**Which plan?**\n\nThis.\n\na b"),
        ("<ol><li><pre>x</pre><li>y</ol>", "1.\n\n  ```\n  x\n  ```\n\n2. y"),
        ("<pre>a\n````\n```</pre>", "`````\na\n````\n```\n`````"),
        ("<h2>a<br>b</h2>c", "## a b\n\nc"),
    ] {
        assert_eq!(shown(html), text, "{html}");
    }
    let select = "<p>Plan: <select><option>Free<option selected>Pro</select>";
    let form = format!("<!doctype html><body>{select}<p>{}", "short words. ".repeat(20));
    let form = format!("{form}<script>{}</script>", "x".repeat(2000));
    assert!(body(&form).contains("<select>\n\n- Free\n- [x] Pro\n"), "{}", body(&form));
}

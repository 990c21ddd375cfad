//! Tables.

use super::*;

#[test]
fn cells_stand_in_their_columns() {
    for (rows, text) in [
        ("<tr><th>a<th colspan=2>b<th>c<tr><td>1<td>2<td>3<td>4", "a|b|b|c/1|2|3|4"),
        ("<tr><th><th>x<th>y<tr><td>k<td>1<td>2<tr><td><td>3", "|x|y/k|1|2/|3|"),
        ("<thead><tr><td><td>x</thead><tr><td>k<td>1", "|x/k|1"),
        ("<tr><td rowspan=2>a<td>b<td>c<tr><td>d<td>e<tr><td>f<td>g<td>h", "||/a|b|c/a|d|e/f|g|h"),
        ("<tr><td>a<td rowspan=3>b<td>c<tr><td>d<td>e<tr><td>f<td>g", "||/a|b|c/d|b|e/f|b|g"),
        ("<tr><td>a<td rowspan=2>b<tr><td>c<tr><td>d<td>e", "|/a|b/c|b/d|e"),
        ("<tr><td rowspan=2 colspan=2>a<td>b<tr><td>c<tr><td>d<td>e<td>f", "||/a|a|b/a|a|c/d|e|f"),
        ("<tr><td>a<td>b<td rowspan=2>c<tr><td>d<tr><td>e<td>f<td>g", "||/a|b|c/d||c/e|f|g"),
        ("<tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d", "|/a|b/a|c/a|d"),
        ("<tbody><tr><td rowspan=9>a<td>b</tbody><tbody><tr><td>c<td>d</tbody>", "|/a|b/c|d"),
        ("<tr><td rowspan=2><p>a</p><td>b<tr><td><div>c</div>", "|/a|b/a|c"),
        ("<tr><td colspan=x>a<td rowspan=-1>b<tr><td>c<td>d", "|/a|b/c|d"),
        ("<tr><td colspan=100>title<tr><td>a<td>b<td>c", "||/title|title|title/a|b|c"),
        ("<tr><th>a<th>b<tr><td>1<br>2<td><p>x</p><p>y</p>", "a|b/1<br>2|x<br>y"),
        (
            "<tr><th>a<th>b<tr><td>1<td><ul><li>x<li>y</ul><tr><td>2<td><ol><li>z</ol>",
            "a|b/1|- x<br>- y/2|1. z",
        ),
        ("<tr><th>a<th>b<tr><td>1<tr><td><td>2<tr><tr><td>", "a|b/1|/|2"),
    ] {
        let mut lines: Vec<String> = text
            .split('/')
            .map(|row| format!("| {} |", row.split('|').collect::<Vec<_>>().join(" | ")))
            .map(|row| row.replacen("|  |", "| |", 1))
            .collect();
        lines.insert(1, "|---".repeat(text.split('/').next().unwrap_or_default().split('|').count()) + "|");
        let squeeze = |text: &str| text.replace("|  |", "| |").replace("|  |", "| |");
        let found = shown(&format!("<table>{rows}</table>"));
        assert_eq!(squeeze(&found), squeeze(&lines.join("\n")), "{rows}");
    }
    let long = "a long remark ".repeat(6);
    let text = shown(&format!("<table><tr><th rowspan=2>{long}<th>b<tr><td>c</table>"));
    assert_eq!(text, format!("| {} | b |\n|---|---|\n| (as above) | c |", long.trim()));
}

#[test]
fn bars_in_cells_are_escaped() {
    for (cell, text) in [
        ("a | b", r"a \| b"),
        ("a&#124;b", r"a\|b"),
        (r"a\|b", r"a\\\|b"),
        (r"C:\dir\", r"C:\dir\"),
        ("<code>x||y</code>", r"x\|\|y"),
        ("<math><mo>|</mo><mi>x</mi><mo>|</mo></math>", r"\|x\|"),
    ] {
        let text = format!("| k | v |\n|---|---|\n| {text} | 1 |");
        assert_eq!(shown(&format!("<table><tr><th>k<th>v<tr><td>{cell}<td>1</table>")), text, "{cell}");
    }
    assert_eq!(shown("<p>a | b"), "a | b");
}

#[test]
fn cells_with_a_picture_alone_are_not_empty() {
    for (cell, text) in [
        ("<i class='fa fa-check'></i>", "![fa fa-check]"),
        ("<svg class=tick><path/></svg>", "![tick]"),
        ("<svg><path/></svg>", "![svg]"),
        ("<img src='/i/no.png?v=1'>", "![no.png]"),
        ("<img src=a.png alt=yes>", "![yes]"),
        ("<span role=img aria-label='4 of 5'></span>", "![4 of 5]"),
        ("<i class=icon></i> text", "text"),
        ("<img src=a.gif width=1>x", "x"),
    ] {
        let text = format!("| k | v |\n|---|---|\n| a | {text} |");
        assert_eq!(shown(&format!("<table><tr><th>k<th>v<tr><td>a<td>{cell}</table>")), text, "{cell}");
    }
}

#[test]
fn cells_with_more_than_lines_have_the_tags_of_their_table() {
    for (rows, text) in [
        (
            "<tr><th>a<th>b<th>c<tr><td><pre>x\ny</pre><td><td rowspan=2>2",
            "<table>\n<tr>\n<th>\na\n<th>\nb\n<th>\nc\n<tr>\n<td>\n```\nx\ny\n```\n<td>\n<td rowspan=2>\n2\n</table>",
        ),
        (
            "<tr><th>a<th>b<tr><td><table><tr><td>i<td>j<tr><td>k<td>l</table><td>2",
            "<table>\n<tr>\n<th>\na\n<th>\nb\n<tr>\n<td>\n| | |\n|---|---|\n| i | j |\n| k | l |\n<td>\n2\n</table>",
        ),
    ] {
        assert_eq!(shown(&format!("<table>{rows}</table>end")), format!("{text}\n\nend"), "{rows}");
    }
    // A table that arranges a page is no table.
    assert_eq!(shown("<table><tr><td>menu<td><h2>a</h2>b</table>"), "menu\n\n## a\n\nb");
}

#[test]
fn tables_and_lists_beside_the_content_lose_no_part() {
    let rows = "<tr><td>a long cell with more than twenty bytes<td>1<tr><td>x<td>2";
    let page = page("").replace("<body>", &format!("<body><table><tr><th>k<th>v{rows}</table><main>"));
    assert!(
        body(&page)
            .contains("| k | v |\n|---|---|\n| a long cell with more than twenty bytes | 1 |\n| x | 2 |")
    );
}

#[test]
fn spans_do_not_grow_a_page_without_bound() {
    let row = "<tr><td colspan=24 rowspan=65000>some words of a cell";
    let html = format!("<table>{}</table>", row.repeat(2000));
    assert!(body(&page(&html)).len() < page(&html).len() * 12);
}

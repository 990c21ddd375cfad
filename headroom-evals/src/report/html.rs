use super::{Cell, Goal, Report, Section, Table, Timings, plot, thousands};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--own:#0a7d5a;--other:#8c959f;--paper:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#8b949e;--line:#30363d;--own:#3fb68b;--other:#6e7681;--paper:#0d1117}}
body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}nav a{margin-right:1em}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem;display:block;overflow-x:auto}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}caption{text-align:left;font-weight:600;padding:.3rem 0}
code,pre{font:.85em ui-monospace,monospace}pre{overflow-x:auto;padding:.6rem;border:1px solid var(--line)}
.soft{color:var(--soft);font-size:.9rem}.no{font-weight:700}
svg{width:100%;height:auto;margin:.5rem 0}svg text{font:12px system-ui,sans-serif;fill:currentColor}
rect.own{fill:var(--own)}rect.other{fill:var(--other)}line.zero{stroke:var(--line)}
line.interval{stroke:currentColor;stroke-width:2}figcaption{font-weight:600}figure{margin:1rem 0}";

/// Writes the report as one self-contained page.
#[must_use]
pub fn html(report: &Report) -> String {
    let title = format!("What Headroom {} saves, and what stays visible", report.version);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>{STYLE}</style>\n\
         <h1>{0}</h1>\n<pre>{1}</pre>\n\
         <p class=\"soft\">{2}</p>\n<nav>",
        escape(&title),
        escape(&report.command),
        inline(report.counted())
    );
    for section in &report.sections {
        out.push_str(&format!("<a href=\"#{}\">{}</a>", section.id, escape(section.title)));
    }
    out.push_str("</nav>\n");
    if !report.goals.is_empty() {
        out.push_str(&format!("<h2>Goals</h2>\n{}", goals(&report.goals)));
    }
    report.sections.iter().for_each(|section| out.push_str(&self::section(section)));
    if let Some(timings) = &report.timings {
        out.push_str(&self::timings(timings));
    }
    if !report.data.is_empty() {
        out.push_str("<h2>Data</h2>\n<table><tr><th>data<th class=n>files<th class=n>bytes<th>BLAKE3\n");
        for source in &report.data {
            out.push_str(&format!(
                "<tr><td>{}<td class=n>{}<td class=n>{}<td><code>{}</code>\n",
                escape(&source.name),
                source.files,
                thousands(source.bytes),
                source.hash
            ));
        }
        out.push_str("</table>\n");
    }
    out.push_str("</html>\n");
    out
}

fn goals(goals: &[Goal]) -> String {
    let mut out = String::from("<table><tr><th>what<th>to reach<th>reached<th>\n");
    for goal in goals {
        let (class, word) = if goal.ok { ("", "yes") } else { ("no", "no") };
        out.push_str(&format!(
            "<tr><td><a href=\"#{}\">{}</a><td>{}<td>{}<td class=\"{class}\">{word}\n",
            goal.section,
            escape(&goal.what),
            escape(&goal.target),
            escape(&goal.reached)
        ));
    }
    out.push_str("</table>\n");
    for goal in goals.iter().filter(|goal| !goal.ok) {
        if let Some(obstacle) = goal.obstacle {
            out.push_str(&format!("<p><b>{}:</b> {}</p>\n", escape(&goal.what), inline(obstacle)));
        }
    }
    out
}

fn section(section: &Section) -> String {
    let mut out = format!(
        "<h2 id=\"{}\">{}</h2>\n<p>{}</p>\n",
        section.id,
        escape(section.title),
        inline(&section.about).replace("\n\n", "</p>\n<p>")
    );
    if let Some(why) = &section.skipped {
        out.push_str(&format!("<p class=no>Left out: {}</p>\n", inline(why)));
        return out;
    }
    out.push_str(&format!(
        "<p class=soft>Data: {}. Again: <code>{}</code></p>\n",
        inline(&section.data),
        escape(&section.command)
    ));
    for plot in &section.plots {
        out.push_str(&format!(
            "<figure><figcaption>{}</figcaption>\n{}</figure>\n",
            escape(&plot.title),
            plot::svg(plot)
        ));
    }
    for line in &section.conclusions {
        out.push_str(&format!("<p><b>{}</b></p>\n", inline(line)));
    }
    section.tables.iter().for_each(|table| out.push_str(&self::table(table)));
    if !section.failures.is_empty() {
        out.push_str("<p>What failed:</p>\n<ul>\n");
        section.failures.iter().for_each(|what| out.push_str(&format!("<li>{}\n", escape(what))));
        out.push_str("</ul>\n");
    }
    out
}

fn table(table: &Table) -> String {
    let mut out = String::from("<table>");
    if !table.title.is_empty() {
        out.push_str(&format!("<caption>{}</caption>", escape(&table.title)));
    }
    out.push_str("<tr>");
    let is_number = |n: usize| {
        table.rows.first().and_then(|row| row.get(n)).is_some_and(|cell| !matches!(cell, Cell::Text(_)))
    };
    for (n, (_, heading)) in table.columns.iter().enumerate() {
        out.push_str(&format!("<th{}>{}", if is_number(n) { " class=n" } else { "" }, escape(heading)));
    }
    for row in &table.rows {
        out.push_str("\n<tr>");
        for cell in row {
            let class = if matches!(cell, Cell::Text(_)) { "" } else { " class=n" };
            out.push_str(&format!("<td{class}>{}", inline(&cell.to_string())));
        }
    }
    out.push_str("\n</table>\n");
    out
}

fn timings(timings: &Timings) -> String {
    let mut out =
        format!("<h2 id=\"speed\">Speed</h2>\n<p>Medians on {}, one thread", escape(&timings.machine));
    if !timings.optimised {
        out.push_str(", <b>in a build without optimisation</b>: the numbers say nothing");
    }
    out.push_str(".</p>\n");
    out.push_str(&goals(&timings.goals));
    out.push_str("<table><tr><th>what<th class=n>bytes<th class=n>ms<th class=n>MB/s\n");
    for row in &timings.rows {
        out.push_str(&format!(
            "<tr><td>{}<td class=n>{}<td class=n>{:.2}<td class=n>{:.0}\n",
            escape(&row.what),
            thousands(row.bytes as u64),
            row.milliseconds,
            row.throughput()
        ));
    }
    out.push_str("</table>\n");
    out
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Renders Markdown's back quotes as code. The suite writes no other markup.
fn inline(text: &str) -> String {
    let parts = text
        .split('`')
        .enumerate()
        .map(|(n, part)| if n % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Bar, Plot};

    #[test]
    fn the_page_needs_nothing_else_and_shows_what_is_in_it() {
        let mut rows = Table::new("t", &[("a", "A & B")]);
        rows.row([Cell::text("`x` <y>")]);
        let bar = Bar { label: "b".to_owned(), value: 0.5, interval: None, other: true };
        let plot = Plot { title: "p".to_owned(), bars: vec![bar] };
        let section = Section { id: "s", tables: vec![rows], plots: vec![plot], ..Section::default() };
        let page = html(&Report { sections: vec![section], ..Report::default() });
        for part in ["<th>A &amp; B", "<td><code>x</code> &lt;y&gt;", "<svg ", "href=\"#s\""] {
            assert!(page.contains(part), "{page}");
        }
        for outside in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

use super::{Goal, Report, Table, Timings, thousands};

/// Writes the report for people.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!(
        "# What Headroom {} saves, and what stays visible\n\nMade by\n\n```sh\n{}\n```\n\n",
        report.version, report.command
    );
    out.push_str(&format!("{}\n\n", report.counted()));
    if !report.goals.is_empty() {
        out.push_str("## Goals\n\n");
        out.push_str(&goals(&report.goals, |goal| {
            format!(" [{}](#{})", goal.section, anchor(report, goal.section))
        }));
    }
    for section in &report.sections {
        out.push_str(&format!("## {}\n\n{}\n\n", section.title, section.about));
        if let Some(why) = &section.skipped {
            out.push_str(&format!("**Left out:** {why}\n\n"));
            continue;
        }
        out.push_str(&format!("Data: {}. Again: `{}`\n\n", section.data, section.command));
        section.conclusions.iter().for_each(|line| out.push_str(&format!("**{line}**\n\n")));
        for rows in &section.tables {
            out.push_str(&table(rows));
        }
        if !section.failures.is_empty() {
            out.push_str("What failed:\n\n");
            section.failures.iter().for_each(|failure| out.push_str(&format!("- {}\n", escape(failure))));
            out.push('\n');
        }
    }
    if let Some(timings) = &report.timings {
        out.push_str(&speed(timings));
    }
    if !report.data.is_empty() {
        out.push_str("## Data\n\n| data | files | bytes | BLAKE3 |\n|---|--:|--:|---|\n");
        for source in &report.data {
            out.push_str(&format!(
                "| {} | {} | {} | `{}` |\n",
                source.name,
                source.files,
                thousands(source.bytes),
                source.hash
            ));
        }
    }
    out
}

/// Writes how long texts took.
fn speed(timings: &Timings) -> String {
    let mut out = format!("## Speed\n\nMedians on {}, one thread", timings.machine);
    if !timings.optimised {
        out.push_str(", **in a build without optimisation**: the numbers say nothing");
    }
    out.push_str(".\n\n");
    if !timings.goals.is_empty() {
        out.push_str(&goals(&timings.goals, |_| String::new()));
    }
    out.push_str("| what | bytes | ms | MB/s |\n|---|--:|--:|--:|\n");
    for row in &timings.rows {
        out.push_str(&format!(
            "| {} | {} | {:.2} | {:.0} |\n",
            row.what,
            thousands(row.bytes as u64),
            row.milliseconds,
            row.throughput()
        ));
    }
    out.push('\n');
    out
}

/// Writes the goals, and the obstacles to those that were missed.
fn goals(goals: &[Goal], section: impl Fn(&Goal) -> String) -> String {
    let mut out = String::from("| what | to reach | reached | | section |\n|---|---|---|---|---|\n");
    for goal in goals {
        let mark = if goal.ok { "yes" } else { "**no**" };
        let section = section(goal);
        out.push_str(&format!(
            "| {} | {} | {} | {mark} |{section} |\n",
            goal.what, goal.target, goal.reached
        ));
    }
    out.push('\n');
    for goal in goals.iter().filter(|goal| !goal.ok) {
        if let Some(obstacle) = goal.obstacle {
            out.push_str(&format!("- **{}:** {obstacle}\n", goal.what));
        }
    }
    if goals.iter().any(|goal| !goal.ok && goal.obstacle.is_some()) {
        out.push('\n');
    }
    out
}

/// Returns the anchor of a heading.
fn anchor(report: &Report, id: &str) -> String {
    let title = report.sections.iter().find(|section| section.id == id).map_or(id, |section| section.title);
    let kept = title.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
        .collect::<String>()
        .replace(' ', "-")
}

fn table(table: &Table) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        out.push_str(&format!("**{}**\n\n", table.title));
    }
    let headings: Vec<&str> = table.columns.iter().map(|(_, heading)| *heading).collect();
    out.push_str(&format!("| {} |\n|{}\n", headings.join(" | "), "---|".repeat(headings.len())));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(&cell.to_string())).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
    out
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Cell, Section};

    #[test]
    fn a_section_names_its_data_and_its_command() {
        let mut rows = Table::new("", &[("a", "A"), ("b", "B")]);
        rows.row([Cell::text("x | y"), Cell::Count(1_000)]);
        let section = Section {
            id: "bill",
            title: "The bill",
            data: "traces".to_owned(),
            command: "headroom evals suite --only bill".to_owned(),
            tables: vec![rows],
            ..Section::default()
        };
        let goal = Goal {
            what: "w".to_owned(),
            target: "t".to_owned(),
            reached: "r".to_owned(),
            ok: false,
            obstacle: Some("because"),
            section: "bill",
        };
        let text = markdown(&Report { sections: vec![section], goals: vec![goal], ..Report::default() });
        for part in [
            "| x \\| y | 1,000 |",
            "Data: traces. Again: `headroom evals suite --only bill`",
            "**no** | [bill](#the-bill)",
            "- **w:** because",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}

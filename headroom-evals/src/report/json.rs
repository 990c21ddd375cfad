use serde_json::{Map, Value, json};

use super::{Cell, Goal, Report, Section, Table, Timings};

/// Writes the report for programs. Everything except `timings` is the same, byte for byte, whenever it is made from the
/// same data.
#[must_use]
pub fn json(report: &Report) -> String {
    let data = report.data.iter().map(|source| {
        json!({"name": source.name, "files": source.files, "bytes": source.bytes, "blake3": source.hash})
    });
    let result = json!({
        "version": report.version,
        "command": report.command,
        "tokenizer": if report.is_live { "the server's" } else { "o200k_base" },
        "data": data.collect::<Vec<_>>(),
        "goals": goals(&report.goals),
        "sections": report.sections.iter().map(section).collect::<Vec<_>>(),
    });
    // Timings come last, on lines of their own, so that the rest can be compared as text.
    let mut text = format!("{result:#}");
    if let Some(timings) = &report.timings {
        text.truncate(text.trim_end().trim_end_matches('}').trim_end().len());
        text.push_str(&format!(",\n  \"timings\": {}\n}}", self::timings(timings)));
    }
    text.push('\n');
    text
}

fn goals(goals: &[Goal]) -> Value {
    let goal = |goal: &Goal| json!({"what": goal.what, "target": goal.target, "reached": goal.reached, "ok": goal.ok, "section": goal.section});
    goals.iter().map(goal).collect()
}

fn section(section: &Section) -> Value {
    json!({
        "id": section.id,
        "title": section.title,
        "data": section.data,
        "command": section.command,
        "skipped": section.skipped,
        "conclusions": section.conclusions,
        "tables": section.tables.iter().map(table).collect::<Vec<_>>(),
        "failures": section.failures,
    })
}

fn table(table: &Table) -> Value {
    let rows = table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(row).map(|((key, _), cell)| ((*key).to_owned(), value(cell)));
        Value::Object(cells.collect::<Map<_, _>>())
    });
    json!({"title": table.title, "rows": rows.collect::<Vec<_>>()})
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => json!(text),
        Cell::Count(count) => json!(count),
        Cell::Of(some, all) => json!({"some": some, "all": all}),
        Cell::Share(share) | Cell::Change(share) => number(*share),
        Cell::Interval(change, low, high) => {
            json!({"change": number(*change), "low": number(*low), "high": number(*high)})
        }
        Cell::Measure(value, None) => number(*value),
        Cell::Measure(value, Some((low, high))) => {
            json!({"value": number(*value), "low": number(*low), "high": number(*high)})
        }
        Cell::None => Value::Null,
    }
}

/// Rounds to six digits: more would suggest false precision.
fn number(value: f64) -> Value {
    json!((value * 1e6).round() / 1e6 + 0.0)
}

fn timings(timings: &Timings) -> Value {
    let rows = timings.rows.iter().map(|row| {
        json!({"what": row.what, "bytes": row.bytes, "milliseconds": row.milliseconds, "megabytes_per_second": row.throughput()})
    });
    json!({
        "machine": timings.machine,
        "optimised": timings.optimised,
        "seconds": timings.seconds,
        "rows": rows.collect::<Vec<_>>(),
        "goals": goals(&timings.goals),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timings_are_the_end_and_all_that_differs() {
        let mut report = Report { version: "1".to_owned(), ..Report::default() };
        let without = json(&report);
        report.timings = Some(Timings { machine: "a } b".to_owned(), ..Timings::default() });
        let with = json(&report);
        let body = without.trim_end().trim_end_matches('}').trim_end();
        assert!(with.starts_with(body), "{with}");
        let read: Value = serde_json::from_str(&with).unwrap();
        assert_eq!((&read["timings"]["machine"], &read["version"]), (&json!("a } b"), &json!("1")));
    }

    #[test]
    fn a_row_is_an_object_by_the_keys_of_its_columns() {
        let mut rows = Table::new("t", &[("kind", "Kind"), ("seen", "Seen"), ("bill", "Bill")]);
        rows.row([Cell::text("log"), Cell::ratio(3, 4), Cell::Change(-1.0 / 3.0)]);
        let expected = json!({"kind": "log", "seen": {"some": 3, "all": 4}, "bill": -0.333_333});
        assert_eq!(table(&rows)["rows"][0], expected);
    }
}

//! Reads the events of `rg --json`.

use crate::conformance::json::{Id, Json, Member};

/// What a marker says that stands before such hits.
pub const DECLARED: &str = "rg --json events, below as path:line:text";

/// Returns the hits and their context as `rg` prints them without `--json`.
#[must_use]
pub fn hits(events: &str) -> Vec<String> {
    let mut hits = Vec::new();
    for line in events.lines() {
        let Some(json) = Json::parse(line.as_bytes()) else { continue };
        let within = |id: Id, key: &str| match json.member(id, key) {
            Member::One(id) => Some(id),
            Member::Absent | Member::Twice => None,
        };
        let root = json.root();
        let mark = match json.text_of(root, "type").as_deref() {
            Some("match") => ":",
            Some("context") => "-",
            _ => continue,
        };
        let found = within(root, "data").and_then(|data| {
            let path = json.text_of(within(data, "path")?, "text")?;
            let text = json.text_of(within(data, "lines")?, "text")?;
            let number: usize =
                String::from_utf8_lossy(json.raw(within(data, "line_number")?)).parse().ok()?;
            Some((path, text, number))
        });
        let Some((path, text, first)) = found else { continue };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        for (n, line) in text.split('\n').enumerate() {
            hits.push(format!("{path}{mark}{}{mark}{line}", first + n));
        }
    }
    hits
}

//! Items of YAML lists and documents of YAML streams.

use super::{
    body::Body,
    record::{Record, RecordKind},
};

use crate::tuning::tuning;

/// Keys that name an item, most telling first.
const IDENTITIES: [&str; 8] = ["name", "id", "key", "title", "host", "path", "uid", "image"];

/// Finds the items of the outermost list that covers most of the text.
pub(super) fn items<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let items =
        bodies.iter().filter(|body| body.bare().starts_with("- ")).take(tuning().records.min_items).count();
    if items < tuning().records.min_items || !is_yaml(bodies) {
        return Vec::new();
    }
    let dashes = |indent: u32| {
        let is_one = move |body: &&Body<'t>| body.indent() == indent && is_item(body);
        bodies.iter().filter(is_one).count()
    };
    let indents = bodies.iter().filter(|body| is_item(body)).map(|body| body.indent());
    let Some(indent) = indents.min().filter(|indent| dashes(*indent) >= tuning().records.min_items) else {
        return Vec::new();
    };
    let mut found: Vec<Record<'t>> = Vec::new();
    let mut open = false;
    for (line, body) in bodies.iter().enumerate() {
        if body.is_blank() {
            continue;
        }
        if body.indent() == indent && is_item(body) {
            let lines = line..line + 1;
            found.push(Record::new(RecordKind::Item, lines));
            open = true;
        } else if body.indent() <= indent {
            open = false;
        } else if open && let Some(record) = found.last_mut() {
            record.lines.end = line + 1;
        }
    }
    let lines: usize = found.iter().map(|record| record.lines.len()).sum();
    if lines < found.len() * tuning().records.min_item_lines {
        return Vec::new();
    }
    for record in &mut found {
        name(record, bodies, indent + 2);
    }
    found
}

/// Finds documents separated by `---`.
pub(super) fn documents<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let breaks: Vec<usize> =
        (0..bodies.len()).filter(|line| bodies.get(*line).is_some_and(|body| body.text == "---")).collect();
    if breaks.len() + 1 < tuning().records.min_items || !is_yaml(bodies) {
        return Vec::new();
    }
    let is_blank = |line: usize| bodies.get(line).is_none_or(Body::is_blank);
    let starts =
        breaks.first().filter(|first| **first > 0).map(|_| 0).into_iter().chain(breaks.iter().copied());
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([bodies.len()]);
    let mut found: Vec<Record<'t>> = Vec::new();
    for (start, end) in starts.iter().zip(ends) {
        let mut record = Record::new(RecordKind::Document, *start..end);
        record.end_at(end, is_blank);
        let kind = record.lines.clone().find_map(|line| {
            let body = bodies.get(line).filter(|body| body.indent() == 0)?;
            body.text.strip_prefix("kind: ").map(|kind| (line, kind))
        });
        if let Some((line, kind)) = kind {
            record.named(line, kind);
        }
        name(&mut record, bodies, 0);
        if record.lines.len() > 1 {
            found.push(record);
        }
    }
    found
}

/// Whether most lines are keys or items of YAML.
fn is_yaml(bodies: &[Body<'_>]) -> bool {
    let (mut fit, mut all) = (0_usize, 0_usize);
    for body in bodies.iter().filter(|body| !body.is_blank()) {
        all += 1;
        let text = body.bare();
        let text = text.strip_prefix("- ").unwrap_or(text);
        let key = text.split(':').next().unwrap_or_default();
        let rest = text.get(key.len()..).unwrap_or_default();
        let is_pair = (rest == ":" || rest.starts_with(": ")) && !key.is_empty() && !key.contains(' ');
        fit +=
            usize::from(is_pair || body.bare().starts_with("- ") || text.starts_with('#') || text == "---");
    }
    all > 0 && fit * 100 >= all * tuning().records.yaml
}

/// Whether this line starts an item that is a map.
fn is_item(body: &Body<'_>) -> bool {
    let Some(rest) = body.bare().strip_prefix("- ") else { return false };
    let key = rest.split(':').next().unwrap_or_default();
    key.len() < rest.len() && !key.is_empty() && !key.contains(' ')
}

/// Names a record by `name` below `metadata`, or else by a key of its own, whose indentation is `level`.
fn name<'t>(record: &mut Record<'t>, bodies: &[Body<'t>], level: u32) {
    let mut below_metadata = false;
    let mut own: Option<(usize, usize, &'t str)> = None;
    let mut nested = None;
    let mut namespace = None;
    for line in record.lines.clone() {
        let Some(body) = bodies.get(line) else { continue };
        let text = body.bare();
        let is_first = line == record.lines.start;
        let text = text.strip_prefix("- ").filter(|_| is_first).unwrap_or(text);
        let Some((key, value)) = text.split_once(':') else { continue };
        let value = value.trim();
        if is_first || body.indent() == level {
            below_metadata = key == "metadata";
            let rank = IDENTITIES.iter().position(|identity| *identity == key);
            if let Some(rank) = rank.filter(|rank| !value.is_empty() && own.is_none_or(|own| *rank < own.0)) {
                own = Some((rank, line, value));
            }
        } else if below_metadata && body.indent() == level + 2 && !value.is_empty() {
            match key {
                "name" => nested = nested.or(Some((line, value))),
                "namespace" => namespace = namespace.or(Some((line, value))),
                _ => {}
            }
        }
    }
    let found = nested.or_else(|| own.map(|(_, line, value)| (line, value)));
    match found {
        Some((line, value)) => record.named(line, value.trim_matches(['"', '\''])),
        None => {
            let first =
                record.lines.clone().find(|line| bodies.get(*line).is_some_and(|body| body.text != "---"));
            if let Some((line, body)) = first.and_then(|line| Some((line, bodies.get(line)?))) {
                record.named(line, body.bare());
            }
        }
    }
    // Names are unique within a namespace only.
    if let Some((line, value)) = namespace {
        record.named(line, value);
    }
}

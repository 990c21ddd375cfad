//! Queries of the model for parts of an original: text in, text out.

use std::{borrow::Cow, fmt::Write, ops::RangeInclusive};

use headroom_core::Handle;

use crate::{
    OriginalStore, StoreError,
    json::Value,
    search::Search,
    units::{UnitKind, Units},
};

/// The default of [`RetrieveQuery::max_bytes`]: 32 KiB, about 8 000 tokens.
const MAX_BYTES: usize = 32 << 10;
/// Lines shown before and after a line that matches a query.
const CONTEXT_LINES: usize = 2;
/// The most steps of a path.
const MAX_STEPS: usize = 64;

/// Selects a part of an original by the arguments of `headroom_retrieve`, and writes the answer for the model.
///
/// The selectors narrow each other: a `path` selects a value, `rows` or `lines` a range of it, and a `query` the
/// matching part of that. The answer always gives the position of the part and the extent of the whole.
///
/// # Example
///
/// ```
/// use headroom_store::RetrieveQuery;
///
/// let log = (1..=100).map(|n| format!("step {n}\n")).collect::<String>();
/// let answer = RetrieveQuery::new().lines("41-42").answer(&log);
/// assert_eq!(answer, "lines 41-42 of 100; ask for other lines or a query:\nstep 41\nstep 42\n");
///
/// let json = r#"{"logs": [{"id": 1, "message": "ok"}, {"id": 2, "message": "refused"}]}"#;
/// assert!(RetrieveQuery::new().rows("2").answer(json).ends_with("\n{\"id\":2,\"message\":\"refused\"}\n"));
/// assert!(RetrieveQuery::new().path("logs[1].message").answer(json).ends_with("\nrefused"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetrieveQuery {
    lines: Option<String>,
    rows: Option<String>,
    path: Option<String>,
    query: Option<String>,
    max_bytes: usize,
}

impl RetrieveQuery {
    /// Selects the whole original, as far as it fits.
    pub const fn new() -> Self {
        Self { lines: None, rows: None, path: None, query: None, max_bytes: MAX_BYTES }
    }

    /// Selects these lines: `120-180`, `120`, `120-`. In a numbered view of a file, they are the printed numbers.
    pub fn lines(mut self, range: impl Into<String>) -> Self {
        self.lines = Some(range.into());
        self
    }

    /// Selects these rows of a JSON array or of JSON lines, counted from 1: `4-396`. The array is the one at the
    /// [`path`](Self::path), otherwise the one with the most items in the document.
    pub fn rows(mut self, range: impl Into<String>) -> Self {
        self.rows = Some(range.into());
        self
    }

    /// Selects the JSON value at this path: `logs[3].message`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Selects matches, best first: of a regular expression if it has a special character, otherwise of words.
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Shows at most about this many bytes of the original. Default: 32 KiB.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Parses the members of a JSON object; any that is missing or not a string, number or list of numbers is ignored.
    pub fn from_arguments(arguments: &str) -> Self {
        let arguments = Value::parse(arguments);
        let word = |key: &str| {
            let value = arguments?.get(key).filter(|value| !value.is_null())?;
            let text = value.text().map_or_else(|| value.raw().to_owned(), Cow::into_owned);
            Some(text).filter(|text| !text.trim().is_empty())
        };
        Self {
            lines: word("lines"),
            rows: word("rows"),
            path: word("path"),
            query: word("query"),
            max_bytes: MAX_BYTES,
        }
    }

    /// Returns the answer for this content.
    #[must_use]
    pub fn answer(&self, content: &str) -> String {
        let (subject, place) = match self.path.as_deref().map(|path| (path, find(content, path))) {
            None => (Cow::Borrowed(content), String::new()),
            Some((path, Ok(value))) => {
                let text = value.text().unwrap_or(Cow::Borrowed(value.raw()));
                (text, format!(" at {path}"))
            }
            Some((_, Err(missing))) => return missing,
        };
        let units = match &self.rows {
            Some(_) => match Units::rows(&subject) {
                Some(units) => units,
                None => {
                    return format!(
                        "There is no JSON array{place}, so it has no rows; ask for lines or a query.\n"
                    );
                }
            },
            None => Units::lines(&subject),
        };
        let asked = self.rows.as_ref().or(self.lines.as_ref());
        let range = match asked.map(|text| (text, range(text))) {
            None => 0..=usize::MAX,
            Some((_, Some(range))) => range,
            Some((text, None)) => {
                return format!("\"{text}\" is no range; write it like \"120-180\". {}\n", units.summary());
            }
        };
        let picked = units.within(&range);
        match &self.query {
            Some(query) => self.found(query, &units, picked, &place),
            None => self.shown(&units, picked, &place),
        }
    }

    /// Writes a run of units, as many as fit.
    fn shown(&self, units: &Units<'_>, picked: std::ops::Range<usize>, place: &str) -> String {
        let name = units.kind.name();
        if picked.is_empty() {
            return format!("There are no such {name}s{place}. {}\n", units.summary());
        }
        let mut end = picked.start;
        let mut bytes = 0;
        while end < picked.end {
            bytes += units.bytes(end);
            if bytes > self.max_bytes && end > picked.start {
                break;
            }
            end += 1;
        }
        let whole = end - picked.start == units.len();
        let mut answer = format!("{}{place}", units.coordinates(picked.start..end));
        if bytes > self.max_bytes && end < picked.end {
            let _ = write!(answer, "; more does not fit, ask for the next {name}s or a query");
        } else if !whole {
            let _ = write!(answer, "; ask for other {name}s or a query");
        }
        answer.push_str(":\n");
        let before = answer.len();
        units.write(picked.start..end, &mut answer);
        let limit = before + self.max_bytes;
        if answer.len() > limit {
            let cut = (0..=limit).rev().find(|at| answer.is_char_boundary(*at)).unwrap_or(0);
            let rest = answer.len() - cut;
            answer.truncate(cut);
            let _ = write!(answer, "\n({rest} more bytes of this {name}; ask with a query or a path)\n");
        }
        answer
    }

    /// Writes the matches of a query, best first, with their context.
    fn found(&self, query: &str, units: &Units<'_>, picked: std::ops::Range<usize>, place: &str) -> String {
        let name = units.kind.name();
        let hits = Search::new(query).rank(units, picked.clone());
        if hits.is_empty() {
            return format!(
                "Nothing in {}{place} matches \"{query}\". {}\n",
                units.coordinates(picked),
                units.summary()
            );
        }
        let around = if units.kind == UnitKind::Line { CONTEXT_LINES } else { 0 };
        let mut shown: Vec<std::ops::Range<usize>> = Vec::new();
        let (mut bytes, mut count) = (0, 0);
        for hit in &hits {
            let window = hit.saturating_sub(around).max(picked.start)..(hit + around + 1).min(picked.end);
            let new = window.clone().filter(|at| !shown.iter().any(|range| range.contains(at)));
            let cost: usize = new.map(|at| units.bytes(at)).sum();
            if bytes + cost > self.max_bytes && count > 0 {
                break;
            }
            bytes += cost;
            count += 1;
            match shown.iter_mut().find(|range| range.start <= window.end && window.start <= range.end) {
                Some(range) => *range = range.start.min(window.start)..range.end.max(window.end),
                None => shown.push(window),
            }
            // Many short hits should be narrowed down, not shown.
            if count == MAX_HITS {
                break;
            }
        }
        let mut answer = format!(
            "{} of {} {name}s{place} match \"{query}\", {count} shown, best first; ask for {name}s around them or another query:\n",
            hits.len(),
            units.len(),
        );
        let limit = answer.len() + self.max_bytes + shown.len() * 40;
        for range in joined(shown) {
            let _ = writeln!(answer, "{}:", units.coordinates(range.clone()));
            units.write(range, &mut answer);
            if !answer.ends_with('\n') {
                answer.push('\n');
            }
        }
        if answer.len() > limit {
            let cut = (0..=limit).rev().find(|at| answer.is_char_boundary(*at)).unwrap_or(0);
            answer.truncate(cut);
            let _ = writeln!(answer, "\n(cut here: the {name} is too long)");
        }
        answer
    }
}

/// The most hits that one answer shows.
const MAX_HITS: usize = 200;

impl Default for RetrieveQuery {
    fn default() -> Self {
        Self::new()
    }
}

/// Joins adjacent and overlapping ranges in the order of the first of each.
fn joined(ranges: Vec<std::ops::Range<usize>>) -> Vec<std::ops::Range<usize>> {
    let mut order: Vec<(usize, std::ops::Range<usize>)> = ranges.into_iter().enumerate().collect();
    order.sort_by_key(|(_, range)| range.start);
    let mut merged: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    for (rank, range) in order {
        match merged.last_mut() {
            Some((best, last)) if range.start <= last.end => {
                *best = rank.min(*best);
                last.end = last.end.max(range.end);
            }
            _ => merged.push((rank, range)),
        }
    }
    merged.sort_by_key(|(rank, _)| *rank);
    merged.into_iter().map(|(_, range)| range).collect()
}

/// Parses `120-180`, `120`, `120-` and `-180`; also `[120, 180]` and other ways to write two numbers.
fn range(text: &str) -> Option<RangeInclusive<usize>> {
    let text = text.trim();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let number = |digits: &str| digits.parse().unwrap_or(usize::MAX);
    let first = numbers.next().map(number)?;
    match numbers.next().map(number) {
        Some(last) => Some(first.min(last)..=first.max(last)),
        None if text.starts_with(['-', '–', ':', '.']) => Some(0..=first),
        None if text.ends_with(|c: char| c.is_ascii_digit() || c == ']') => Some(first..=first),
        None => Some(first..=usize::MAX),
    }
}

/// Returns the value at a path, or the answer if there is none.
fn find<'a>(content: &'a str, path: &str) -> Result<Value<'a>, String> {
    let Some(mut value) = Value::parse(content) else {
        return Err("This is no JSON document, so it has no paths; ask for lines or a query.\n".to_owned());
    };
    for step in steps(path).take(MAX_STEPS) {
        let next = match step.parse::<usize>() {
            Ok(index) if value.is_array() => value.items().nth(index),
            _ => value.get(step),
        };
        value = next.ok_or_else(|| missing(value, step))?;
    }
    Ok(value)
}

/// Returns the keys and indexes of `logs[3].message`, tolerating `$` and quotes.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let steps = path.split(['.', '[', ']', '/']).map(|step| step.trim_matches(['"', '\'', ' ']));
    steps.filter(|step| !step.is_empty() && *step != "$")
}

fn missing(value: Value<'_>, step: &str) -> String {
    if value.is_array() {
        return format!("There is no {step} here, but an array with items 0-{}.\n", value.items().count());
    }
    let keys: Vec<_> = value.members().filter_map(|member| member.key.text()).take(40).collect();
    if keys.is_empty() {
        format!("There is no \"{step}\" here; the value has no members.\n")
    } else {
        format!("There is no \"{step}\" here; the members are: {}.\n", keys.join(", "))
    }
}

/// Answers a call of `headroom_retrieve`, given its arguments as a JSON object.
///
/// Invalid arguments and unknown handles get an answer in plain words, since the model reads it.
///
/// # Errors
///
/// If the store cannot answer.
///
/// # Example
///
/// ```
/// use headroom_core::{Handle, Original};
/// use headroom_store::{MemoryStore, OriginalStore, retrieve};
///
/// # async fn example() -> Result<(), headroom_store::StoreError> {
/// let store = MemoryStore::new();
/// let content = "one\ntwo\nthree\n".to_owned();
/// let handle = Handle::from_content(&content);
/// store.put_many("team-a", vec![Original { handle, content }]).await?;
/// let arguments = format!(r#"{{"hash": "{handle}", "lines": "2-3"}}"#);
/// assert!(retrieve(&store, "team-a", &arguments).await?.ends_with("two\nthree\n"));
/// assert!(retrieve(&store, "team-b", &arguments).await?.starts_with("Nothing is kept under"));
/// # Ok(())
/// # }
/// # fn main() {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// # }
/// ```
pub async fn retrieve<S: OriginalStore + ?Sized>(
    store: &S,
    tenant: &str,
    arguments: &str,
) -> Result<String, StoreError> {
    let hash = Value::parse(arguments).and_then(|arguments| arguments.get("hash")?.text());
    let Some(hash) = hash else {
        return Ok("The call needs a \"hash\": the letters behind [headroom: in the text.\n".to_owned());
    };
    let unknown = || {
        format!(
            "Nothing is kept under \"{}\" (any more); go on without it, or get the text again with the tool that brought it.\n",
            hash.chars().take(64).collect::<String>()
        )
    };
    let Some(handle) = handle(&hash) else {
        return Ok(unknown());
    };
    let slice = RetrieveQuery::from_arguments(arguments);
    Ok(store.get(tenant, &handle).await?.map_or_else(unknown, |content| slice.answer(&content)))
}

/// Finds the handle in a model's argument, with or without brackets and anything after them.
fn handle(hash: &str) -> Option<Handle> {
    let hash = hash.trim().trim_start_matches('[');
    let hash = hash.strip_prefix("headroom:").unwrap_or(hash).trim_start();
    hash.split(|c: char| !c.is_ascii_alphanumeric()).next()?.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> String {
        (1..=500).map(|n| format!("{n:03} request served in {} ms\n", n % 7)).collect()
    }

    #[test]
    fn the_whole_is_shown_as_far_as_it_fits_and_says_so() {
        assert_eq!(RetrieveQuery::new().answer("a\nb"), "all 2 lines:\na\nb");
        let answer = RetrieveQuery::new().max_bytes(100).answer(&log());
        assert!(
            answer.starts_with("lines 1-3 of 500; more does not fit, ask for the next lines or a query:\n"),
            "{answer}"
        );
        assert!(answer.len() < 250);
    }

    #[test]
    fn a_line_longer_than_the_bound_is_cut_and_says_so() {
        let answer = RetrieveQuery::new().max_bytes(10).answer(&"ä".repeat(50));
        assert!(answer.contains("ääää") && answer.contains("more bytes of this line"), "{answer}");
    }

    #[test]
    fn ranges_are_read_as_models_write_them() {
        for (text, expected) in [
            ("120-180", 120..=180),
            (" 120 ", 120..=120),
            ("180..120", 120..=180),
            ("[3, 4]", 3..=4),
            ("lines 7-9", 7..=9),
            ("5-", 5..=usize::MAX),
            ("-5", 0..=5),
            ("99999999999999999999999-1", 1..=usize::MAX),
        ] {
            assert_eq!(range(text), Some(expected), "{text}");
        }
        assert_eq!(range("all"), None);
    }

    #[test]
    fn lines_outside_the_original_are_named_missing() {
        let answer = RetrieveQuery::new().lines("600-700").answer(&log());
        assert!(answer.starts_with("There are no such lines") && answer.contains("500 lines"), "{answer}");
    }

    #[test]
    fn lines_of_a_numbered_view_are_those_it_prints() {
        let view: String = (301..=340).map(|n| format!("{n:>6}\tlet x{n} = {n};\n")).collect();
        let answer = RetrieveQuery::new().lines("310-311").answer(&view);
        assert!(answer.contains("lines 310-311 of 301-340"), "{answer}");
        assert!(answer.contains("let x310") && answer.contains("let x311") && !answer.contains("x312"));
    }

    #[test]
    fn rows_keep_their_bytes_but_for_white_space() {
        let json =
            r#"{"meta": [1, 2], "rows": [ {"z": 1.50, "a": "x y"}, {"z": 12345678901234567890}, {"z": 3} ]}"#;
        let answer = RetrieveQuery::new().rows("1-2").answer(json);
        assert_eq!(
            answer,
            "rows 1-2 of 3; ask for other rows or a query:\n{\"z\":1.50,\"a\":\"x y\"}\n{\"z\":12345678901234567890}\n"
        );
        let answer = RetrieveQuery::new().path("meta").rows("2").answer(json);
        assert!(answer.contains("row 2 of 2 at meta") && answer.ends_with("\n2\n"), "{answer}");
        assert!(RetrieveQuery::new().rows("1").answer("no json").contains("no rows"));
        assert!(RetrieveQuery::new().rows("2").answer("{\"a\":1}\n{\"a\": 2}\n").ends_with("{\"a\":2}\n"));
    }

    #[test]
    fn paths_lead_to_values_and_say_what_else_there_is() {
        let json = r#"{"logs":[{"message":"a\nb"},{"message":"c"}],"n":1}"#;
        assert_eq!(
            RetrieveQuery::new().path("logs[0].message").answer(json),
            "all 2 lines at logs[0].message:\na\nb"
        );
        assert!(RetrieveQuery::new().path("$.logs.1").answer(json).contains(r#"{"message":"c"}"#));
        assert!(RetrieveQuery::new().path("lgs").answer(json).contains("the members are: logs, n."));
        assert!(RetrieveQuery::new().path("logs[9]").answer(json).contains("items 0-"));
        assert!(RetrieveQuery::new().path("a").answer("text").contains("no JSON"));
    }

    #[test]
    fn a_query_finds_lines_with_coordinates_and_context() {
        let mut text = log();
        text.push_str("panic: connection refused by db-7\n");
        text.push_str(&log());
        let answer = RetrieveQuery::new().query("connection refused").answer(&text);
        assert!(answer.starts_with("1 of 1001 lines match \"connection refused\""), "{answer}");
        assert!(answer.contains("lines 499-503 of 1001:\n"), "{answer}");
        let regex = RetrieveQuery::new().query(r"db-\d+").answer(&text);
        assert!(regex.contains("panic:"), "{regex}");
        let none = RetrieveQuery::new().query("zebra").answer(&text);
        assert!(none.starts_with("Nothing in") && none.contains("1001 lines"), "{none}");
    }

    #[test]
    fn rarer_words_rank_higher() {
        let text =
            "alpha common\n\n\n\n\n\nbeta common\n\n\n\n\n\ngamma common\n\n\n\n\n\ncommon\n".to_owned();
        let answer = RetrieveQuery::new().query("common beta").answer(&text);
        let body = answer.split_once(":\n").unwrap().1;
        assert!(body.find("beta").unwrap() < body.find("alpha").unwrap(), "{answer}");
    }

    #[test]
    fn a_query_over_rows_answers_rows() {
        let json = r#"[{"id":1,"s":"ok"},{"id":2,"s":"failed"},{"id":3,"s":"ok"}]"#;
        let answer = RetrieveQuery::new().rows("1-").query("failed").answer(json);
        assert!(answer.contains("row 2 of 3:\n{\"id\":2,\"s\":\"failed\"}\n"), "{answer}");
    }

    #[test]
    fn a_query_that_looks_like_a_regex_but_finds_nothing_is_read_as_words() {
        let answer = RetrieveQuery::new().query("why (exactly) refused?").answer("it was refused\n");
        assert!(answer.contains("it was refused"), "{answer}");
    }

    #[test]
    fn arguments_are_read_in_every_form_that_models_use() {
        let slice =
            RetrieveQuery::from_arguments(r#"{"hash":"x","lines":[3,4],"rows":"","query":null,"path":7}"#);
        assert_eq!(slice, RetrieveQuery::new().lines("[3,4]").path("7"));
        assert_eq!(RetrieveQuery::from_arguments("not json"), RetrieveQuery::new());
    }

    #[test]
    fn handles_are_read_with_what_stands_around_them() {
        let known = Handle::from_content("x");
        for text in
            [format!("{known}"), format!("[headroom:{known} lines 1-2"), format!(" headroom:{known}]")]
        {
            assert_eq!(handle(&text), Some(known), "{text}");
        }
        assert_eq!(handle("nothing"), None);
    }

    proptest::proptest! {
        #[test]
        fn never_panics_and_stays_bounded(
            content in ".{0,400}", lines in ".{0,12}", path in ".{0,12}", query in ".{0,12}", pick in 0..16_u8,
        ) {
            let mut slice = RetrieveQuery::new().max_bytes(64);
            if pick & 1 != 0 { slice = slice.lines(lines.clone()); }
            if pick & 2 != 0 { slice = slice.rows(lines); }
            if pick & 4 != 0 { slice = slice.path(path); }
            if pick & 8 != 0 { slice = slice.query(query); }
            assert!(slice.answer(&content).len() < 64 + 64 * 40 + 3000);
        }
    }
}

//! Parses the rows of search tools: `path:12:text`, `path-12-text`, `12:text` under a heading, `path:12`, `path:text`.

use rustc_hash::FxHashSet;

use crate::text::{
    lines,
    path::{extension, is_path},
};

/// Maximum number of bytes in which the path of a row must end.
const MAX_PATH: usize = 512;

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchRowKind {
    /// The line matched.
    Hit,
    /// The line is next to one that matched.
    Context,
    /// The row gives the number of matching lines.
    Count,
}

/// A parsed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SearchRow<'t> {
    /// The file, if the row names it.
    pub(crate) path: Option<&'t str>,
    pub(crate) kind: SearchRowKind,
    /// The row without its path: `12:text`, `12-text`, `:text`.
    pub(crate) rest: &'t str,
    /// The line as in the file.
    pub(crate) text: &'t str,
}

/// A line of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchLine<'t> {
    Row(SearchRow<'t>),
    /// `--` between groups of rows.
    Break,
    /// Anything else.
    Other,
}

/// Parses lines. The paths of all hits show where the path of a context row ends.
#[derive(Debug, Default)]
pub(crate) struct SearchParser<'t> {
    known: FxHashSet<&'t str>,
    /// The path of the last hit.
    hit: &'t str,
    /// The paths of the last two context rows; some tools print each file in two ways.
    last: [&'t str; 2],
}

impl<'t> SearchParser<'t> {
    pub(crate) fn parse(lines: impl Iterator<Item = &'t str>) -> Self {
        let mut parser = Self::default();
        for line in lines {
            let last = parser.hit;
            if let Some(path) = parser.hit(line).and_then(|row| row.path)
                && path != last
            {
                parser.known.insert(path);
            }
        }
        parser
    }

    pub(crate) fn line(&mut self, line: &'t str) -> SearchLine<'t> {
        if line == "--" {
            return SearchLine::Break;
        }
        let row = match line.as_bytes().first() {
            Some(b'0'..=b'9' | b':') => short(line),
            _ => self.hit(line).or_else(|| self.context(line)),
        };
        row.map_or(SearchLine::Other, SearchLine::Row)
    }

    fn hit(&mut self, line: &'t str) -> Option<SearchRow<'t>> {
        // Most rows are of the same file as the row before.
        if !self.hit.is_empty()
            && line.starts_with(self.hit)
            && let Some(row) = hit_at(line, self.hit.len())
        {
            return Some(row);
        }
        let row = hit(line)?;
        if row.kind == SearchRowKind::Hit && !row.rest.starts_with(':') {
            self.hit = row.path?;
        }
        Some(row)
    }

    /// Parses `path-12-text`. The path ends at the first position where a known path ends, or else where it may end.
    fn context(&mut self, line: &'t str) -> Option<SearchRow<'t>> {
        for path in self.last {
            if !path.is_empty()
                && line.starts_with(path)
                && let Some(row) = context_at(line, path.len())
            {
                return Some(row);
            }
        }
        let mut likely = None;
        let head = line.as_bytes().get(..line.len().min(MAX_PATH)).unwrap_or_default();
        for at in memchr::memchr2_iter(b'-', b'=', head) {
            let Some(row) = context_at(line, at) else { continue };
            let Some(path) = row.path else { continue };
            if self.knows(path) {
                self.last = [path, self.last.first().copied().unwrap_or_default()];
                return Some(row);
            }
            if likely.is_none() && is_path(path) {
                likely = Some(row);
            }
        }
        likely
    }

    /// Whether hits name this path or the end of it.
    fn knows(&self, path: &str) -> bool {
        self.known.contains(path)
            || path.match_indices(['/', '\\']).any(|(at, _)| {
                path.get(at + 1..).is_some_and(|end| !end.is_empty() && self.known.contains(end))
            })
    }
}

/// Whether two paths may name the same file, one relative to a parent of the other's base.
pub(crate) fn same_file(a: &str, b: &str) -> bool {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    !short.is_empty()
        && long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '\\']))
}

/// Returns the end of the number after the mark at `at`, if another mark or the end of the line follows.
fn numbered(line: &str, at: usize, mark: u8) -> Option<usize> {
    let bytes = line.as_bytes();
    if bytes.get(at) != Some(&mark) {
        return None;
    }
    let digits = bytes.iter().skip(at + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let end = at + 1 + digits;
    let leads_with_zero = bytes.get(at + 1) == Some(&b'0') && digits > 1;
    let fits = (1..=9).contains(&digits) && !leads_with_zero;
    (fits && bytes.get(end).is_none_or(|byte| *byte == mark)).then_some(end)
}

fn context_at(line: &str, at: usize) -> Option<SearchRow<'_>> {
    let mark = *line.as_bytes().get(at)?;
    if !matches!(mark, b'-' | b'=') {
        return None;
    }
    let end = numbered(line, at, mark)?;
    let text = line.get(end + 1..)?;
    Some(SearchRow {
        path: Some(line.get(..at)?),
        kind: SearchRowKind::Context,
        rest: line.get(at + 1..)?,
        text,
    })
}

fn hit_at(line: &str, at: usize) -> Option<SearchRow<'_>> {
    let end = numbered(line, at, b':')?;
    let (kind, text) =
        line.get(end + 1..).map_or((SearchRowKind::Count, ""), |text| (SearchRowKind::Hit, text));
    Some(SearchRow { path: Some(line.get(..at)?), kind, rest: line.get(at + 1..)?, text })
}

/// Parses `path:12:text`, `path:12` and `path:text`.
fn hit(line: &str) -> Option<SearchRow<'_>> {
    if line.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let head = line.as_bytes().get(..line.len().min(MAX_PATH))?;
    let mut first = None;
    for at in memchr::memchr_iter(b':', head) {
        // The drive of a Windows path.
        if at == 1 && line.get(2..).is_some_and(|rest| rest.starts_with(['\\', '/'])) {
            continue;
        }
        let path = line.get(..at)?;
        if let Some(row) = hit_at(line, at).filter(|_| is_path(path)) {
            return Some(row);
        }
        first = first.or(Some(at));
    }
    let at = first?;
    let (path, rest) = (line.get(..at)?, line.get(at..)?);
    let text = rest.get(1..)?;
    // Without a number, accept only what can hardly be anything else: in `key: value`, `http://` and `tests/a.py::name`
    // no path ends at the colon.
    let clear = path.contains('/')
        && !path.contains(' ')
        && !text.starts_with("//")
        && !text.starts_with(':')
        && is_path(path);
    (clear && extension(path).is_some()).then_some(SearchRow {
        path: Some(path),
        kind: SearchRowKind::Hit,
        rest,
        text,
    })
}

/// Parses `12:text`, `12-text` and `:text`, except times and dates.
pub(crate) fn short(line: &str) -> Option<SearchRow<'_>> {
    if let Some(text) = line.strip_prefix(':') {
        return Some(SearchRow { path: None, kind: SearchRowKind::Hit, rest: line, text });
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = *line.as_bytes().get(digits)?;
    let kind = match mark {
        b':' => SearchRowKind::Hit,
        b'-' | b'=' => SearchRowKind::Context,
        _ => return None,
    };
    let text = line.get(digits + 1..)?;
    let next = text.as_bytes();
    let is_time = match (mark, next) {
        (b':', [b'0'..=b'5', b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9', ..]) => digits == 2,
        (b'-', [b'0'..=b'1', b'0'..=b'9', b'-', b'0'..=b'3', b'0'..=b'9', ..]) => digits == 4,
        _ => false,
    };
    let fits = digits <= 9 && !(digits > 1 && line.starts_with('0')) && !is_time;
    fits.then_some(SearchRow { path: None, kind, rest: line, text })
}

/// Returns the percentage of lines that are rows of search results.
pub(crate) fn share(text: &str) -> u32 {
    let lines = || lines::split(text);
    let mut parser = SearchParser::parse(lines());
    let (mut rows, mut all) = (0_u64, 0_u64);
    let mut last = 0;
    let mut mark = SearchRowKind::Count;
    let mut heading = 0;
    for line in lines().filter(|line| !line.trim().is_empty()) {
        all += 1;
        match parser.line(line) {
            SearchLine::Row(row) if row.path.is_some() => {
                rows += u64::from(!is_diagnostic(row.text));
                last = 0;
            }
            // Numbers that decrease belong to another file; consecutive numbers are a view of one file.
            SearchLine::Row(row) => {
                let number: u32 =
                    row.rest.split([':', '-', '=']).next().and_then(|n| n.parse().ok()).unwrap_or(0);
                let fits = number > last && (number > last + 1 || mark != row.kind);
                rows += if fits { 1 + heading } else { 0 };
                last = number;
                mark = row.kind;
            }
            SearchLine::Break => {
                rows += 1;
                last = 0;
            }
            SearchLine::Other => {
                last = 0;
                heading = u64::from(is_path(line));
                continue;
            }
        }
        heading = 0;
    }
    u32::try_from(rows * 100 / all.max(1)).unwrap_or(100)
}

/// Whether the text of a row is a diagnostic of a compiler or linter.
fn is_diagnostic(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':').trim_start();
    ["error", "warning", "note:", "fatal error", "info:"].iter().any(|word| text.starts_with(word))
}

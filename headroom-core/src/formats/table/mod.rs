//! Finds aligned columns, as printed by `ls -l`, `ps`, `df`, `kubectl get`, `docker ps` and `psql`.

mod layout;

pub(crate) use layout::{Layout, OPEN};

/// The characters between cells of some tables, also at the start of a row.
pub(crate) const BARS: [char; 5] = ['|', '\u{2502}', '\u{2503}', '\u{2551}', '\u{a6}'];

/// Returns the percentage of lines that are rows of aligned columns.
pub(crate) fn share(text: &str) -> u32 {
    let (mut fit, mut all) = (0_usize, 0_usize);
    for block in TableBlocks::new(text) {
        all += block.rows.len();
        let layout = if is_padded(&block.rows) { Layout::from_rows(&block.rows) } else { None };
        if let Some(layout) = layout {
            let mut cells = Vec::new();
            for row in &block.rows {
                cells.clear();
                fit += usize::from(layout.raw_cells(row, &mut cells));
            }
        }
    }
    u32::try_from(fit * 100 / all.max(1)).unwrap_or(100)
}

/// Whether more than single spaces separate the columns, so that the rows do not line up by chance.
fn is_padded(rows: &[&str]) -> bool {
    let has_wide_space = |row: &str| row.as_bytes().windows(2).any(|pair| pair == b"  ");
    let padded = rows.iter().filter(|row| has_wide_space(row.trim_start())).count();
    padded * 2 >= rows.len()
}

/// Strips the line end.
pub(crate) fn content(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// Adjacent lines, none of them blank.
#[derive(Debug)]
pub(crate) struct TableBlock<'t> {
    pub(crate) start: usize,
    pub(crate) text: &'t str,
    pub(crate) rows: Vec<&'t str>,
    pub(crate) crlf: bool,
}

/// Iterates over the blocks of a text that may be tables.
#[derive(Debug)]
pub(crate) struct TableBlocks<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> TableBlocks<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Returns the line that starts here, with its end.
    fn line(&self, start: usize) -> Option<&'t str> {
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        rest.get(..memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end + 1))
    }
}

impl<'t> Iterator for TableBlocks<'t> {
    type Item = TableBlock<'t>;

    fn next(&mut self) -> Option<TableBlock<'t>> {
        let mut start = self.at;
        let mut end = start;
        let mut rows = Vec::new();
        let mut crlf = false;
        while let Some(line) = self.line(end) {
            let is_blank = line.trim().is_empty();
            if is_blank && !rows.is_empty() {
                break;
            }
            end += line.len();
            if is_blank {
                start = end;
                continue;
            }
            rows.push(content(line));
            crlf |= line.ends_with("\r\n");
        }
        self.at = end;
        (!rows.is_empty()).then_some(TableBlock { start, text: self.text.get(start..end)?, rows, crlf })
    }
}

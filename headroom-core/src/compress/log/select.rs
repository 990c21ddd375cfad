//! Selects the lines of logs, command output and tables that stay.

use memchr::memmem;
use rustc_hash::FxHashMap;

use super::{best_matches, delimiter::delimiter, passed::passed};
use crate::{
    records::Structure,
    relevance::{
        features::LineFeatures,
        outliers,
        query::Hits,
        sequence,
        severity::{ERROR, Severity},
        templates::Templates,
    },
    text::marker,
    tuning::tuning,
};

/// Maximum number of numbers compared per line.
const MAX_NUMBERS: usize = 8;
const MAX_COLUMNS: usize = 64;
/// Tags that agents put around the output of a command.
const ENVELOPE: [&str; 16] = [
    "<returncode",
    "</returncode",
    "<output",
    "</output",
    "<stdout",
    "</stdout",
    "<stderr",
    "</stderr",
    "<error",
    "</error",
    "<exit",
    "<warning",
    "</warning",
    "Exit code",
    "exit code",
    "[exit",
];

/// The lines that stay.
#[derive(Debug)]
pub(super) struct LineSelection {
    pub(super) lines: Vec<bool>,
}

struct LineSelector<'a> {
    text: &'a str,
    features: &'a LineFeatures,
    templates: &'a Templates<'a>,
    hits: &'a Hits,
    structure: &'a Structure<'a>,
    kept: Vec<bool>,
    /// Lines that say that tests passed, and those above them that nothing else belongs to.
    passed: Vec<bool>,
    /// The delimiter of a table, whose rows are independent of each other.
    delimiter: Option<u8>,
    /// Whether most lines start with a source location, as those of compilers and linters do.
    placed: bool,
}

impl LineSelection {
    pub(super) fn new(
        text: &str,
        features: &LineFeatures,
        templates: &Templates<'_>,
        hits: &Hits,
        structure: &Structure<'_>,
    ) -> Self {
        let kept = vec![false; features.rows.len()];
        let delimiter = delimiter(text, &features.rows);
        let placed = features.rows.iter().filter(|row| row.place > 0).count() * 2 > features.rows.len();
        let mut chooser = LineSelector {
            text,
            features,
            templates,
            hits,
            structure,
            kept,
            passed: passed(features, structure),
            delimiter,
            placed,
        };
        chooser.head_and_tail();
        chooser.headings();
        chooser.named();
        chooser.kinds();
        chooser.outliers();
        chooser.sequences();
        chooser.changes();
        Self { lines: chooser.kept }
    }
}

impl LineSelector<'_> {
    fn count(&self) -> usize {
        self.features.rows.len()
    }

    fn keep(&mut self, line: usize) {
        if let Some(kept) = self.kept.get_mut(line) {
            *kept = true;
        }
    }

    /// Keeps a line unless it is about tests that passed.
    fn keep_kind(&mut self, line: usize) {
        if self.passed.get(line) != Some(&true) {
            self.keep(line);
        }
    }

    fn keep_around(&mut self, line: usize, before: usize, after: usize) {
        for line in line.saturating_sub(before)..=line + after {
            self.keep(line);
        }
    }

    fn row(&self, line: usize) -> &str {
        self.features.rows.get(line).map_or("", |row| row.text(self.text))
    }

    /// Whether the line only reports progress on one of many items.
    fn is_progress(&self, line: usize) -> bool {
        self.features.rows.get(line).is_some_and(|row| row.progress > 0)
    }

    /// Keeps the edges of the text and lines that frame content: envelopes, table headers, markers.
    fn head_and_tail(&mut self) {
        let count = self.count();
        let log = &tuning().log;
        for line in (0..log.head_lines).chain(count.saturating_sub(log.tail_lines)..count) {
            self.keep(line);
        }
        for line in 0..count {
            let row = self.row(line);
            if row.starts_with(['<', 'E', 'e', '[']) && ENVELOPE.iter().any(|tag| row.starts_with(tag)) {
                self.keep(line);
            }
        }
        let bytes = self.text.as_bytes();
        let markers = memmem::find_iter(bytes, marker::OPENING).map(|at| (at, log.fold_lines));
        let headers = [" rows;", " rows:", " JSON values"].map(|what| memmem::find_iter(bytes, what));
        let headers = headers.into_iter().flatten().map(|at| (at, 0));
        for (at, before) in markers.chain(headers).collect::<Vec<_>>() {
            let line = self.features.rows.partition_point(|row| (row.end as usize) < at);
            self.keep_around(line, before, 0);
        }
        if self.delimiter.is_some() {
            for line in 0..count {
                if self.row(line).starts_with(']') {
                    self.keep(line);
                }
            }
        }
    }

    fn named(&mut self) {
        for line in self.hits.named() {
            self.keep(line);
        }
        for line in self.hits.best(best_matches(self.count())) {
            if !self.is_progress(line) {
                self.keep(line);
            }
        }
        for line in self.hits.related() {
            if self.features.rows.get(line).is_some_and(|row| row.severity >= Severity::Error) {
                self.keep(line);
            }
        }
    }

    /// Keeps rare kinds of lines, errors unless they are everywhere, and some lines of every other kind.
    fn kinds(&mut self) {
        let log = &tuning().log;
        let count = self.count();
        let seldom = u32::try_from(1 + count / log.lines_per_rare).unwrap_or(u32::MAX);
        let is_rare = |line: usize| self.templates.get(line).is_some_and(|template| template.count <= seldom);
        let rare: Vec<usize> = (0..count).filter(|line| is_rare(*line)).collect();
        let usual = self.templates.all.iter().filter(|template| template.count > seldom).count();
        // Rows of tables combine a few parts in ever new ways; in other texts, lines that are unique are worth keeping.
        let few = match self.delimiter {
            Some(_) => rare.len() + 2 * usual <= count / log.rare_row_ratio + log.spare_rare_rows,
            None => rare.len() <= count / log.rare_ratio + log.spare_rare,
        };
        if few {
            rare.into_iter().for_each(|line| self.keep_kind(line));
            for template in &self.templates.all {
                self.keep_kind(template.first as usize);
                if !self.is_progress(template.last as usize) {
                    self.keep_kind(template.last as usize);
                }
            }
        } else {
            // Nearly every message of a compiler or linter contains a name, so lines with new words suffice.
            let new = if self.placed {
                self.newest(count / log.new_ratio + log.spare_new)
            } else {
                self.with_new_words(1)
            };
            new.into_iter().for_each(|line| self.keep_kind(line));
            if !self.placed {
                let pairs = self.templates.pair_counts();
                let seldom = |line: &usize| self.templates.has_rare_pair(*line, &pairs, seldom);
                (0..count)
                    .filter(seldom)
                    .collect::<Vec<_>>()
                    .into_iter()
                    .for_each(|line| self.keep_kind(line));
            }
        }
        self.severe(Severity::Error, (count / log.error_ratio).max(log.min_errors));
        self.severe(Severity::Warning, (count / log.warning_ratio).max(log.min_warnings));
    }

    /// Returns the lines with at least `least` words that no earlier line has.
    fn with_new_words(&self, least: usize) -> Vec<usize> {
        let mut shown = self.templates.shown();
        (0..self.count()).filter(|line| self.templates.words_are_new(*line, least, &mut shown)).collect()
    }

    /// Returns the lines with new words, requiring more than one new word if those lines are too many.
    fn newest(&self, most: usize) -> Vec<usize> {
        let last = tuning().log.max_new_words;
        let few = (1..last).map(|least| self.with_new_words(least)).find(|lines| lines.len() <= most);
        few.unwrap_or_else(|| self.with_new_words(last))
    }

    /// Keeps the lines of this severity; if there are more than `most`, those that show something new.
    fn severe(&mut self, severity: Severity, most: usize) {
        let rows = self.features.rows.iter().enumerate();
        let lines: Vec<usize> =
            rows.filter(|(_, row)| row.severity == severity).map(|(line, _)| line).collect();
        let all = lines.len() <= most;
        // If the question tells which errors are meant, one of each other kind is enough.
        let meant = self.hits.related().filter(|line| lines.binary_search(line).is_ok()).count();
        if self.placed && !all {
            // Words such as `deprecated` and `undefined` occur in the names of rules; only the level makes a line an
            // error.
            let mut shown = self.templates.shown();
            for line in lines {
                let called = self.features.rows.get(line).is_some_and(|row| row.level == ERROR);
                if called && self.templates.words_are_new(line, 1, &mut shown) {
                    self.keep(line);
                }
            }
            return;
        }
        let log = &tuning().log;
        let is_table = self.delimiter.is_some();
        let brief = is_table && (severity == Severity::Warning || meant >= log.min_matches);
        let times = if severity == Severity::Error && !is_table { log.error_repeats } else { 1 };
        let around = if all && severity == Severity::Error { log.context_lines } else { 0 };
        let mut shown = self.templates.shown();
        for line in lines {
            let new = all
                || if brief {
                    self.templates.words_are_new(line, 1, &mut shown)
                } else {
                    self.templates.pairs_are_new(line, &mut shown, times)
                };
            if new {
                self.keep(line);
                self.context(line, around);
            }
        }
    }

    /// Keeps the context of an error: some lines and a whole stack trace, or nothing in a table.
    fn context(&mut self, line: usize, lines: usize) {
        if self.delimiter.is_some() {
            return;
        }
        self.keep_around(line, lines, lines);
        let belongs = |row: &str| row.starts_with([' ', '\t']) || row.starts_with("Caused by");
        for next in line + 1..=line + tuning().log.max_trace_lines {
            if !belongs(self.row(next)) {
                self.keep(next);
                break;
            }
            self.keep(next);
        }
    }

    fn outliers(&mut self) {
        if let Some(delimiter) = self.delimiter {
            let mut columns: Vec<Vec<(f32, u32)>> = Vec::new();
            for (number, line) in (0_u32..).zip(0..self.count()) {
                for (column, cell) in
                    self.row(line).split(char::from(delimiter)).enumerate().take(MAX_COLUMNS)
                {
                    if columns.len() <= column {
                        columns.push(Vec::new());
                    }
                    let value = cell.trim().parse().ok().filter(|value: &f32| value.is_finite());
                    if let (Some(value), Some(values)) = (value, columns.get_mut(column)) {
                        values.push((value, number));
                    }
                }
            }
            columns.iter().for_each(|values| self.keep_outliers(values));
        }
        let mut values = Vec::new();
        for lines in
            self.templates.lines_by_template().filter(|lines| lines.len() >= tuning().relevance.min_values)
        {
            let places = lines.first().map_or(0, |line| self.features.numbers(*line as usize).len());
            for place in 0..places.min(MAX_NUMBERS) {
                let number = |line: &u32| Some((*self.features.numbers(*line as usize).get(place)?, *line));
                values.clear();
                values.extend(lines.iter().filter_map(number));
                self.keep_outliers(&values);
            }
        }
    }

    /// Keeps the headers of sections.
    fn headings(&mut self) {
        for line in self.structure.kept_headings() {
            self.keep(line);
        }
    }

    /// Keeps the lines on both sides of silences and of jumps of counters.
    fn sequences(&mut self) {
        let mut pairs: Vec<(u32, u32)> = self.structure.silences().to_vec();
        let mut values = Vec::new();
        for lines in
            self.templates.lines_by_template().filter(|lines| lines.len() >= tuning().relevance.min_values)
        {
            let places = lines.first().map_or(0, |line| self.features.numbers(*line as usize).len());
            for place in 0..places.min(MAX_NUMBERS) {
                let number = |line: &u32| Some((*self.features.numbers(*line as usize).get(place)?, *line));
                values.clear();
                values.extend(lines.iter().filter_map(number));
                pairs.extend(sequence::jumps(&values));
            }
        }
        for (before, after) in pairs {
            self.keep(before as usize);
            self.keep(after as usize);
        }
    }

    fn keep_outliers(&mut self, values: &[(f32, u32)]) {
        for line in outliers::outliers(values) {
            self.keep(line as usize);
        }
    }

    /// Keeps lines where the mix of kinds differs most from the lines before.
    fn changes(&mut self) {
        let count = self.count();
        let log = &tuning().log;
        let window = (count / log.lines_per_window).clamp(log.min_window, log.max_window);
        let kind = |line: usize| self.templates.of.get(line).copied().unwrap_or_default();
        let mut changes = Vec::new();
        let mut start = window;
        while start + window <= count {
            let mut mix: FxHashMap<u32, i32> = FxHashMap::default();
            for line in start - window..start {
                *mix.entry(kind(line)).or_default() += 1;
            }
            for line in start..start + window {
                *mix.entry(kind(line)).or_default() -= 1;
            }
            let differ: usize = mix.values().map(|count| count.unsigned_abs() as usize).sum();
            if differ * 8 >= 2 * window * log.min_difference {
                changes.push((differ, start));
            }
            start += window;
        }
        // A text in which every part differs from the previous one has no points of change.
        if changes.len() * window * log.windows_per_change > count {
            return;
        }
        changes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, line) in changes.into_iter().take(log.max_changes) {
            self.keep_around(line, 1, 1);
        }
    }
}

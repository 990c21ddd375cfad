//! The fields of records: which values of a key, or lines of a kind, stand out.

use rustc_hash::{FxHashMap, FxHashSet};

use super::records::keep;
use crate::{
    compress::table,
    records::{Record, Structure, vertical},
    relevance::{outliers, templates::Templates},
    tuning::tuning,
};

/// The values of one key.
#[derive(Debug, Default)]
struct Key<'t> {
    /// Which records have it, once for each value.
    records: Vec<u32>,
    values: Vec<&'t str>,
    /// Whether it names the records, so that every value is new.
    names: bool,
}

/// What a key is known by: the keys above it, its text or the number of its template, and the place of a number in the line.
type KeyId<'t> = (u64, &'t str, u32, usize);

/// The keys of all records, with their values.
pub(super) struct FieldTable<'t> {
    keys: Vec<Key<'t>>,
    ids: FxHashMap<KeyId<'t>, usize>,
    count: usize,
}

impl<'t> FieldTable<'t> {
    /// Lines that are no fields are told apart by their templates where there are some, so that numbers in them do not matter.
    pub(super) fn new(
        structure: &Structure<'t>,
        records: &[Record<'t>],
        templates: Option<&Templates<'_>>,
    ) -> Self {
        let mut table = Self { keys: Vec::new(), ids: FxHashMap::default(), count: records.len() };
        let mut paths: FxHashMap<usize, u64> = FxHashMap::default();
        for (number, record) in (0_u32..).zip(records) {
            paths.clear();
            let names: FxHashSet<usize> = record.names.iter().skip(1).map(|name| name.line).collect();
            let address = record.names.first().map_or("", |name| name.text);
            for line in record.lines.clone() {
                let text = structure.body(line);
                if text.is_empty() {
                    continue;
                }
                let is_head = line == record.lines.start;
                let template = templates.and_then(|templates| templates.of.get(line)).copied();
                let (key, value, template) = if is_head {
                    // What stands beside the name in the head is a value, such as what happens to a resource.
                    ("", text.split_once(address).map_or("", |(_, rest)| rest), 0)
                } else {
                    split(text, template)
                };
                let above =
                    structure.owner(line).and_then(|owner| paths.get(&owner)).copied().unwrap_or_default();
                let id = table.add((above, key, template, 0), number, value);
                // Names in a line that others belong to do not matter.
                let first = text.split_ascii_whitespace().next().unwrap_or_default();
                let step = if template > 0 { table.add((above, first, u32::MAX, 0), number, "") } else { id };
                paths.insert(
                    line,
                    above.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ step as u64 ^ 1 << 40,
                );
                if let Some(key) = table.keys.get_mut(id) {
                    key.names |= !is_head && names.contains(&line);
                }
                if template > 0 {
                    let words = text.split_ascii_whitespace();
                    let numbers = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
                    for (place, word) in numbers.take(tuning().log_records.max_numbers).enumerate() {
                        table.add((above, key, template, place + 1), number, word);
                    }
                }
            }
        }
        table
    }

    /// Adds a value of a record, and returns the number of its key.
    fn add(&mut self, id: KeyId<'t>, record: u32, value: &'t str) -> usize {
        let next = self.ids.len();
        let id = *self.ids.entry(id).or_insert(next);
        if self.keys.len() <= id {
            self.keys.push(Key::default());
        }
        if let Some(key) = self.keys.get_mut(id) {
            key.records.push(record);
            key.values.push(value);
        }
        id
    }

    /// Keeps records that stand out in some key.
    pub(super) fn choose(&self, stays: &mut [bool]) {
        let seldom = 1 + self.count / tuning().log_records.records_per_rare;
        let mut with_rare_keys: FxHashSet<u32> = FxHashSet::default();
        for key in &self.keys {
            let mut owners = key.records.clone();
            owners.dedup();
            if owners.len() <= seldom {
                with_rare_keys.extend(owners);
            } else if !key.names {
                self.rare_values(key, seldom, stays);
                self.missing(&owners, seldom, stays);
            }
        }
        // Keys that are names tell of nothing.
        if with_rare_keys.len() * tuning().log_records.records_per_value
            <= self.count.max(tuning().log_records.max_rare)
        {
            keep(stays, with_rare_keys.into_iter());
        }
    }

    /// Keeps records whose value is rare among few values, tells of trouble, or is an outlier.
    fn rare_values(&self, key: &Key<'_>, seldom: usize, stays: &mut [bool]) {
        let number =
            |(value, record): (&&str, &u32)| Some((table::number(value.trim_matches('"'))?, *record));
        let numbers: Vec<(f32, u32)> = key.values.iter().zip(&key.records).filter_map(number).collect();
        keep(stays, outliers::outliers(&numbers).into_iter());
        let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
        for value in &key.values {
            *counts.entry(value).or_default() += 1;
            if counts.len() > tuning().log_records.max_values {
                return;
            }
        }
        if counts.len() * tuning().log_records.records_per_value > key.values.len() {
            return;
        }
        let is_rare = |value: &str| counts.get(value).is_some_and(|count| *count <= seldom);
        let tells = |value: &str| {
            table::tells_of_trouble(value)
                && counts
                    .get(value)
                    .is_some_and(|count| count * tuning().log_records.records_per_trouble <= key.values.len())
        };
        let found = key.values.iter().zip(&key.records).filter(|(value, _)| is_rare(value) || tells(value));
        keep(stays, found.map(|(_, record)| *record).take(tuning().log_records.max_rare));
    }

    /// Keeps the few records without a key that all others have. `owners` have it.
    fn missing(&self, owners: &[u32], seldom: usize, stays: &mut [bool]) {
        if owners.len() == self.count || owners.len() + seldom < self.count {
            return;
        }
        let without = (0..u32::try_from(self.count).unwrap_or(u32::MAX))
            .filter(|record| owners.binary_search(record).is_err());
        keep(stays, without.take(seldom));
    }
}

/// Splits a line into its key and value, or returns what its template is known by.
fn split(text: &str, template: Option<u32>) -> (&str, &str, u32) {
    // A key with digits is an address or a number.
    let has_digit = |key: &str| key.bytes().any(|byte| byte.is_ascii_digit());
    let field = vertical::field(text).filter(|(key, _)| template.is_none() || !has_digit(key));
    match (field, template) {
        (Some((key, value)), _) => (key, value, 0),
        (None, Some(template)) => ("", "", template + 1),
        // What is quoted is a value, such as the name in `resource "aws_instance" "web" {`.
        (None, None) => {
            let (key, value) = text.split_at(text.find(['"', '\'']).unwrap_or(text.len()));
            (key, value, 0)
        }
    }
}

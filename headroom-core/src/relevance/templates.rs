//! Groups lines into templates: lines that differ only in values have the same template.

use rustc_hash::FxHashMap;

use crate::{
    relevance::features::{LineFeatures, VALUE},
    tuning::tuning,
};

/// Limit on the entries in a table of counts.
const MAX_PLACES: usize = 1 << 20;
const VALUE_SYMBOL: u32 = 1;
const RARE_SYMBOL: u32 = 2;
/// From here on, one symbol for each progress verb.
const PROGRESS_SYMBOL: u32 = 3;

/// Counts by hash, without keys: two hashes in the same slot make both look more frequent.
#[derive(Debug)]
pub(crate) struct Counts(Vec<u16>);

impl Counts {
    fn new(entries: usize) -> Self {
        Self(vec![0; (entries * 2).next_power_of_two().clamp(1 << 10, MAX_PLACES)])
    }

    fn place(&mut self, hash: u32) -> Option<&mut u16> {
        let at = hash as usize & (self.0.len() - 1);
        self.0.get_mut(at)
    }

    fn add(&mut self, hash: u32) {
        if let Some(count) = self.place(hash) {
            *count = count.saturating_add(1);
        }
    }

    /// If at least `least` hashes have been counted fewer than `times` times, counts all and returns `true`.
    fn add_new(&mut self, hashes: impl Iterator<Item = u32> + Clone, least: usize, times: u16) -> bool {
        let new = hashes.clone().filter(|hash| self.get(*hash) < times).take(least).count() == least;
        if new {
            hashes.for_each(|hash| self.add(hash));
        }
        new
    }

    fn get(&self, hash: u32) -> u16 {
        self.0.get(hash as usize & (self.0.len() - 1)).copied().unwrap_or(u16::MAX)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Template {
    pub(crate) count: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

#[derive(Debug)]
pub(crate) struct Templates<'s> {
    features: &'s LineFeatures,
    words: Counts,
    /// Words with at most this count are values too: names, hosts.
    rare_word: u16,
    pub(crate) all: Vec<Template>,
    /// The template of each line.
    pub(crate) of: Vec<u32>,
}

impl<'s> Templates<'s> {
    pub(crate) fn from_features(features: &'s LineFeatures) -> Self {
        let tokens = features.all_tokens();
        let mut words = Counts::new(tokens.len());
        for token in tokens {
            words.add(*token);
        }
        let rare_word = u16::try_from(features.rows.len() / tuning().relevance.lines_per_rare_word)
            .unwrap_or(u16::MAX)
            .saturating_add(1);
        let mut found =
            Self { features, words, rare_word, all: Vec::new(), of: Vec::with_capacity(features.rows.len()) };
        let mut ids: FxHashMap<u64, u32> = FxHashMap::default();
        for (line, index) in (0_u32..).zip(0..features.rows.len()) {
            let hash = found.symbols(index).fold(0, mix);
            let id = *ids.entry(hash).or_insert(u32::try_from(found.all.len()).unwrap_or(u32::MAX));
            match found.all.get_mut(id as usize) {
                Some(template) => {
                    template.count += 1;
                    template.last = line;
                }
                None => found.all.push(Template { count: 1, first: line, last: line }),
            }
            found.of.push(id);
        }
        found
    }

    /// Returns the words of a line, with one symbol for values and one for rare words.
    fn symbols(&self, line: usize) -> impl Iterator<Item = u32> + Clone {
        let row = self.features.rows.get(line);
        let place = row.map_or(0, |row| usize::from(row.place));
        let progress = row.map_or(0, |row| row.progress);
        let mut value = place > 0;
        let start = if progress > 0 {
            Some(PROGRESS_SYMBOL + u32::from(progress))
        } else {
            value.then_some(VALUE_SYMBOL)
        };
        let rest = if progress > 0 { &[] } else { self.features.tokens(line) }.iter().skip(place);
        start.into_iter().chain(rest.filter_map(move |token| {
            let is_value = token & VALUE != 0;
            let again = is_value && value;
            value = is_value;
            if again {
                None
            } else if is_value {
                Some(VALUE_SYMBOL)
            } else if self.words.get(*token) <= self.rare_word {
                Some(RARE_SYMBOL)
            } else {
                Some(*token)
            }
        }))
    }

    /// Returns the hashes of pairs of adjacent words.
    fn pairs(&self, line: usize) -> impl Iterator<Item = u32> + Clone {
        let mut before = 0;
        self.symbols(line).map(move |symbol| {
            let pair = mix(u64::from(before), symbol);
            before = symbol;
            (pair >> 32) as u32
        })
    }

    pub(crate) fn get(&self, line: usize) -> Option<&Template> {
        self.all.get(*self.of.get(line)? as usize)
    }

    /// Counts how often each pair of words occurs.
    pub(crate) fn pair_counts(&self) -> Counts {
        let mut counts = self.shown();
        for line in 0..self.features.rows.len() {
            for pair in self.pairs(line) {
                counts.add(pair);
            }
        }
        counts
    }

    /// Whether the line has a pair of words that occurs at most `most` times.
    pub(crate) fn has_rare_pair(&self, line: usize, counts: &Counts, most: u32) -> bool {
        self.pairs(line).any(|pair| u32::from(counts.get(pair)) <= most)
    }

    /// Returns empty counts of what was shown.
    pub(crate) fn shown(&self) -> Counts {
        Counts::new(self.features.all_tokens().len())
    }

    /// Whether at least `least` words of the line were not shown yet; if so, counts its words as shown.
    pub(crate) fn words_are_new(&self, line: usize, least: usize, shown: &mut Counts) -> bool {
        shown.add_new(self.symbols(line), least, 1)
    }

    /// Whether a pair of words in the line was shown fewer than `times` times; if so, counts its pairs as
    /// shown.
    pub(crate) fn pairs_are_new(&self, line: usize, shown: &mut Counts, times: u16) -> bool {
        shown.add_new(self.pairs(line), 1, times)
    }

    /// Returns the lines of each template, both in order.
    pub(crate) fn lines_by_template(&self) -> impl Iterator<Item = Vec<u32>> {
        let mut lines: Vec<Vec<u32>> =
            self.all.iter().map(|template| Vec::with_capacity(template.count as usize)).collect();
        for (line, template) in (0_u32..).zip(&self.of) {
            if let Some(lines) = lines.get_mut(*template as usize) {
                lines.push(line);
            }
        }
        lines.into_iter()
    }
}

fn mix(hash: u64, symbol: u32) -> u64 {
    (hash.rotate_left(5) ^ u64::from(symbol)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

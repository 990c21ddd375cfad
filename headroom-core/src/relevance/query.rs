//! Matches lines against the terms of the question and of the call.

use std::{borrow::Borrow, collections::BTreeSet, sync::LazyLock};

use rustc_hash::{FxHashMap, FxHashSet};

use headroom_json::{Tape, Text};

use crate::{
    relevance::{
        Query,
        features::{LineFeatures, VALUE, hash},
        severity::{self, SeverityWords},
    },
    tuning::tuning,
};

/// Limit on the terms of the question, and on those of the call: each term has one bit in the mask of a line.
const MAX_TERMS: usize = 64;
/// Limit on the bytes read at each end of a question.
const MAX_SIDE_BYTES: usize = 4096;
const STOP_WORDS: &str = "\
    an as at be by do if in is it no of on or so to we about above after again all also and any are because been before being below between both but can check could \
    did does doing don done during each every few find fix for from further get give had has have having help here \
    how into investigate its just know let like list look make may more most much must need new not now off once \
    one only other our out over own please run same see should show some such sure take tell than that the their \
    them then there these they this those through too try two under until use used uses using very want was way we \
    were what when where which while who why will with work works would you your";
/// Their hashes, which every query looks into.
static STOP: LazyLock<FxHashSet<u32>> = LazyLock::new(|| STOP_WORDS.split(' ').map(hash).collect());

/// One term of the query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Term {
    /// Whether it is a plain word rather than an identifier, path or number, which sort first.
    plain: bool,
    /// Whether it counts only if it is in few lines: a word of the question or part of a name. Words of a call, such
    /// as a search, are closer to the text.
    narrow: bool,
    /// Whether it names a severity, which says little about which of the severe lines are meant.
    names_severity: bool,
    tokens: Vec<u32>,
}

/// The lines that match the query.
#[derive(Debug)]
pub(crate) struct Hits {
    /// The different sets of terms that lines have, as bits; the first is empty.
    sets: Vec<u128>,
    /// The set of each line.
    of: Vec<u32>,
    terms: Vec<Term>,
    /// How many lines each term is in.
    counts: Vec<u32>,
}

impl Hits {
    pub(crate) fn new(features: &LineFeatures, query: &Query<'_>) -> Self {
        Self::across([features], query)
    }

    /// Matches the lines of several texts, in sequence.
    pub(crate) fn across<S: Borrow<LineFeatures>>(
        surveys: impl IntoIterator<Item = S>,
        query: &Query<'_>,
    ) -> Self {
        let terms = terms(query);
        let mut index: FxHashMap<u32, Vec<(usize, &[u32])>> = FxHashMap::default();
        let mut filter = [0_u64; 64];
        for (bit, term) in terms.iter().enumerate() {
            let Some((first, rest)) = term.tokens.split_first() else { continue };
            index.entry(*first).or_default().push((bit, rest));
            if let Some(bits) = filter.get_mut((first >> 6 & 63) as usize) {
                *bits |= 1 << (first & 63);
            }
        }
        let mut sets = vec![0_u128];
        let mut numbers: FxHashMap<u128, u32> = FxHashMap::default();
        let mut of: Vec<u32> = Vec::new();
        let mut counts = vec![0; terms.len()];
        for features in surveys {
            let features = features.borrow();
            of.reserve_exact(features.rows.len());
            of.extend((0..features.rows.len()).map(|line| {
                let mut mask = 0_u128;
                let tokens = if index.is_empty() { &[] } else { features.tokens(line) };
                for (at, token) in tokens.iter().enumerate() {
                    let token = token & !VALUE;
                    if filter.get((token >> 6 & 63) as usize).is_none_or(|bits| bits >> (token & 63) & 1 == 0)
                    {
                        continue;
                    }
                    for (bit, rest) in index.get(&token).into_iter().flatten() {
                        let next =
                            tokens.get(at + 1..).unwrap_or_default().iter().map(|token| token & !VALUE);
                        if next.take(rest.len()).eq(rest.iter().copied()) {
                            mask |= 1 << bit;
                        }
                    }
                }
                let mut bits = mask;
                while bits != 0 {
                    if let Some(count) = counts.get_mut(bits.trailing_zeros() as usize) {
                        *count += 1;
                    }
                    bits &= bits - 1;
                }
                if mask == 0 {
                    return 0;
                }
                *numbers.entry(mask).or_insert_with(|| {
                    sets.push(mask);
                    u32::try_from(sets.len() - 1).unwrap_or(0)
                })
            }));
        }
        Self { sets, of, terms, counts }
    }

    /// Returns the bits of the terms for which `pass` holds, given the number of lines with the term.
    fn bits(&self, pass: impl Fn(&Term, u32) -> bool) -> u128 {
        self.terms
            .iter()
            .zip(&self.counts)
            .enumerate()
            .filter(|(_, (term, count))| pass(term, **count))
            .fold(0, |bits, (bit, _)| bits | 1 << bit)
    }

    /// Returns the lines with a term that is not all over the text.
    pub(crate) fn named(&self) -> impl Iterator<Item = usize> {
        let numbers = &tuning().relevance;
        let lines = u32::try_from(self.of.len()).unwrap_or(u32::MAX);
        let bits = self.bits(|term, count| {
            let is_narrow = term.plain && (term.narrow || term.names_severity);
            let share = if is_narrow { numbers.lines_per_narrow_term } else { numbers.lines_per_term };
            count <= (lines / share).max(numbers.min_lines_of_term)
        });
        self.lines_with(bits)
    }

    /// Returns the lines with any term that most lines lack.
    pub(crate) fn related(&self) -> impl Iterator<Item = usize> {
        let lines = self.of.len();
        self.lines_with(self.bits(|term, count| is_related(count, lines) && !term.names_severity))
    }

    /// Returns the best matching lines. Rarer terms weigh more.
    pub(crate) fn best(&self, most: usize) -> Vec<usize> {
        let lines = self.of.len();
        let bits = self.bits(|_, count| is_related(count, lines));
        let weights: Vec<u32> = self.counts.iter().map(|count| weight(lines, *count)).collect();
        let score = |mask: u128| {
            let mut bits = mask & bits;
            let mut score = 0;
            while bits != 0 {
                score += weights.get(bits.trailing_zeros() as usize).copied().unwrap_or_default();
                bits &= bits - 1;
            }
            score
        };
        let scores: Vec<u32> = self.sets.iter().map(|mask| score(*mask)).collect();
        let score = |set: &u32| scores.get(*set as usize).copied().unwrap_or_default();
        let mut scored: Vec<(u32, u32)> = (0_u32..)
            .zip(&self.of)
            .map(|(line, set)| (score(set), line))
            .filter(|(score, _)| *score > 0)
            .collect();
        scored.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut best = Vec::new();
        for group in scored.chunk_by(|a, b| a.0 == b.0) {
            if best.len() + group.len() > most {
                break;
            }
            best.extend(group.iter().map(|(_, line)| *line as usize));
        }
        best
    }

    /// Returns the lines with an identifier, path or number that occurs in at most `identifiers` lines, or with a word
    /// that occurs in at most `words` lines.
    pub(crate) fn named_within(&self, identifiers: usize, words: usize) -> impl Iterator<Item = usize> {
        let numbers = &tuning().relevance;
        let narrow = words.min(
            (self.of.len() / numbers.lines_per_narrow_term as usize).max(numbers.min_lines_of_term as usize),
        );
        let bits = self.bits(|term, count| {
            let most = match (term.plain, term.narrow || term.names_severity) {
                (false, _) => identifiers,
                (true, false) => words,
                (true, true) => narrow,
            };
            count as usize <= most
        });
        self.lines_with(bits)
    }

    /// Scores each line: the sum of the weights of its terms, except those that nearly all lines have.
    pub(crate) fn scores(&self) -> Vec<u32> {
        let lines = self.of.len();
        let telling = |count: u32| count as usize * 100 <= lines * tuning().relevance.max_scored;
        let weights: Vec<u32> =
            self.counts.iter().map(|count| if telling(*count) { weight(lines, *count) } else { 0 }).collect();
        let score = |mask: &u128| {
            let mut bits = *mask;
            let mut score = 0;
            while bits != 0 {
                score += weights.get(bits.trailing_zeros() as usize).copied().unwrap_or_default();
                bits &= bits - 1;
            }
            score
        };
        let scores: Vec<u32> = self.sets.iter().map(score).collect();
        self.of.iter().map(|set| scores.get(*set as usize).copied().unwrap_or_default()).collect()
    }

    fn lines_with(&self, bits: u128) -> impl Iterator<Item = usize> {
        let has: Vec<bool> = self.sets.iter().map(|set| set & bits != 0).collect();
        let lines = self.of.iter().enumerate();
        lines.filter(move |(_, set)| has.get(**set as usize) == Some(&true)).map(|(line, _)| line)
    }
}

/// Whether few enough lines have a term for it to be related to them.
fn is_related(count: u32, lines: usize) -> bool {
    count as usize * 100 <= lines * tuning().relevance.max_related
}

/// Returns the BM25 weight of a term, in thousandths.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small"
)]
fn weight(lines: usize, hits: u32) -> u32 {
    let (lines, hits) = (lines as f64, f64::from(hits));
    (((lines - hits + 0.5) / (hits + 0.5)).ln_1p() * 1000.0) as u32
}

fn terms(query: &Query<'_>) -> Vec<Term> {
    let mut found = TermCollector { words: SeverityWords::all(), terms: BTreeSet::new(), asked: false };
    if let Some(arguments) = query.arguments {
        found.arguments(arguments);
    }
    let mut terms: Vec<Term> = std::mem::take(&mut found.terms).into_iter().take(MAX_TERMS).collect();
    if let Some(question) = query.question {
        found.asked = true;
        found.text(question);
    }
    terms.extend(found.terms.into_iter().take(MAX_TERMS));
    terms
}

struct TermCollector {
    words: &'static SeverityWords,
    terms: BTreeSet<Term>,
    asked: bool,
}

impl TermCollector {
    fn arguments(&mut self, arguments: &str) {
        match Tape::parse(arguments) {
            Ok(tape) if tape.root().is_object() => {
                for text in tape.root().strings().filter_map(Text::decode) {
                    self.text(&text);
                }
                for number in arguments.split(|c: char| !c.is_ascii_alphanumeric()) {
                    if number.len() >= 3 && number.bytes().all(|byte| byte.is_ascii_digit()) {
                        self.add(number);
                    }
                }
            }
            _ => self.text(arguments),
        }
    }

    fn text(&mut self, text: &str) {
        if text.len() <= 2 * MAX_SIDE_BYTES {
            self.chunks(text);
            return;
        }
        let mut starts = (0..=MAX_SIDE_BYTES).rev().filter_map(|end| text.get(..end));
        self.chunks(starts.next().unwrap_or_default());
        let mut ends = (text.len() - MAX_SIDE_BYTES..text.len()).filter_map(|start| text.get(start..));
        self.chunks(ends.next().unwrap_or_default());
    }

    fn chunks(&mut self, text: &str) {
        let ends = |c: char| c.is_whitespace() || "\"'`,;()[]{}<>|=".contains(c);
        for chunk in text.split(ends) {
            let chunk = chunk.trim_matches(|c: char| ".:?!*&^$-".contains(c));
            self.add(chunk);
            if let Some((_, name)) = chunk.rsplit_once(['/', '\\']) {
                self.add(name);
            }
        }
    }

    /// Adds a term and those of its parts that are words.
    fn add(&mut self, chunk: &str) {
        let tokens = LineFeatures::tokens_of(chunk);
        let is_ascii = chunk.is_ascii();
        if tokens.len() > 1 && is_ascii && tokens.len() <= 32 {
            self.insert(false, false, tokens.iter().map(|token| token & !VALUE).collect());
            for part in chunk.split(|c: char| !c.is_ascii_alphanumeric()) {
                if part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    self.word(part, true);
                }
            }
        } else if tokens.len() > 1 {
            for pair in tokens.windows(2) {
                self.insert(true, self.asked, pair.iter().map(|token| token & !VALUE).collect());
            }
        } else if let [token] = tokens.as_slice() {
            let shaped = token & VALUE != 0 || chunk.chars().skip(1).any(char::is_uppercase);
            if shaped && chunk.len() >= 2 && !STOP.contains(token) {
                self.insert(false, false, vec![token & !VALUE]);
            } else if chunk.len() >= 3 {
                self.word(chunk, self.asked);
            }
        }
    }

    fn word(&mut self, word: &str, narrow: bool) {
        let token = hash(word);
        if STOP.contains(&token) {
            return;
        }
        self.insert(true, narrow, vec![token]);
        if word.len() >= 4 {
            let other = word.strip_suffix(['s', 'S']).map_or_else(|| format!("{word}s"), str::to_owned);
            self.insert(true, narrow, vec![hash(&other)]);
        }
    }

    fn insert(&mut self, plain: bool, narrow: bool, tokens: Vec<u32>) {
        let grave = matches!(tokens.as_slice(), [token] if severity::is_word(self.words, *token));
        self.terms.insert(Term { plain, narrow, names_severity: grave, tokens });
    }
}

//! Ranks the units of a text by their relevance to the query.
//!
//! Okapi BM25 with frequencies from the text itself (Robertson & Zaragoza, "The Probabilistic Relevance Framework",
//! 2009) scores each unit. Units near a good match score too, less with each step away, since answers are next to the
//! words of their question; and so do units that say something no other unit says.

use super::outline::{ProseUnit, ProseUnitKind};
use crate::{
    relevance::words::{Stem, Terms, stems},
    tuning::tuning,
};

/// Minimum and maximum number of word counters; in a text with many words, words share counters.
const COUNTERS: (usize, usize) = (1 << 10, 1 << 15);

/// The ranking of a text's units.
#[derive(Debug)]
pub(super) struct Ranking {
    /// The value of each unit per byte; higher is better.
    pub(super) scores: Vec<u64>,
    /// Number of terms that discriminate between units.
    pub(super) telling: usize,
}

struct WordCounts {
    stems: Vec<Stem>,
    /// The end of each unit's words.
    ends: Vec<usize>,
    /// Number of units that contain each word.
    counts: Vec<u32>,
}

impl WordCounts {
    fn new(text: &str, units: &[ProseUnit]) -> Self {
        let counters = (text.len() / 4).next_power_of_two().clamp(COUNTERS.0, COUNTERS.1);
        let mut words = Self {
            stems: Vec::with_capacity(text.len() / 6),
            ends: Vec::with_capacity(units.len()),
            counts: vec![0; counters],
        };
        // The last unit counted by each counter, from one.
        let mut last = vec![0_u32; counters];
        for (number, unit) in (1..).zip(units) {
            stems(text.get(unit.bytes.clone()).unwrap_or_default(), |stem| {
                words.stems.push(stem);
                let slot = stem as usize & (counters - 1);
                if let (Some(last), Some(count)) = (last.get_mut(slot), words.counts.get_mut(slot))
                    && *last != number
                {
                    *last = number;
                    *count += 1;
                }
            });
            words.ends.push(words.stems.len());
        }
        words
    }

    fn units(&self) -> impl Iterator<Item = &[Stem]> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let words = self.stems.get(from..*end).unwrap_or_default();
            from = *end;
            words
        })
    }

    fn count(&self, stem: Stem) -> u32 {
        self.counts.get(self.slot(stem)).copied().unwrap_or_default()
    }

    fn slot(&self, stem: Stem) -> usize {
        stem as usize & (self.counts.len() - 1)
    }
}

impl Ranking {
    pub(super) fn new(text: &str, units: &[ProseUnit], terms: &Terms) -> Self {
        let words = WordCounts::new(text, units);
        let weights: Vec<f64> =
            (0..=units.len().min(COUNTERS.1)).map(|count| weight(units.len(), count)).collect();
        let weight_of = |stem| {
            let count = words.count(stem) as usize;
            weights.get(count).copied().unwrap_or_else(|| weight(units.len(), count))
        };
        let average = words.stems.len() as f64 / units.len().max(1) as f64;
        let mut telling = 0_u64;
        let own: Vec<f64> = words
            .units()
            .map(|unit| {
                let mut counts = [0_u32; 64];
                let mut score = 0.0;
                for (bit, stem) in unit.iter().filter_map(|stem| Some((terms.bit(*stem)?, *stem))) {
                    let Some(count) = counts.get_mut(bit as usize) else { continue };
                    let before = saturated(*count, unit.len(), average);
                    *count += 1;
                    score += weight_of(stem) * (saturated(*count, unit.len(), average) - before);
                    if words.count(stem) as usize * 100 <= units.len() * tuning().prose.max_units_with_term {
                        telling |= 1 << bit;
                    }
                }
                score
            })
            .collect();
        let nearby = nearby(&own, units);
        // Repeated words are not new.
        let mut seen = vec![false; words.counts.len()];
        let mut news = |stem: Stem| {
            let was_seen = seen.get_mut(words.slot(stem)).is_some_and(|seen| std::mem::replace(seen, true));
            if was_seen { weight_of(stem) / 2.0 } else { weight_of(stem) }
        };
        let scored = words.units().zip(units).zip(own.iter().zip(&nearby));
        let scored = scored.map(|((said, unit), (own, nearby))| {
            let rare = stepped_ln_1p(said.iter().map(|stem| news(*stem)).sum());
            let cost = (tuning().prose.unit_cost + unit.bytes.len() as f64).sqrt().sqrt();
            thousandths(
                (own + tuning().prose.nearby_weight * nearby + tuning().prose.rare_weight * rare) / cost,
            )
        });
        let scores = scored.collect();
        Self { scores, telling: telling.count_ones() as usize }
    }
}

/// Returns the best match near each unit, in both directions, decreasing with each step.
fn nearby(own: &[f64], units: &[ProseUnit]) -> Vec<f64> {
    let share = |one: &ProseUnit, other: &ProseUnit| match (one.kind, other.kind) {
        (ProseUnitKind::Turn, _) | (_, ProseUnitKind::Turn) => tuning().prose.next_turn,
        _ if one.paragraph == other.paragraph => tuning().prose.near,
        _ => tuning().prose.next_paragraph,
    };
    let mut sums = own.to_vec();
    let mut carried: f64 = 0.0;
    let mut before: Option<&ProseUnit> = None;
    let named = own.iter().copied().fold(0.0, f64::max) * tuning().prose.named_heading;
    let mut section: f64 = 0.0;
    for ((sum, own), unit) in sums.iter_mut().zip(own).zip(units) {
        if unit.kind == ProseUnitKind::Heading {
            section = if *own >= named { *own * tuning().prose.near } else { 0.0 };
        }
        carried = own.max(carried * before.map_or(0.0, |before| share(before, unit)));
        *sum = carried.max(section);
        before = Some(unit);
    }
    (carried, before) = (0.0, None);
    for ((sum, own), unit) in sums.iter_mut().zip(own).zip(units).rev() {
        carried = own.max(carried * before.map_or(0.0, |before| share(before, unit)));
        *sum += carried;
        before = Some(unit);
    }
    sums
}

/// Returns the saturated score of the first `count` occurrences in a unit of this many words.
fn saturated(count: u32, words: usize, average: f64) -> f64 {
    let count = f64::from(count);
    let length = words as f64 / average.max(1.0);
    count * (tuning().prose.bm25_k1 + 1.0)
        / (count + tuning().prose.bm25_k1 * (1.0 - tuning().prose.bm25_b + tuning().prose.bm25_b * length))
}

/// Returns the weight of a word that `count` units contain.
fn weight(units: usize, count: usize) -> f64 {
    let (units, count) = (units as f64, count as f64);
    stepped_ln_1p((units - count + 0.5).max(0.5) / (count + 0.5))
}

/// Returns a logarithm in thousandths, since its last digits differ between machines.
fn stepped_ln_1p(value: f64) -> f64 {
    (value.ln_1p() * 1000.0).floor() / 1000.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "scores are small and positive")]
fn thousandths(score: f64) -> u64 {
    (score * 1000.0) as u64
}

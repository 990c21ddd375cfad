//! The token counter by kind and size, on texts that it has counted before and on texts with words that it has not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::{cell::Cell, fmt};

use divan::{Bencher, black_box, counter::BytesCount};
use headroom_core::Vocabulary;
use headroom_tests::output::Output;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Json,
    Log,
    Search,
    Code,
    Prose,
    /// Hashes: no word occurs twice, and few are in the vocabulary.
    Hashes,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Kind {
    const ALL: [Self; 6] = [Self::Json, Self::Log, Self::Search, Self::Code, Self::Prose, Self::Hashes];

    /// A text of this many bytes.
    fn text(self, size: usize, seed: u64) -> String {
        let piece = |at: usize| match self {
            Self::Json => Output::Records.text(50, seed + at as u64, None),
            Self::Log => Output::ServerLog.text(50, seed + at as u64, None),
            Self::Search => Output::Search.text(50, seed + at as u64, None),
            Self::Code => format!(
                "/// Returns the tide of reef {at}.\npub fn tide_of_reef_{at}(&self, hours: u32) -> Option<f64> {{\n    let level = self.levels.get(hours as usize)?;\n    (level > &0.5).then(|| level * {at}.25)\n}}\n\n"
            ),
            Self::Prose => format!(
                "At {} o'clock the keeper of the harbour wrote down wind and tide for the board, as he'd done for years. ",
                at % 24
            ),
            Self::Hashes => format!("{:016x} ", (at as u64 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        };
        let mut text = String::new();
        for at in 0.. {
            if text.len() >= size {
                break;
            }
            text.push_str(&piece(at));
        }
        let end = (0..=size).rev().find(|end| text.is_char_boundary(*end)).unwrap();
        text.truncate(end);
        text
    }
}

#[divan::bench(args = Kind::ALL, consts = SIZES)]
fn o200k_base<const SIZE: usize>(bencher: Bencher<'_, '_>, kind: Kind) {
    let text = kind.text(SIZE, 3);
    bencher.counter(BytesCount::new(text.len())).bench(|| Vocabulary::O200kBase.count(black_box(&text)));
}

#[divan::bench(args = Kind::ALL, consts = SIZES)]
fn cl100k_base<const SIZE: usize>(bencher: Bencher<'_, '_>, kind: Kind) {
    let text = kind.text(SIZE, 3);
    bencher.counter(BytesCount::new(text.len())).bench(|| Vocabulary::Cl100kBase.count(black_box(&text)));
}

/// Each text is another.
#[divan::bench(args = Kind::ALL, consts = SIZES, sample_count = 20, sample_size = 1)]
fn o200k_base_fresh<const SIZE: usize>(bencher: Bencher<'_, '_>, kind: Kind) {
    let seed = Cell::new(1000);
    let next = || {
        seed.set(seed.get() + 100);
        kind.text(SIZE, seed.get())
    };
    bencher
        .counter(BytesCount::new(SIZE))
        .with_inputs(next)
        .bench_local_refs(|text| Vocabulary::O200kBase.count(black_box(text)));
}

//! What later answers need of results that epochs shrank.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{BlockKind, ContextBlock, Node, RecordedSession, as_text, json};

/// So many identifiers that stand nowhere else, and the model would ask for the result. One alone is as likely a word that
/// it made up.
const ASKED: usize = 2;
/// Shorter words are in too many texts.
const MIN_WORD: usize = 6;
/// Shorter numbers are counts.
const MIN_NUMBER: usize = 4;

/// A request whose epochs are not those of the request before.
#[derive(Clone, Debug, Default)]
pub struct EpochState {
    /// The request.
    pub request: usize,
    /// The results that epochs shrank, and what is left of their text.
    pub shrunk: Vec<(u32, String)>,
}

/// What later answers needed of shrunk results.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Results that shrank.
    pub shrunk: BTreeSet<u32>,
    /// The results that each answer would have asked for, by its request.
    pub asked: BTreeMap<usize, Vec<u32>>,
    /// Identifiers of results that answers behind an epoch used, each counted once until the next.
    pub used: usize,
    /// Those of them that the request still showed.
    pub visible: usize,
}

impl Needs {
    /// Returns the results that were asked for, each once.
    #[must_use]
    pub fn asked_back(&self) -> BTreeSet<u32> {
        self.asked.values().flatten().copied().collect()
    }
}

/// Hashes of identifiers.
type Words = HashSet<u64>;

/// What a request shows, and what it does not.
#[derive(Default)]
struct View {
    /// Identifiers that shrunk results lack now.
    gone: BTreeMap<u32, Words>,
    /// The identifiers of results.
    known: Words,
    /// Identifiers that the request shows.
    shown: Words,
    /// Blocks that were read.
    seen: HashSet<u32>,
    counted: Words,
}

impl RecordedSession {
    /// Returns what later answers needed of the results that these epochs shrank: an answer that uses two identifiers or
    /// more that stand in no other block would have asked for the result.
    #[must_use]
    pub fn needs(&self, epochs: &[EpochState]) -> Needs {
        let mut needs = Needs::default();
        let mut words: HashMap<u32, Words> = HashMap::new();
        let mut of = |id: u32| {
            words.entry(id).or_insert_with(|| self.block(id).map(words_of).unwrap_or_default()).clone()
        };
        let mut states = epochs.iter().peekable();
        let mut view = View::default();
        let mut segment = 0;
        for (at, request) in self.requests.iter().enumerate() {
            if request.segment != segment {
                (segment, view) = (request.segment, View::default());
            }
            if let Some(state) = states.next_if(|state| state.request == at) {
                view = View::default();
                for (id, rest) in &state.shrunk {
                    let (all, rest) = (of(*id), identifiers(rest));
                    view.gone.insert(*id, all.difference(&rest).copied().collect());
                    view.known.extend(all);
                    view.shown.extend(rest);
                    needs.shrunk.insert(*id);
                }
            }
            if view.gone.is_empty() {
                continue;
            }
            for id in &request.context {
                let kind = self.block(*id).map(|block| block.kind);
                if kind == Some(BlockKind::Thinking) || !view.seen.insert(*id) || view.gone.contains_key(id) {
                    continue;
                }
                view.shown.extend(of(*id));
                if kind == Some(BlockKind::Result) {
                    view.known.extend(of(*id));
                }
            }
            let mut said = Words::new();
            for id in &request.outputs {
                let block = self.block(*id).map(|block| block.kind);
                if matches!(block, Some(BlockKind::Assistant | BlockKind::Call)) {
                    said.extend(of(*id));
                }
            }
            view.answer(at, said, &mut needs, &mut of);
        }
        needs
    }
}

impl View {
    /// Notes what an answer used.
    fn answer(&mut self, at: usize, said: Words, needs: &mut Needs, of: &mut impl FnMut(u32) -> Words) {
        let facts: Vec<u64> = said.iter().filter(|word| self.known.contains(word)).copied().collect();
        for word in facts {
            if self.counted.insert(word) {
                needs.used += 1;
                needs.visible += usize::from(self.shown.contains(&word));
            }
        }
        let mut wanted: Words = said.difference(&self.shown).copied().collect();
        let mut asked = Vec::new();
        // The newest result is the one that the model means.
        for (id, gone) in self.gone.iter().rev() {
            let found: Vec<u64> = gone.intersection(&wanted).copied().collect();
            if found.len() >= ASKED {
                asked.push(*id);
            }
            found.iter().for_each(|word| _ = wanted.remove(word));
        }
        for id in &asked {
            self.gone.remove(id);
            self.shown.extend(of(*id));
        }
        self.shown.extend(said);
        if !asked.is_empty() {
            needs.asked.insert(at, asked);
        }
    }
}

/// Returns the identifiers of a block.
fn words_of(block: &ContextBlock) -> Words {
    let Ok(node) = serde_json::from_str::<Node>(&block.json) else { return Words::new() };
    let text = node.get("text").or_else(|| node.get("content")).or_else(|| node.get("output"));
    let call = node.get("input").or_else(|| node.get("arguments")).or_else(|| node.get("action"));
    match (block.kind, call) {
        (BlockKind::Call, Some(Node::Text(text))) => identifiers(text),
        (BlockKind::Call, Some(call)) => identifiers(&json(call)),
        _ => identifiers(&as_text(text)),
    }
}

/// Returns the words of a text that name something: long numbers, and words with a digit, an underscore or a capital
/// inside.
fn identifiers(text: &str) -> Words {
    let text = text.replace("\\n", " ");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| names(word)).map(hash).collect()
}

fn names(word: &str) -> bool {
    let bytes = word.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit) {
        return bytes.len() >= MIN_NUMBER;
    }
    bytes.len() >= MIN_WORD
        && (bytes.iter().any(|byte| *byte == b'_' || byte.is_ascii_digit())
            || bytes.iter().skip(1).any(u8::is_ascii_uppercase))
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

//! Leaves words of prose out, chosen by a model that scores tokens.

mod keep;
mod tokens;
mod windows;
mod words;

use std::{
    fmt, fs,
    num::NonZeroUsize,
    ops::Range,
    path::{Path, PathBuf},
};

use headroom_core::TokenPruner;

use self::{tokens::Tokens, windows::Window, words::Word};
use crate::{
    ModelError, Runtime,
    runtime::{Input, Session, Source},
};

/// Maximum number of windows in one run of the model.
const BATCH_WINDOWS: usize = 8;
/// A word is kept if one of its tokens has a higher score.
const THRESHOLD: f32 = 0.5;
/// Longer texts are left alone: a model of this kind reads some kilobytes a second.
const MAX_BYTES: usize = 32 << 10;

/// Options for loading a [`Kompress`].
///
/// # Example
///
/// ```
/// use headroom_model::{KompressOptions, Runtime};
///
/// let options = KompressOptions::new().runtime(Runtime::Rust).threads(2);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct KompressOptions {
    runtime: Runtime,
    threads: usize,
}

impl KompressOptions {
    /// Returns the defaults: the Rust runtime, one thread.
    pub const fn new() -> Self {
        Self { runtime: Runtime::Rust, threads: 1 }
    }

    /// Sets the runtime.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = runtime;
        self
    }

    /// Sets the number of threads per text; 0 counts as one.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }
}

impl Default for KompressOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A token pruner for prose, for [`EngineBuilder::token_pruner`]: a model that scores the tokens of a text, such as
/// [`kompress-v2-base`](https://huggingface.co/chopratejas/kompress-v2-base).
///
/// The model has the inputs `input_ids` and `attention_mask` (integers, batch by sequence) and the output
/// `final_scores` (32-bit floats, likewise). A word is kept if one of its tokens has a score above 0.5. Regardless of
/// its score, it is kept if it
///
/// - has a digit, a capital letter, or a character of code, paths, flags or addresses,
/// - negates, limits, counts or expresses modality (`not`, `only`, `few`, `should`), or directly follows a negation,
/// - ends a sentence or a clause, or is quoted,
/// - is in a heading, a table or a block of code, or in a script that the model was not trained on.
///
/// Line breaks are kept. Texts are read in windows of up to 350 words and 512 tokens; a word that fits in no window is
/// kept. Texts over 32 KiB are left alone.
///
/// The result no longer quotes the text word for word. Therefore this is never on by default, and the marker before the
/// result refers to the whole text.
///
/// [`EngineBuilder::token_pruner`]: headroom_core::EngineBuilder::token_pruner
///
/// # Example
///
/// ```no_run
/// use headroom_core::Engine;
/// use headroom_model::{Kompress, KompressOptions};
///
/// # fn main() -> Result<(), headroom_model::ModelError> {
/// let kompress = Kompress::load("/var/lib/models/kompress-v2-base", &KompressOptions::new())?;
/// let headroom = Engine::builder().token_pruner(kompress).build();
/// # Ok(())
/// # }
/// ```
pub struct Kompress {
    name: String,
    session: Box<dyn Session>,
    tokens: Tokens,
}

impl Kompress {
    /// Loads the model and the tokenizer from a folder, and runs the model once.
    ///
    /// The folder holds `tokenizer.json` and one file that ends in `.onnx`, or several, one of them named `model.onnx`.
    ///
    /// # Errors
    ///
    /// Fails if a file is missing or cannot be read, or if the runtime cannot run the model. Build the engine without
    /// the model then, and keep it so: adding the model later would change blocks that were sent already.
    pub fn load(folder: impl AsRef<Path>, options: &KompressOptions) -> Result<Self, ModelError> {
        let folder = folder.as_ref();
        let tokens = Tokens::load(&folder.join("tokenizer.json"))?;
        let model = model_in(folder)?;
        let threads = NonZeroUsize::new(options.threads).unwrap_or(NonZeroUsize::MIN).get();
        let name = model.display().to_string();
        let session = options.runtime.open(&name, Source::File(model), threads)?;
        let loaded = Self { name, session, tokens };
        let failed = |message| ModelError::Model {
            name: loaded.name.clone(),
            runtime: options.runtime.as_str(),
            message,
        };
        loaded.scores("A first run.").map(drop).map_err(failed)?;
        Ok(loaded)
    }

    /// Scores every word of a text from 0 to 1; `None` for words that no window holds.
    fn scores(&self, text: &str) -> Result<Vec<(Word, Option<f32>)>, String> {
        let words = words::split(text);
        let texts: Vec<&str> =
            words.iter().map(|word| text.get(word.range.clone()).unwrap_or_default()).collect();
        let by_word = self.tokens.encode(&texts)?;
        let windows = windows::split(&by_word, self.tokens.room());
        let mut scored: Vec<(Word, Option<f32>)> = words.into_iter().map(|word| (word, None)).collect();
        // Windows of different texts are never batched: how a quantised model rounds depends on the whole batch.
        for batch in windows.chunks(BATCH_WINDOWS) {
            let found = self.run(batch, &by_word)?;
            for (window, scores) in batch.iter().zip(found) {
                for (word, tokens) in
                    scored.get_mut(window.clone()).unwrap_or_default().iter_mut().zip(scores)
                {
                    word.1 = Some(tokens);
                }
            }
        }
        Ok(scored)
    }

    /// Scores the words of each window.
    fn run(&self, batch: &[Window], by_word: &[Vec<i32>]) -> Result<Vec<Vec<f32>>, String> {
        let rows: Vec<Vec<i32>> = batch
            .iter()
            .map(|window| self.tokens.framed(by_word.get(window.clone()).unwrap_or_default()))
            .collect();
        let longest = rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut ids = Vec::with_capacity(rows.len() * longest);
        let mut mask = Vec::with_capacity(rows.len() * longest);
        for row in &rows {
            let padding = longest - row.len();
            ids.extend(row.iter().copied().chain(std::iter::repeat_n(self.tokens.padding(), padding)));
            mask.extend(row.iter().map(|_| 1).chain(std::iter::repeat_n(0, padding)));
        }
        let inputs = [
            Input { name: "input_ids", rows: rows.len(), values: &ids },
            Input { name: "attention_mask", rows: rows.len(), values: &mask },
        ];
        let scores = self.session.run(&inputs, "final_scores")?;
        if scores.len() != ids.len() {
            return Err(format!("it gave {} scores for {} tokens", scores.len(), ids.len()));
        }
        let of_window = |(window, scores): (&Window, &[f32])| {
            let mut scores = scores.iter().skip(self.tokens.before());
            let words = by_word.get(window.clone()).unwrap_or_default();
            let best = |tokens: &Vec<i32>| scores.by_ref().take(tokens.len()).copied().fold(0.0, f32::max);
            words.iter().map(best).collect()
        };
        Ok(batch.iter().zip(scores.chunks_exact(longest.max(1))).map(of_window).collect())
    }
}

impl TokenPruner for Kompress {
    fn prune(&self, text: &str) -> Option<Vec<Range<usize>>> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let scored = self.scores(text).ok()?;
        let (words, scores): (Vec<Word>, Vec<Option<f32>>) = scored.into_iter().unzip();
        let mut kept = keep::protected(text, &words);
        for (kept, score) in kept.iter_mut().zip(scores) {
            // A word is left out only if its score is known and is a number.
            *kept |= !score.is_some_and(|score| score <= THRESHOLD);
        }
        Some(words::left_out(&words, &kept))
    }
}

impl fmt::Debug for Kompress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kompress").field("model", &self.name).field("session", &self.session).finish()
    }
}

/// Finds the model file in the folder.
fn model_in(folder: &Path) -> Result<PathBuf, ModelError> {
    let named = folder.join("model.onnx");
    if named.is_file() {
        return Ok(named);
    }
    let read = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let files = read.map_err(|source| ModelError::Read { path: folder.to_owned(), source })?;
    let mut models = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "onnx"));
    match (models.next(), models.count()) {
        (Some(model), 0) => Ok(model),
        (first, more) => {
            Err(ModelError::NoModel { folder: folder.to_owned(), found: usize::from(first.is_some()) + more })
        }
    }
}

#[cfg(test)]
mod tests;

//! Classifies texts with the Magika model.

mod features;

use std::{fmt, sync::OnceLock};

use headroom_core::{Classification, Classifier};

use crate::{
    ModelError, Runtime,
    runtime::{Input, Session, Source},
};

const NAME: &str = "magika-standard_v3_3";
const MODEL: &[u8] = include_bytes!("../../models/magika-standard_v3_3/model.onnx");
const LABELS: &str = include_str!("../../models/magika-standard_v3_3/labels.txt");
/// Below this score the model is wrong more often than classification by structure.
const MIN_SCORE: f32 = 0.9;

/// Classifies texts with [Magika](https://github.com/google/magika), for [`EngineBuilder::classifier`].
///
/// The model (`standard_v3_3`) is in the binary and is loaded when the first text is classified. It reads the first and
/// last kilobyte of a text and knows 214 formats. Only Markdown and the languages that the engine parses lead to a
/// classification, and only from a score of 0.9 on. A text takes some 10 ms of one core.
///
/// [`EngineBuilder::classifier`]: headroom_core::EngineBuilder::classifier
///
/// # Example
///
/// ```
/// use headroom_core::{Classifier, Classification};
/// use headroom_model::Magika;
///
/// let page = "# Moorings\n\nThe *east* dock takes [twelve ships](docks.md).\n\n- Ropes\n- Rings\n\n".repeat(20);
/// assert_eq!(Magika::new().classify(&page), Some(Classification::Prose));
/// ```
pub struct Magika {
    runtime: Runtime,
    session: OnceLock<Option<Box<dyn Session>>>,
}

impl Magika {
    /// Creates a classifier on the Rust runtime.
    #[must_use]
    pub const fn new() -> Self {
        Self { runtime: Runtime::Rust, session: OnceLock::new() }
    }

    /// Creates a classifier on the given runtime and loads the model.
    ///
    /// # Errors
    ///
    /// Fails if the runtime cannot be loaded or rejects the model.
    pub fn with_runtime(runtime: Runtime) -> Result<Self, ModelError> {
        let session = runtime.open(NAME, Source::Embedded(MODEL), 1)?;
        Ok(Self { runtime, session: OnceLock::from(Some(session)) })
    }

    /// Returns the model's own label for a text, in lower case, and its score from 0 to 1.
    ///
    /// Returns `None` if the text has fewer than 8 bytes, or the model cannot be run.
    #[must_use]
    pub fn label(&self, text: &str) -> Option<(&'static str, f32)> {
        let open = || self.runtime.open(NAME, Source::Embedded(MODEL), 1).ok();
        let session = self.session.get_or_init(open).as_ref()?;
        let features = features::extract(text.as_bytes())?;
        let input = Input { name: "bytes", rows: 1, values: &features };
        let scores = session.run(&[input], "target_label").ok()?;
        let best = scores.into_iter().zip(LABELS.lines()).max_by(|(a, _), (b, _)| a.total_cmp(b));
        best.map(|(score, label)| (label, score))
    }
}

impl Default for Magika {
    fn default() -> Self {
        Self::new()
    }
}

impl Classifier for Magika {
    fn classify(&self, text: &str) -> Option<Classification> {
        let (label, score) = self.label(text)?;
        (score >= MIN_SCORE).then(|| verdict(label)).flatten()
    }
}

impl fmt::Debug for Magika {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Magika").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

/// Maps a label to a classification. Most labels map to none: the model says `txt` of any output, and `rst` of logs.
fn verdict(label: &str) -> Option<Classification> {
    Some(match label {
        "c" => Classification::Code("c"),
        "cpp" => Classification::Code("cpp"),
        "cs" => Classification::Code("cs"),
        "go" => Classification::Code("go"),
        "java" => Classification::Code("java"),
        "javascript" => Classification::Code("js"),
        "perl" => Classification::Code("pl"),
        "php" => Classification::Code("php"),
        "python" => Classification::Code("py"),
        "ruby" => Classification::Code("rb"),
        "rust" => Classification::Code("rs"),
        "shell" => Classification::Code("sh"),
        "typescript" => Classification::Code("ts"),
        "markdown" => Classification::Prose,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

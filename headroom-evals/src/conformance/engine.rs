//! The engine as the laws see it, so that broken ones can stand in for the real one.

use headroom_core::{Api, CompressOptions, Engine, Outcome, Transform};

/// What an engine did to one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// Length of the text before, in bytes.
    pub bytes_before: usize,
    /// Length of the text after, in bytes.
    pub bytes_after: usize,
    /// Tokens before, as the engine counted them.
    pub tokens_before: Option<usize>,
    /// Tokens after, as the engine counted them.
    pub tokens_after: Option<usize>,
    /// How the text was edited.
    pub steps: Vec<Transform>,
}

/// What an engine answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The body to send instead.
    pub body: Option<Vec<u8>>,
    /// Handle and content of everything that must be stored.
    pub originals: Vec<(String, String)>,
    /// The tokens that the report says were saved.
    pub tokens_saved: usize,
    /// The tokenizer that the report names.
    pub tokenizer: String,
    /// The lengths of the body that the report names.
    pub bytes: (usize, usize),
    /// The edited texts of the report, in the order of the body.
    pub edited: Vec<Edited>,
    /// Everything that may end in a log: debug output, display output, serialised report.
    pub printed: String,
}

impl Answer {
    /// The body to send: the new one, or the one that was asked about.
    #[must_use]
    pub fn sent<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        self.body.as_deref().unwrap_or(input)
    }
}

/// Something that claims to obey the laws.
pub trait EngineUnderTest {
    /// Makes a request body smaller, or not.
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Answer;
}

impl EngineUnderTest for Engine {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Answer {
        let outcome = Self::compress(self, api, body, options);
        let report = outcome.report();
        let mut answer = Answer {
            tokens_saved: report.tokens_saved,
            tokenizer: report.tokenizer.to_owned(),
            bytes: (report.bytes_before, report.bytes_after),
            printed: format!(
                "{outcome:?} {report:?} {report:#?} {} {:?}",
                serde_json::to_string(report).unwrap_or_default(),
                self
            ),
            ..Answer::default()
        };
        for block in &report.blocks {
            if let headroom_core::Action::Edited(steps) = &block.action {
                answer.edited.push(Edited {
                    bytes_before: block.bytes_before,
                    bytes_after: block.bytes_after,
                    tokens_before: block.tokens_before,
                    tokens_after: block.tokens_after,
                    steps: steps.clone(),
                });
            }
        }
        match outcome {
            Outcome::Rewritten { body, originals, .. } => {
                answer.body = Some(body);
                for original in originals {
                    answer.printed.push_str(&format!("{original:?}"));
                    answer.originals.push((original.handle.to_string(), original.content));
                }
            }
            Outcome::Unchanged { reason, .. } => answer.printed.push_str(&format!("{reason} {reason:?}")),
        }
        answer
    }
}

/// Makes engines that have seen nothing yet.
pub type Fresh<'a> = &'a dyn Fn() -> Box<dyn EngineUnderTest>;

/// The real engine with its defaults.
#[must_use]
pub fn real() -> Box<dyn EngineUnderTest> {
    Box::new(Engine::new())
}

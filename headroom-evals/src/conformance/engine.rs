//! The engine as the laws see it, so that broken engines can replace the real one.

use headroom_core::{Api, CompressOptions, Engine, Outcome, Transform};

/// An edit of one text, as the engine reports it.
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

/// The result of compressing one request.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The body to send instead.
    pub body: Option<Vec<u8>>,
    /// Handle and content of every original to store.
    pub originals: Vec<(String, String)>,
    /// The saved tokens, according to the report.
    pub tokens_saved: usize,
    /// The tokenizer, according to the report.
    pub tokenizer: String,
    /// The body's length before and after, according to the report.
    pub bytes: (usize, usize),
    /// The prompts that were epochs, according to the report: their numbers among the prompts of the user.
    pub epochs: Vec<usize>,
    /// The edited texts of the report, in the order of the body.
    pub edited: Vec<Edited>,
    /// Everything that may be logged: debug output, display output, the serialised report.
    pub printed: String,
}

impl Answer {
    /// Returns the body to send: the new one, or else the input.
    #[must_use]
    pub fn sent<'a>(&'a self, input: &'a [u8]) -> &'a [u8] {
        self.body.as_deref().unwrap_or(input)
    }
}

/// An engine that the laws can be checked against.
pub trait EngineUnderTest {
    /// Compresses a request body, if possible.
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
            epochs: report.epochs.iter().map(|epoch| epoch.prompt).collect(),
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
                    answer.originals.push((original.handle().to_string(), original.into_content()));
                }
            }
            Outcome::Unchanged { reason, .. } => answer.printed.push_str(&format!("{reason} {reason:?}")),
        }
        answer
    }
}

/// Creates engines without any history.
pub type Fresh<'a> = &'a dyn Fn() -> Box<dyn EngineUnderTest>;

/// Creates the real engine with its defaults.
#[must_use]
pub fn real() -> Box<dyn EngineUnderTest> {
    Box::new(Engine::new())
}

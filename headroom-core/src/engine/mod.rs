//! The engine: reads a request body, decides each tool result, and splices the edits into the body.

use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher, RandomState},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use headroom_json::{Replacement, Tape, TapeValue, Text, splice};

use crate::{
    Api, CompressOptions, ContentKind, EngineBuilder, Hints, ListedTool, Original, Outcome, Report,
    TextOutcome, UnchangedReason,
    cache::Cache,
    compress::reference::Index,
    decide::{Block, Decision, decide},
    engine::request::Request,
    epoch::Epochs,
    models::Models,
    tokenizer::Tokenizer,
    wire::{self, Item},
};

/// Compresses LLM request bodies.
///
/// Cloning is cheap, and clones share a cache of earlier decisions. The cache makes the next request of a growing
/// conversation cheap and never changes its output.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    config: EngineBuilder,
    decisions: Mutex<Cache<Arc<Decision>>>,
    /// Seed of the cache keys, so that nobody can provoke collisions.
    secret: u64,
    /// The index after the last item of a request, ready for the next request of the same conversation.
    indexes: Mutex<Cache<Index>>,
    /// The epochs up to each prompt of a request.
    epochs: Mutex<Cache<Epochs>>,
    models: Models,
}

impl Engine {
    /// Creates an engine with the defaults of [`EngineBuilder`].
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts the configuration of an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    pub(crate) fn with(config: EngineBuilder) -> Self {
        let quarter = config.cache_capacity / 4;
        let sixteenth = config.cache_capacity / 16;
        Self {
            shared: Arc::new(Shared {
                decisions: Mutex::new(Cache::new(quarter)),
                indexes: Mutex::new(Cache::new(config.cache_capacity - quarter - sixteenth)),
                epochs: Mutex::new(Cache::new(sixteenth)),
                secret: RandomState::new().hash_one(0),
                models: Models::new(config.classifier.clone(), config.token_pruner.clone()),
                config,
            }),
        }
    }

    /// Compresses a request body.
    ///
    /// Never panics and never fails. If nothing can be saved, it returns [`Outcome::Unchanged`] with the reason, and
    /// the caller sends the body that it has.
    ///
    /// ```
    /// use headroom_core::{Api, Engine, CompressOptions};
    ///
    /// let row = |n| format!("{{\\\"id\\\": {n}, \\\"state\\\": \\\"ready\\\", \\\"zone\\\": \\\"eu\\\"}}");
    /// let rows = (0..50).map(row).collect::<Vec<_>>().join(", ");
    /// let body = format!(
    ///     r#"{{"model":"gpt-4o","messages":[
    ///         {{"role":"assistant","tool_calls":[{{"id":"1","type":"function","function":{{"name":"list","arguments":"{{}}"}}}}]}},
    ///         {{"role":"tool","tool_call_id":"1","content":"[{rows}]"}}]}}"#
    /// );
    /// let outcome = Engine::new().compress(Api::OpenAiChat, body.as_bytes(), &CompressOptions::new());
    /// assert!(outcome.body().expect("fifty records make a table").len() < body.len() / 2);
    /// ```
    #[must_use]
    pub fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
        self.compress_while(api, body, options, &|_| true)
    }

    /// Compresses a request body like [`compress`](Self::compress), and can be cancelled.
    ///
    /// Before each tool result without a cached decision, `may_go_on` is called with the length of that result in the
    /// body. If it returns `false`, work ends with [`UnchangedReason::Cancelled`]. The decisions made until then stay
    /// in the cache, so a second call continues there and returns what an uninterrupted call returns.
    ///
    /// ```
    /// use headroom_core::{Api, Engine, CompressOptions, Outcome, UnchangedReason};
    ///
    /// let body = br#"{"messages":[{"role":"tool","tool_call_id":"1","content":"ok"}]}"#;
    /// let outcome = Engine::new().compress_while(Api::OpenAiChat, body, &CompressOptions::new(), &|bytes| bytes > 2);
    /// assert!(matches!(outcome, Outcome::Unchanged { reason: UnchangedReason::Cancelled, .. }));
    /// ```
    #[must_use]
    pub fn compress_while(
        &self,
        api: Api,
        body: &[u8],
        options: &CompressOptions,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Outcome {
        let mut report = Report {
            api: Some(api),
            tier: options.tier,
            retrieval: options.retrieval,
            bytes_before: body.len(),
            bytes_after: body.len(),
            ..Report::default()
        };
        let rewrite =
            catch_unwind(AssertUnwindSafe(|| self.rewrite(api, body, options, may_go_on, &mut report)));
        match rewrite.unwrap_or(Err(UnchangedReason::Internal)) {
            Ok((body, originals)) => {
                report.bytes_after = body.len();
                Outcome::Rewritten { body, originals, report }
            }
            Err(reason) => {
                report.listed_tools.retain(|tool| tool.kept.is_some());
                report.tools_saved = 0;
                report.cache_hints.clear();
                report.reason = Some(reason);
                Outcome::Unchanged { reason, report }
            }
        }
    }

    /// Compresses one piece of content outside any conversation.
    ///
    /// ```
    /// use headroom_core::{Engine, Hints};
    ///
    /// let log = format!("{}done\n", "connection refused, retrying in a moment\n".repeat(100));
    /// let outcome = Engine::new().compress_text(&log, &Hints::new().tool("Bash"));
    /// let text = outcome.text.expect("a hundred equal lines fold");
    /// assert!(text.starts_with("connection refused, retrying in a moment\n"));
    /// assert!(text.ends_with("done\n") && text.len() < 200);
    /// ```
    #[must_use]
    pub fn compress_text(&self, text: &str, hints: &Hints) -> TextOutcome {
        let decide = || {
            if text.len() > self.shared.config.max_body {
                return Decision::kept(ContentKind::Text, UnchangedReason::TooLarge, text.len());
            }
            let block = Block {
                text,
                tool: hints.tool.as_deref(),
                arguments: hints.arguments.as_deref(),
                kind: hints.kind,
                is_edited: &|name| hints.edited.contains(name),
                json: false,
                tokenizer: Tokenizer::new(self.shared.config.token_counter.as_deref(), &hints.model),
                question: hints.query.as_deref(),
                tier: hints.options.tier,
                retrieval: hints.options.retrieval,
                originals_dir: hints.options.originals_dir_for(hints.options.retrieval),
                models: self.shared.models.for_tenant(&hints.options.tenant),
            };
            // The text is not part of a JSON body, so its raw form is the text itself, with nothing escaped.
            decide(Text { raw: text, start: 0, escaped: false }, &block, &|_, _| Vec::new())
        };
        let decision = catch_unwind(AssertUnwindSafe(decide))
            .unwrap_or_else(|_| Decision::kept(ContentKind::Text, UnchangedReason::Internal, text.len()));
        let output = decision.output(Text { raw: text, start: 0, escaped: false });
        TextOutcome {
            report: decision.report(String::new(), hints.tool.clone()),
            text: output.filter(|_| !decision.edits.is_empty()).map(Cow::into_owned),
            originals: decision.originals,
        }
    }

    /// Returns whether even a short text may take long, because a [`TokenPruner`](crate::TokenPruner) reads it.
    #[must_use]
    pub fn is_costly(&self) -> bool {
        self.shared.config.token_pruner.is_some()
    }

    fn rewrite(
        &self,
        api: Api,
        body: &[u8],
        options: &CompressOptions,
        may_go_on: &dyn Fn(usize) -> bool,
        report: &mut Report,
    ) -> Result<(Vec<u8>, Vec<Original>), UnchangedReason> {
        let config = &self.shared.config;
        if body.len() > config.max_body {
            return Err(UnchangedReason::TooLarge);
        }
        let body = std::str::from_utf8(body).map_err(|_| UnchangedReason::NotJson)?;
        let tape = Tape::parse(body)?;
        let Some(head) = self.with_own_head(api, (body, &tape), options, report)? else {
            return self.rewrite_parsed(api, (body, &tape), options, may_go_on, report);
        };
        drop(tape);
        // All that follows sees the request as if the client had sent it with this head.
        let tape = Tape::parse(&head)?;
        match self.rewrite_parsed(api, (&head, &tape), options, may_go_on, report) {
            Err(UnchangedReason::NothingEditable | UnchangedReason::NoSaving) => {
                Ok((head.into_bytes(), Vec::new()))
            }
            other => other,
        }
    }

    /// Returns the body with its head as the options ask for: without the tools that they list, and with settings for the
    /// provider's cache; `None` if it stays as it is.
    fn with_own_head(
        &self,
        api: Api,
        (body, tape): (&str, &Tape<'_>),
        options: &CompressOptions,
        report: &mut Report,
    ) -> Result<Option<String>, UnchangedReason> {
        let (root, mut edits) = (tape.root(), Vec::new());
        let additions = match options.cache_hints.is_empty() {
            true => Vec::new(),
            false => wire::cache::find(api, body, root, &options.cache_hints, &options.tenant),
        };
        report.cache_hints = additions.iter().map(|one| one.hint).collect();
        edits.extend(additions.iter().map(|one| (one.range.clone(), Replacement::Json(&one.json))));
        if !options.drop_tools.is_empty() {
            let cuts = self.listed_tools(api, (body, root), options, report);
            edits.extend(cuts.into_iter().map(|range| (range, Replacement::Json(""))));
            edits.sort_by_key(|(range, _)| range.start);
        }
        if edits.is_empty() {
            return Ok(None);
        }
        splice(body, &edits).ok_or(UnchangedReason::Internal).map(Some)
    }

    /// Reports the tools that the options list, and returns the bytes of those that leave.
    fn listed_tools(
        &self,
        api: Api,
        (body, root): (&str, TapeValue<'_, '_>),
        options: &CompressOptions,
        report: &mut Report,
    ) -> Vec<Range<usize>> {
        let dropped = wire::drop::find(api, body, root, &options.drop_tools);
        let model = root.fields(["model"]).ok().and_then(|[model]| model?.text());
        let counter = self.shared.config.token_counter.as_deref();
        let tokenizer = Tokenizer::new(counter, model.map_or("", |model| model.raw));
        report.listed_tools = dropped
            .listed
            .into_iter()
            .map(|one| ListedTool {
                name: one.name.to_owned(),
                tokens: tokenizer.count(one.raw),
                kept: one.kept,
            })
            .collect();
        let left = report.listed_tools.iter().filter(|tool| tool.kept.is_none());
        report.tools_saved = left.map(|tool| tool.tokens).sum();
        dropped.cuts
    }

    /// Rewrites a body that was parsed.
    fn rewrite_parsed(
        &self,
        api: Api,
        (body, tape): (&str, &Tape<'_>),
        options: &CompressOptions,
        may_go_on: &dyn Fn(usize) -> bool,
        report: &mut Report,
    ) -> Result<(Vec<u8>, Vec<Original>), UnchangedReason> {
        let conversation = wire::read(api, tape.root())?;
        let request = Request::new(api, &conversation, options, &self.shared);
        report.retrieval = request.retrieval;
        report.tokenizer = request.tokenizer.name();
        report.estimated = request.tokenizer.estimated;
        let decided = request.decide(&self.shared, may_go_on)?;

        let results = || {
            conversation.items.iter().enumerate().filter_map(|(at, item)| match item {
                Item::Result(result) => Some((result, decided.get(at)?)),
                _ => None,
            })
        };
        for ((at, item), facts) in conversation.items.iter().enumerate().zip(&request.facts) {
            if let (Item::Result(result), Some(decision)) = (item, decided.get(at)) {
                report.blocks.push(decision.report(result.place.to_string(), request.tool(result, facts)));
                report.tokens_saved += decision.saved_tokens();
            }
        }
        report.epochs.extend_from_slice(&decided.epochs.reports);
        report.epoch_begins = decided.begins_epoch(&conversation.items);
        report.thinking_saved = decided.thinking_saved(&conversation.items);
        let mut edits: Vec<_> = results()
            .flat_map(|(result, decision)| decision.edits.iter().map(|edit| edit.at(result.text.start)))
            .collect();
        let cuts = decided.cuts(&conversation.items);
        if !cuts.is_empty() {
            edits.extend(cuts.iter().map(|(at, cut)| cut.at(*at)));
            edits.sort_by_key(|(range, _)| range.start);
        }
        if edits.is_empty() && request.tool_to_add.is_none() {
            return Err(if report.blocks.is_empty() {
                UnchangedReason::NothingEditable
            } else {
                UnchangedReason::NoSaving
            });
        }
        if let Some((at, tool)) = request.tool_to_add {
            let behind = edits.partition_point(|(range, _)| range.start < at);
            edits.insert(behind, (at..at, Replacement::Json(tool)));
        }
        let output = splice(body, &edits).ok_or(UnchangedReason::Internal)?;
        drop(edits);
        drop(cuts);
        Ok((output.into_bytes(), decided.into_originals()))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

/// Locks a cache. Poisoning is ignored: a cache operation is complete or not begun.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod bounds;
pub(crate) mod builder;
mod edits;
pub(crate) mod hints;
pub(crate) mod options;
pub(crate) mod outcome;
pub(crate) mod report;
mod request;
#[cfg(test)]
mod tests;
mod texts;
mod walk;

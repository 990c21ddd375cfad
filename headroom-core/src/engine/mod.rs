//! The engine: reads a request body, decides each tool result, and splices the edits into the body.

use std::{
    borrow::Cow,
    cell::{OnceCell, RefCell},
    collections::BTreeSet,
    fmt,
    hash::{BuildHasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Api, CompressOptions, ContentKind, EngineBuilder, Handle, Hints, Original, Outcome, Report, Retrieval,
    TextOutcome, Tier, UnchangedReason,
    compress::reference::{Index, MIN_BYTES, Origin, RepeatedRun},
    decide::{Block, Decision, decide},
    engine::{cache::Cache, models::Models},
    json::{
        splice::splice,
        tape::{Limits, Text, scan},
    },
    originals::Originals,
    tokenizer::Tokenizer,
    wire::{
        self, Call, Conversation, Item, Retrieve, ToolResult,
        conversation::{Facts, MAX_CALL_TEXTS, facts},
    },
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
        Self {
            shared: Arc::new(Shared {
                decisions: Mutex::new(Cache::new(quarter)),
                indexes: Mutex::new(Cache::new(config.cache_capacity - quarter)),
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
        let tape = scan(body, Limits::for_length(body.len()))?;
        let conversation = wire::read(api, tape.root())?;
        let request = Request::new(&conversation, options, &self.shared);
        report.retrieval = request.retrieval;
        report.tokenizer = request.tokenizer.name();
        report.estimated = request.tokenizer.estimated;
        let decisions = request.decide(&self.shared, may_go_on)?;

        let results = || {
            conversation.items.iter().zip(&decisions).filter_map(|(item, decision)| match item {
                Item::Result(result) => Some((result, decision.get()?)),
                _ => None,
            })
        };
        for ((item, facts), decision) in conversation.items.iter().zip(&request.facts).zip(&decisions) {
            if let (Item::Result(result), Some(decision)) = (item, decision.get()) {
                report.blocks.push(decision.report(result.place.to_string(), request.tool(result, facts)));
                report.tokens_saved += decision.saved_tokens();
            }
        }
        let edits = results()
            .flat_map(|(result, decision)| decision.edits.iter().map(|edit| (result.text.start, edit)));
        if edits.clone().next().is_none() && request.tool_to_add.is_none() {
            return Err(if report.blocks.is_empty() {
                UnchangedReason::NothingEditable
            } else {
                UnchangedReason::NoSaving
            });
        }
        let originals = results().flat_map(|(_, decision)| decision.originals.iter().cloned()).collect();
        Ok((splice(body, edits, request.tool_to_add).ok_or(UnchangedReason::Internal)?, originals))
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

/// A request and the settings that follow from its head.
struct Request<'a, 'c> {
    items: &'c [Item<'a>],
    facts: Vec<Facts>,
    tokenizer: Tokenizer<'c>,
    tier: Tier,
    retrieval: Retrieval,
    originals_dir: Option<&'c str>,
    tenant: &'c str,
    unstorable: &'c BTreeSet<Handle>,
    /// Offset and definition of the `headroom_retrieve` tool to add.
    tool_to_add: Option<(usize, &'static str)>,
}

impl<'a, 'c> Request<'a, 'c> {
    fn new(conversation: &'c Conversation<'a>, options: &'c CompressOptions, shared: &'c Shared) -> Self {
        let model = conversation.model.map_or("", |model| model.raw);
        let tokenizer = Tokenizer::new(shared.config.token_counter.as_deref(), model);
        let tier =
            if conversation.clears_tool_results { options.tier.min(Tier::Lossless) } else { options.tier };
        // Without a tool for retrieval, the model cannot follow a marker.
        let toolbox = conversation.toolbox;
        let (retrieval, tool_to_add) = match (options.retrieval, toolbox.retrieve) {
            (_, _) if tier < Tier::Recoverable => (Retrieval::Disabled, None),
            (Retrieval::ServerTool, Retrieve::Open { at, definition }) => {
                (Retrieval::ServerTool, Some((at, definition)))
            }
            (Retrieval::ServerTool | Retrieval::ClientTool, Retrieve::Own) => (Retrieval::ClientTool, None),
            (Retrieval::File, _) if toolbox.reads_files && options.originals_dir.is_some() => {
                (Retrieval::File, None)
            }
            _ => (Retrieval::Disabled, None),
        };
        let originals_dir = options.originals_dir_for(retrieval);
        // Everything that a decision depends on besides the items. Includes the version, because a newer engine may
        // decide differently.
        let seed = format!(
            "{}\n{}\n{tier}\n{retrieval}\n{:?}\n{:?}\n{}",
            env!("CARGO_PKG_VERSION"),
            tokenizer.name(),
            originals_dir,
            options.unstorable,
            options.tenant
        );
        let facts = facts(&seed, shared.secret, &conversation.items);
        Self {
            items: &conversation.items,
            facts,
            tokenizer,
            tier,
            retrieval,
            originals_dir,
            tenant: &options.tenant,
            unstorable: &options.unstorable,
            tool_to_add,
        }
    }

    /// Decides every tool result; reuses the cached decision of a result seen before in the same place.
    fn decide(
        &self,
        shared: &Shared,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<OnceCell<Arc<Decision>>>, UnchangedReason> {
        let decisions: Vec<OnceCell<Arc<Decision>>> = self.items.iter().map(|_| OnceCell::new()).collect();
        let mut first_unknown = None;
        {
            let mut memo = lock(&shared.decisions);
            for (index, (item, cell)) in self.items.iter().zip(&decisions).enumerate() {
                let Item::Result(_) = item else { continue };
                match self.facts.get(index).and_then(|facts| memo.get(&facts.key)) {
                    Some(decision) => _ = cell.set(decision),
                    None => first_unknown = first_unknown.or(Some(index)),
                }
            }
        }
        if let Some(first_unknown) = first_unknown {
            self.decide_from(first_unknown, &decisions, shared, may_go_on)?;
        }
        Ok(decisions)
    }

    fn decide_from(
        &self,
        first_unknown: usize,
        decisions: &[OnceCell<Arc<Decision>>],
        shared: &Shared,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Result<(), UnchangedReason> {
        let texts = Texts::new(self.items, decisions);
        let mut originals = Originals::new(decisions, shared.secret);
        let (mut index, start) = self.resume(first_unknown, shared);
        let mut end = self.items.len();
        for ((at, item), facts) in self.items.iter().enumerate().zip(&self.facts).skip(start) {
            if let (Item::Result(result), Some(None)) = (item, decisions.get(at).map(OnceCell::get)) {
                if !may_go_on(result.text.raw.len()) {
                    end = at;
                    break;
                }
                originals.advance_to(at);
                let decision =
                    Arc::new(self.decide_result(result, facts, (&index, &texts, &originals), shared));
                lock(&shared.decisions).put(facts.key, Arc::clone(&decision), decision.weight());
                if let Some(cell) = decisions.get(at) {
                    _ = cell.set(decision);
                }
            }
            if self.tier >= Tier::Dedup {
                self.remember(at, item, facts, &mut index, &texts);
            }
        }
        if let Some(last) = end.checked_sub(1).and_then(|last| self.facts.get(last)) {
            let weight = index.weight();
            lock(&shared.indexes).put(last.key, index, weight);
        }
        if end < self.items.len() { Err(UnchangedReason::Cancelled) } else { Ok(()) }
    }

    /// Returns the index of the longest cached prefix of this conversation, and the position of the item after it.
    fn resume(&self, first_unknown: usize, shared: &Shared) -> (Index, usize) {
        let mut indexes = lock(&shared.indexes);
        for (at, facts) in self.facts.iter().enumerate().take(first_unknown).rev() {
            if let Some(index) = indexes.take(&facts.key) {
                return (index, at + 1);
            }
        }
        (Index::default(), 0)
    }

    fn decide_result(
        &self,
        result: &ToolResult<'a>,
        facts: &Facts,
        (index, texts, originals): (&Index, &Texts<'a, '_>, &Originals<'_>),
        shared: &Shared,
    ) -> Decision {
        let raw = result.text;
        if let Some(reason) = result.protected {
            return Decision::kept(ContentKind::Text, reason, raw.raw.len());
        }
        let Some(text) = raw.decode() else {
            return Decision::kept(ContentKind::Text, UnchangedReason::LoneSurrogate, raw.raw.len());
        };
        let tool = self.tool(result, facts);
        let call = self.call(facts).filter(|call| call.is_readable(facts.answers));
        let arguments = call.and_then(Call::arguments);
        let retrieved = tool.as_deref().is_some_and(|tool| tool.ends_with(wire::RETRIEVE_TOOL_NAME))
            || originals.contains(&text)
            || arguments.as_deref().is_some_and(|arguments| self.asks_for_a_file(arguments, originals));
        if retrieved {
            return Decision::kept(ContentKind::Text, UnchangedReason::Retrieved, text.len());
        }
        let question = facts.question.and_then(|question| texts.question(question));
        let block = Block {
            text: &text,
            tool: tool.as_deref(),
            arguments: arguments.as_deref(),
            kind: None,
            json: result.json,
            tokenizer: self.tokenizer,
            question: question.as_deref(),
            tier: self.tier,
            retrieval: self.retrieval,
            originals_dir: self.originals_dir,
            models: shared.models.for_tenant(self.tenant),
        };
        let find =
            |text: &str, pays: &dyn Fn(&RepeatedRun) -> bool| index.find(text, &|id| texts.read(id), pays);
        let decision = decide(raw, &block, &find);
        if decision.originals.iter().any(|original| self.unstorable.contains(&original.handle)) {
            return decide(raw, &Block { retrieval: Retrieval::Disabled, ..block }, &find);
        }
        decision
    }

    /// Whether a call of the client's own tool reads a file that a marker named. The call decides, because
    /// the result may be numbered or only a part of the file.
    fn asks_for_a_file(&self, arguments: &str, originals: &Originals<'_>) -> bool {
        self.originals_dir
            .is_some_and(|folder| arguments.contains(folder) || originals.are_named_in(arguments))
    }

    /// Adds the texts of an item, as the model sees them, to the index.
    fn remember(&self, at: usize, item: &Item<'a>, facts: &Facts, index: &mut Index, texts: &Texts<'a, '_>) {
        if matches!(item, Item::Compaction) {
            *index = Index::default();
            return;
        }
        let label = OnceCell::new();
        for leaf in 0..texts.get(at).len().min(MAX_CALL_TEXTS) {
            let Some(id) = source_id(at, leaf) else { return };
            if let Some(text) = texts.read(id).filter(|text| text.len() >= MIN_BYTES) {
                let label = label.get_or_init(|| self.label(item, facts)).clone();
                index.add(id, Origin { name: name(item, facts, leaf), label }, text);
            }
        }
    }

    /// Returns the label that references give this item.
    fn label(&self, item: &Item<'a>, facts: &Facts) -> String {
        match item {
            Item::Call(call) => call.label(),
            Item::Result(result) => match self.call(facts).filter(|call| call.is_readable(facts.answers)) {
                Some(call) => call.label(),
                None => self.tool(result, facts).unwrap_or_default(),
            },
            Item::User(_) | Item::Compaction => "by the user".to_owned(),
        }
    }

    /// Returns the call that a result answers.
    fn call(&self, facts: &Facts) -> Option<&Call<'a>> {
        match self.items.get(facts.call? as usize) {
            Some(Item::Call(call)) => Some(call),
            _ => None,
        }
    }

    fn tool(&self, result: &ToolResult<'a>, facts: &Facts) -> Option<String> {
        self.call(facts).map_or(result.name, |call| call.name)?.decode().map(Cow::into_owned)
    }
}

/// Returns the name that references use for a text of this item.
fn name(item: &Item<'_>, facts: &Facts, leaf: usize) -> String {
    let ordinal = facts.ordinal;
    match (item, facts.part) {
        (Item::Call(_), _) => format!("call {ordinal} part {}", leaf + 1),
        (Item::Result(_), 0) => format!("result {ordinal}"),
        (Item::Result(_), part) => format!("result {ordinal} part {}", part + 1),
        (Item::User(_) | Item::Compaction, _) => format!("user text {ordinal}"),
    }
}

fn source_id(item: usize, leaf: usize) -> Option<u32> {
    u32::try_from(item.checked_mul(MAX_CALL_TEXTS)?.checked_add(leaf)?).ok()
}

/// How many bytes are read at each end of a longer question. The question is read once per result, so reading all of
/// it would cost the product of both.
const QUESTION_END_BYTES: usize = 16 << 10;

/// The texts of the items as the model sees them, computed on demand.
struct Texts<'a, 'c> {
    items: &'c [Item<'a>],
    decisions: &'c [OnceCell<Arc<Decision>>],
    cells: Vec<OnceCell<Vec<Cow<'a, str>>>>,
    /// The last question read, with the index of its item.
    question: RefCell<Option<(u32, Option<Rc<str>>)>>,
}

impl<'a, 'c> Texts<'a, 'c> {
    fn new(items: &'c [Item<'a>], decisions: &'c [OnceCell<Arc<Decision>>]) -> Self {
        let cells = items.iter().map(|_| OnceCell::new()).collect();
        Self { items, decisions, cells, question: RefCell::new(None) }
    }

    /// Returns the user's question in this item, or both ends of a long one.
    fn question(&self, item: u32) -> Option<Rc<str>> {
        let mut last = self.question.borrow_mut();
        if let Some((_, question)) = last.as_ref().filter(|(of, _)| *of == item) {
            return question.clone();
        }
        let question = match self.items.get(item as usize) {
            Some(Item::User(text)) => text.decode().map(|text| Rc::from(both_ends(&text))),
            _ => None,
        };
        last.insert((item, question)).1.clone()
    }

    fn get(&self, item: usize) -> &[Cow<'a, str>] {
        let Some(cell) = self.cells.get(item) else { return &[] };
        cell.get_or_init(|| match self.items.get(item) {
            Some(Item::User(text)) => text.decode().into_iter().collect(),
            Some(Item::Call(call)) => call.texts().into_iter().map(Cow::Owned).collect(),
            Some(Item::Result(result)) => {
                let decision = self.decisions.get(item).and_then(OnceCell::get);
                decision.and_then(|decision| decision.output(result.text)).into_iter().collect()
            }
            _ => Vec::new(),
        })
    }

    fn read(&self, source: u32) -> Option<&str> {
        let source = source as usize;
        self.get(source / MAX_CALL_TEXTS).get(source % MAX_CALL_TEXTS).map(AsRef::as_ref)
    }
}

/// Returns the start and the end of a long text, and a short text whole.
fn both_ends(text: &str) -> Cow<'_, str> {
    if text.len() <= 2 * QUESTION_END_BYTES {
        return Cow::Borrowed(text);
    }
    let start = (0..=QUESTION_END_BYTES).rev().find_map(|end| text.get(..end)).unwrap_or_default();
    let end = (text.len() - QUESTION_END_BYTES..text.len()).find_map(|start| text.get(start..));
    Cow::Owned(format!("{start}\n{}", end.unwrap_or_default()))
}

/// Locks a cache. Poisoning is ignored: a cache operation is complete or not begun.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod bounds;
pub(crate) mod builder;
pub(crate) mod cache;
pub(crate) mod hints;
pub(crate) mod models;
pub(crate) mod options;
pub(crate) mod outcome;
pub(crate) mod reason;
pub(crate) mod report;
#[cfg(test)]
mod tests;

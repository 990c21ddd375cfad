//! A request, and how one of its results is decided.

use std::{
    borrow::Cow,
    cell::{OnceCell, RefCell},
    collections::BTreeSet,
};

use super::{
    Shared,
    edits::Edits,
    texts::{Texts, item_of, source_id},
};
use crate::{
    Action, Api, CompressOptions, ContentKind, Handle, Retrieval, Tier, Transform, UnchangedReason,
    compress::reference::{Index, Origin, RepeatedRun},
    decide::{Block, Decision, decide},
    epoch::Rule,
    originals::Originals,
    tokenizer::Tokenizer,
    tuning::tuning,
    wire::{
        self, Call, Conversation, Item, Items, Retrieve, ToolResult,
        conversation::{Facts, MAX_CALL_TEXTS, facts},
    },
};

/// A request and the settings that follow from its head.
pub(super) struct Request<'a, 'c> {
    pub(super) api: Api,
    pub(super) items: &'c Items<'a>,
    pub(super) facts: Vec<Facts>,
    pub(super) tokenizer: Tokenizer<'c>,
    pub(super) tier: Tier,
    pub(super) retrieval: Retrieval,
    pub(super) originals_dir: Option<&'c str>,
    tenant: &'c str,
    pub(super) unstorable: &'c BTreeSet<Handle>,
    edits: Edits,
    /// The rule by which old content leaves; `None` if it never does.
    pub(super) rule: Option<Rule>,
    /// Offset and definition of the `headroom_retrieve` tool to add.
    pub(super) tool_to_add: Option<(usize, &'static str)>,
}

impl<'a, 'c> Request<'a, 'c> {
    pub(super) fn new(
        api: Api,
        conversation: &'c Conversation<'a>,
        options: &'c CompressOptions,
        shared: &'c Shared,
    ) -> Self {
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
        let may_leave = options.epochs && retrieval != Retrieval::Disabled && !conversation.is_partial;
        let rule = may_leave.then(|| Rule::new(api, model, conversation.caches_long)).flatten();
        // Everything that a decision depends on besides the items. Includes the version, because a newer engine may
        // decide differently.
        let seed = format!(
            "{}\n{}\n{tier}\n{retrieval}\n{:?}\n{:?}\n{api}\n{rule:?}\n{}",
            env!("CARGO_PKG_VERSION"),
            tokenizer.name(),
            originals_dir,
            options.unstorable,
            options.tenant
        );
        let facts = facts(&seed, shared.secret, &conversation.items, rule.is_some());
        Self {
            api,
            items: &conversation.items,
            facts,
            tokenizer,
            tier,
            retrieval,
            originals_dir,
            tenant: &options.tenant,
            unstorable: &options.unstorable,
            edits: Edits::default(),
            rule,
            tool_to_add,
        }
    }

    pub(super) fn decide_result(
        &self,
        result: &ToolResult<'a>,
        facts: &Facts,
        (index, texts, originals): (&Index, &Texts<'a, '_>, &Originals),
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
            is_edited: &|name| self.edits.is_edited(name, facts.call, self.items),
            json: result.json,
            tokenizer: self.tokenizer,
            question: question.as_deref(),
            tier: self.tier,
            retrieval: self.retrieval,
            originals_dir: self.originals_dir,
            models: shared.models.for_tenant(self.tenant),
        };
        let refers = RefCell::new(BTreeSet::new());
        let find = |text: &str, pays: &dyn Fn(&RepeatedRun) -> bool| {
            let found = index.find(text, &|id| texts.read(id), pays);
            refers.borrow_mut().extend(found.iter().map(|run| item_of(run.source)));
            found
        };
        let decide = |block: &Block<'_>| {
            let mut decision = decide(raw, block, &find);
            if matches!(&decision.action, Action::Edited(steps) if steps.contains(&Transform::Reference)) {
                decision.refers = refers.take().into_iter().collect();
            }
            decision
        };
        let decision = decide(&block);
        if decision.originals.iter().any(|original| self.unstorable.contains(&original.handle())) {
            return decide(&Block { retrieval: Retrieval::Disabled, ..block });
        }
        decision
    }

    /// Whether a call of the client's own tool reads a file that a marker named. The call decides, because
    /// the result may be numbered or only a part of the file.
    fn asks_for_a_file(&self, arguments: &str, originals: &Originals) -> bool {
        self.originals_dir
            .is_some_and(|folder| arguments.contains(folder) || originals.are_named_in(arguments))
    }

    /// Adds the texts of an item, as the model sees them, to the index.
    pub(super) fn remember(
        &self,
        at: usize,
        item: &Item<'a>,
        facts: &Facts,
        index: &mut Index,
        texts: &Texts<'a, '_>,
    ) {
        if matches!(item, Item::Compaction) {
            *index = Index::default();
            return;
        }
        let label = OnceCell::new();
        for leaf in 0..texts.get(at).len().min(MAX_CALL_TEXTS) {
            let Some(id) = source_id(at, leaf) else { return };
            let text = texts.read(id).filter(|text| text.len() >= tuning().text.reference_min_bytes);
            if let (Some(text), Some(name)) = (text, name(item, facts, leaf)) {
                let label = label.get_or_init(|| self.label(item, facts)).clone();
                index.add(id, Origin { name, label }, text);
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
            _ => "by the user".to_owned(),
        }
    }

    /// Returns the call that a result answers.
    pub(super) fn call(&self, facts: &Facts) -> Option<&Call<'a>> {
        match self.items.get(facts.call? as usize) {
            Some(Item::Call(call)) => Some(call),
            _ => None,
        }
    }

    pub(super) fn tool(&self, result: &ToolResult<'a>, facts: &Facts) -> Option<String> {
        self.call(facts).map_or(result.name, |call| call.name)?.decode().map(Cow::into_owned)
    }
}

/// Returns the name that references use for a text of this item; `None` if a reader could not find it by counting.
pub(super) fn name(item: &Item<'_>, facts: &Facts, leaf: usize) -> Option<String> {
    let (ordinal, part) = (facts.ordinal?, facts.part?);
    Some(match (item, part) {
        (Item::Call(_), _) => format!("call {ordinal} part {}", leaf + 1),
        (Item::Result(_), 0) => format!("result {ordinal}"),
        (Item::Result(_), part) => format!("result {ordinal} part {}", part + 1),
        _ => format!("user text {ordinal}"),
    })
}

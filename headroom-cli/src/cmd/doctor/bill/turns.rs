//! What the ledger shows: tools that are defined and never called, and heads that change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::clients::AgentKind;
use crate::ledger::{Conversations, Entry, HeadBook};

/// The turns of some days.
#[derive(Debug, Default, Serialize)]
pub(super) struct TurnEvidence {
    /// Turns that the provider accepted.
    pub(super) turns: u64,
    /// What they cost, in dollars.
    pub(super) paid: f64,
    /// Turns whose tools are known.
    pub(super) known: u64,
    /// The tools that were defined, and what their definitions cost.
    pub(super) tools: BTreeMap<String, ToolEvidence>,
    #[serde(skip)]
    pub(super) heads: HeadBook,
    #[serde(skip)]
    conversations: Conversations,
    /// The tools of each conversation and model.
    #[serde(skip)]
    defined: BTreeMap<(String, String), Vec<(String, u64)>>,
    #[serde(skip)]
    called: BTreeSet<String>,
}

/// The definition of one tool.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct ToolEvidence {
    /// Tokens of the definition, by `o200k`; the longest there was.
    pub(super) tokens: u64,
    /// Turns that held it.
    pub(super) turns: u64,
    #[serde(serialize_with = "count")]
    pub(super) conversations: BTreeSet<String>,
    /// What it cost in these turns, in dollars.
    pub(super) dollars: f64,
    pub(super) is_called: bool,
    /// The agent that defines it, where its tools tell.
    pub(super) agent: Option<AgentKind>,
}

fn count<S: serde::Serializer>(set: &BTreeSet<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(set.len() as u64)
}

impl TurnEvidence {
    /// Adds a turn. Turns are given in the order in which they ended.
    pub(super) fn add(&mut self, entry: &Entry) {
        if !entry.is_accepted() {
            return;
        }
        let mut entry = entry.clone();
        self.conversations.follow(&mut entry);
        self.turns += 1;
        self.paid += entry.paid().map_or(0.0, |(paid, _)| paid);
        self.heads.add(&entry);
        self.called.extend(entry.called.iter().cloned());
        let Some(conversation) = &entry.conversation else { return };
        let key = (conversation.clone(), entry.model.clone().unwrap_or_default());
        if !entry.defined.is_empty() {
            let tools = entry.defined.iter().map(|tool| (tool.name.clone(), tool.tokens));
            self.defined.insert(key.clone(), tools.collect());
        }
        let Some(tools) = self.defined.get(&key) else { return };
        self.known += 1;
        let names: Vec<&str> = tools.iter().map(|(name, _)| &**name).collect();
        let agent = AgentKind::from_tools(&names);
        let is_cached = entry.usage.is_some_and(|usage| usage.cache_read > 0);
        for (name, tokens) in tools {
            let count = i64::try_from(*tokens).unwrap_or(i64::MAX);
            // The definitions come first: they are in the cache as soon as anything is.
            let dollars = if is_cached { entry.worth(0, count) } else { entry.worth(count, 0) };
            let tool = self.tools.entry(name.clone()).or_default();
            tool.tokens = tool.tokens.max(*tokens);
            tool.turns += 1;
            tool.conversations.insert(conversation.clone());
            tool.dollars += dollars.unwrap_or_default();
            tool.agent = tool.agent.or(agent);
        }
    }

    /// Notes which tools were called, once all turns are known.
    pub(super) fn finish(&mut self) {
        for (name, tool) in &mut self.tools {
            tool.is_called = self.called.contains(name);
        }
    }
}

use std::borrow::Cow;

use headroom_core::{Action, BlockReport, Report, Retrieval, Transform};
use headroom_tower::{ConversationId, RequestReport};
use serde::{Deserialize, Serialize};

use super::{Conversations, EpochMark, HeadMark, Previous, prices::Price};
use crate::{head::DefinedTool, tokens::Tokens, usage::Usage};

/// Tokens of the definition of `headroom_retrieve`, by `o200k_base` (102 to 111, by the format). A request to which it
/// is added costs that much more.
pub(crate) const DEFINITION: i64 = 110;
/// Average bytes of a token in English and code, for texts that were not counted.
const BYTES_PER_TOKEN: usize = 4;

/// One request of a client, with all requests that were sent to the provider for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it ended, in seconds since 1970.
    pub(crate) at: u64,
    /// The provider whose API it uses.
    pub(crate) provider: Cow<'static, str>,
    /// The model that answered, by the provider's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// The provider's status.
    pub(crate) status: u16,
    /// `rewritten`, `rejected`, or why the request was passed on unchanged.
    pub(crate) outcome: Cow<'static, str>,
    /// Requests that the provider received.
    pub(crate) calls: u32,
    /// Tokens of the counted tool results, as received.
    pub(crate) tokens_before: u64,
    /// The same, as sent.
    pub(crate) tokens_after: u64,
    /// Tokens saved in content that was not in the provider's cache; negative if the tool's definition costs more.
    pub(crate) saved_new: i64,
    /// Tokens saved in content that would have been read from the cache.
    pub(crate) saved_cached: i64,
    /// The provider's usage: the prompt of the first call that it accepted, and the output of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    /// The conversation, if there is a control group or epochs may begin: a number that tells nothing about its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) conversation: Option<String>,
    /// Further usage, of calls that the client does not know of.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(crate) extra: Usage,
    /// The turn before it in its conversation, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
    /// The epochs of its conversation so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) epochs: Vec<EpochMark>,
    /// Whether the last of them begins with it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) epoch_begins: bool,
    /// Whether the provider had to write what an epoch made smaller: it had not read it from its cache.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) epoch_missed: bool,
    /// What changed in the head of its conversation, if the provider had to write the prompt again for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) head: Option<HeadMark>,
    /// The tools that it defines, unless they are those of the turn before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) defined: Vec<DefinedTool>,
    /// The tools whose results it is the first to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) called: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

fn is_nothing(usage: &Usage) -> bool {
    *usage == Usage::default()
}

/// One request that the provider received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// `None` if there was no answer.
    pub(crate) status: Option<u16>,
    pub(crate) usage: Option<Usage>,
    pub(crate) model: Option<String>,
    /// Whether it was sent in the layer's form.
    pub(crate) is_rewritten: bool,
}

impl Call {
    fn is_accepted(&self) -> bool {
        self.status.is_some_and(is_success)
    }
}

/// Whether the status is a success.
const fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

impl Entry {
    /// Sums up a request; `None` if the provider did not answer, or if it was no turn: neither the engine nor the
    /// provider counted tokens in it.
    pub(crate) fn new(
        at: u64,
        provider: &'static str,
        report: Option<&RequestReport>,
        calls: &[Call],
        conversations: &mut Conversations,
    ) -> Option<Self> {
        let accepted = calls.iter().position(Call::is_accepted);
        let of_client = calls.get(accepted.unwrap_or(0)..).unwrap_or_default();
        let first = of_client.first()?;
        let status = first.status?;
        let (usage, extra) = split(of_client);
        let engine = report.and_then(RequestReport::report);
        if usage.is_none() && engine.is_none_or(|report| report.api.is_none()) {
            return None;
        }
        let tokens = engine.map(Tokens::from_report).unwrap_or_default();
        // If the provider accepted a later call than the first, that may have been the original request.
        let rewritten = report.is_some_and(RequestReport::is_rewritten)
            && accepted.is_none_or(|at| at == 0 || of_client.first().is_some_and(|call| call.is_rewritten));
        let conversation = report.and_then(RequestReport::conversation).map(ConversationId::as_u64);
        let epochs = engine.filter(|_| rewritten).map(|engine| EpochMark::of(conversation, engine));
        let outcome = match report {
            Some(report) => report.skip_reason().map_or("rewritten", |reason| reason.as_str()),
            None => "passed",
        };
        let mut entry = Self {
            at,
            provider: provider.into(),
            model: of_client.iter().find_map(|call| call.model.clone()),
            status,
            outcome: if outcome == "rewritten" && !rewritten { "rejected" } else { outcome }.into(),
            calls: u32::try_from(calls.len()).unwrap_or(u32::MAX),
            tokens_before: tokens.before,
            tokens_after: if rewritten { tokens.after } else { tokens.before },
            saved_new: 0,
            saved_cached: 0,
            usage,
            conversation: conversation.map(|conversation| format!("{:08x}", conversation >> 32)),
            extra,
            previous: None,
            epochs: epochs.unwrap_or_default(),
            epoch_begins: rewritten && engine.is_some_and(|report| report.epoch_begins),
            epoch_missed: false,
            head: None,
            defined: Vec::new(),
            called: Vec::new(),
        };
        conversations.follow(&mut entry);
        if let Some(engine) = engine.filter(|_| rewritten && is_success(status)) {
            entry.save(engine);
        }
        Some(entry)
    }

    /// The cost of these tokens in dollars had they been sent in this turn; `None` if the usage or the price is
    /// unknown.
    pub(crate) fn worth(&self, new: i64, cached: i64) -> Option<f64> {
        Some(self.price()?.saving(self.usage.as_ref()?, new, cached))
    }

    /// The cost of the usage in dollars, and of the part for calls that the client does not know of.
    pub(crate) fn paid(&self) -> Option<(f64, f64)> {
        let (price, usage) = (self.price()?, self.usage.as_ref()?);
        let extra = price.cost(&self.extra);
        Some((price.cost(usage) + extra, extra))
    }

    /// Dollars saved.
    pub(crate) fn saved(&self) -> Option<f64> {
        let (_, extra) = self.paid()?;
        // Without the epoch a prompt after a pause would have been written whole.
        let (new, cached) = match self.epoch_begins && self.is_paused() {
            true => (self.saved_new.saturating_add(self.saved_cached), 0),
            false => (self.saved_new, self.saved_cached),
        };
        Some(self.worth(new, cached)? - self.epoch_cost()? - extra)
    }

    /// What it costs, in dollars, that an epoch begins: what is written again instead of read.
    pub(crate) fn epoch_cost(&self) -> Option<f64> {
        let again = i64::try_from(self.written_again()).unwrap_or(i64::MAX);
        Some(self.worth(again, 0)? - self.worth(0, again)?)
    }

    /// What it costs, in dollars, that the head has changed: what is written again instead of read.
    pub(crate) fn head_cost(&self) -> Option<f64> {
        let again = i64::try_from(self.head.as_ref()?.missed).unwrap_or(i64::MAX);
        Some(self.worth(again, 0)? - self.worth(0, again)?)
    }

    /// What an epoch gains in this turn, in dollars. With the turn it `begins` with, the cost is taken off.
    pub(super) fn epoch_gain(&self, mark: &EpochMark, begins: bool) -> Option<f64> {
        let freed = i64::try_from(mark.freed).unwrap_or(i64::MAX);
        let is_new = if self.epoch_begins { self.is_paused() } else { self.epoch_missed };
        let gain = if is_new { self.worth(freed, 0)? } else { self.worth(0, freed)? };
        Some(gain - if begins { self.epoch_cost()? } else { 0.0 })
    }

    /// The tokens that the provider wrote again because an epoch began: those of the turn before that did not leave, and
    /// were not read. None after a pause, since they would have been written anyway.
    pub(super) fn written_again(&self) -> u64 {
        let (Some(mark), Some(usage)) = (self.epochs.last(), self.usage) else { return 0 };
        if !self.epoch_begins || self.is_paused() {
            return 0;
        }
        let again = match self.previous {
            Some(previous) => previous.prompt.saturating_sub(mark.freed).saturating_sub(usage.cache_read),
            None => mark.rewritten,
        };
        again.min(usage.uncached())
    }

    /// Whether the turn before was so long ago that the provider's cache was gone.
    pub(crate) fn is_paused(&self) -> bool {
        const LIFETIME: u64 = 5 * 60;
        const LONG_LIFETIME: u64 = 60 * 60;
        let keeps_long = !matches!(&*self.provider, "anthropic" | "bedrock" | "vertex");
        self.previous.is_some_and(|previous| {
            previous.seconds > if previous.is_long || keeps_long { LONG_LIFETIME } else { LIFETIME }
        })
    }

    /// The cost in dollars of tokens at the full price of the prompt.
    pub(super) fn at_full_price(&self, tokens: u64) -> Option<f64> {
        Some(tokens as f64 * self.price()?.input / 1e6)
    }

    /// Whether it was sent untouched as one of the control group.
    pub(crate) fn is_held_out(&self) -> bool {
        self.outcome == "holdout"
    }

    /// Whether the provider accepted the request.
    pub(crate) const fn is_accepted(&self) -> bool {
        is_success(self.status)
    }

    fn price(&self) -> Option<Price> {
        self.model.as_deref().and_then(Price::for_model)
    }

    /// Splits the saving into that in new content and that in content of the provider's cache.
    fn save(&mut self, report: &Report) {
        let saved = |tokens: usize| i64::try_from(tokens).unwrap_or(i64::MAX);
        let (results, thinking) = (saved(report.tokens_saved), saved(report.thinking_saved));
        let new = self.first_new(report);
        let is_old = |block: &BlockReport| matches!(&block.action, Action::Edited(steps) if steps.contains(&Transform::Epoch));
        // Thinking leaves from the start of the conversation, before all results.
        self.epoch_missed =
            report.blocks.iter().position(is_old).is_some_and(|old| old >= new) || new == 0 && thinking > 0;
        self.saved_new = if new == 0 { results } else { new_saving(report, new).min(results) };
        self.saved_cached = results - self.saved_new;
        *(if new == 0 { &mut self.saved_new } else { &mut self.saved_cached }) += thinking;
        // Definitions precede everything: they are in the cache as soon as anything is.
        let tools = saved(report.tools_saved);
        match self.usage.unwrap_or_default().cache_read {
            0 => self.saved_new += tools,
            _ => self.saved_cached += tools,
        }
        if report.retrieval == Retrieval::ServerTool {
            match self.usage.unwrap_or_default().cache_read {
                0 => self.saved_new -= DEFINITION,
                _ => self.saved_cached -= DEFINITION,
            }
        }
    }

    /// Returns the index of the first result that would not have been in the provider's cache. With an epoch all results
    /// are old, so none is new unless the cache was gone.
    pub(crate) fn first_new(&self, report: &Report) -> usize {
        match (self.epoch_begins, self.is_paused()) {
            (true, true) => 0,
            (true, false) => report.blocks.len(),
            (false, _) => first_new(report, &self.usage.unwrap_or_default()),
        }
    }
}

/// Returns the index of the first result that was not in the provider's cache: the results that fit into the uncached
/// end of the prompt, or all if nothing was cached. That end holds more than results, so an old result is rather taken
/// for a new one than the other way round.
fn first_new(report: &Report, usage: &Usage) -> usize {
    if usage.cache_read == 0 {
        return 0;
    }
    let mut room = usage.uncached();
    let fits = |block: &&BlockReport| match room.checked_sub(tokens_after(block)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    report.blocks.len() - report.blocks.iter().rev().take_while(fits).count()
}

/// Tokens saved in the results from this one on.
fn new_saving(report: &Report, first: usize) -> i64 {
    report.blocks.iter().skip(first).map(saved_in).sum()
}

fn tokens_after(block: &BlockReport) -> u64 {
    block.tokens_after.unwrap_or(block.bytes_after / BYTES_PER_TOKEN) as u64
}

/// Tokens saved in a result.
pub(crate) fn saved_in(block: &BlockReport) -> i64 {
    let after = tokens_after(block);
    let before = block.tokens_before.map_or(after, |tokens| tokens as u64);
    i64::try_from(before.saturating_sub(after)).unwrap_or(0)
}

/// Splits the usage into what the client's own call would have cost, and the rest: the prompts of later calls, and the
/// model's output in earlier ones.
fn split(calls: &[Call]) -> (Option<Usage>, Usage) {
    let mut used = calls.iter().filter_map(|call| call.usage);
    let Some(mut usage) = used.next() else { return (None, Usage::default()) };
    let mut extra = Usage::default();
    for later in used {
        extra += Usage { output: usage.output, ..later };
        usage.output = later.output;
    }
    (Some(usage), extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(status: u16, usage: Option<[u64; 3]>) -> Call {
        let usage =
            usage.map(|[input, cache_read, output]| Usage { input, cache_read, output, ..Usage::default() });
        Call { status: Some(status), usage, model: Some("m".to_owned()), is_rewritten: false }
    }

    #[test]
    fn the_definition_is_charged_at_what_it_takes() {
        use headroom_core::{Api, CompressOptions, Engine, Vocabulary};

        let tool = r#"{"name":"Bash","description":"Run a command","input_schema":{"type":"object","properties":{"command":{"type":"string"}}}}"#;
        let body =
            format!(r#"{{"model":"m","tools":[{tool}],"messages":[{{"role":"user","content":"hi"}}]}}"#);
        let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
        let outcome = Engine::new().compress(Api::Anthropic, body.as_bytes(), &options);
        let sent = String::from_utf8(outcome.body().unwrap().to_vec()).unwrap();
        let count = |text: &str| i64::try_from(Vocabulary::O200kBase.count(text)).unwrap();
        let taken = count(&sent) - count(&body);
        assert!((DEFINITION - 10..=DEFINITION + 2).contains(&taken), "{taken}");
    }

    fn entry(calls: &[Call]) -> Option<Entry> {
        Entry::new(0, "anthropic", None, calls, &mut Conversations::default())
    }

    #[test]
    fn hidden_calls_are_told_apart_from_the_clients_own() {
        let calls = [
            call(200, Some([100, 10, 5])),
            call(429, None),
            call(200, Some([20, 110, 6])),
            call(200, Some([30, 130, 7])),
        ];
        let entry = entry(&calls).unwrap();
        let own = Usage { input: 100, cache_read: 10, output: 7, ..Usage::default() };
        let extra = Usage { input: 50, cache_read: 240, output: 11, ..Usage::default() };
        assert_eq!((entry.usage, entry.extra, entry.calls), (Some(own), extra, 4));
    }

    #[test]
    fn a_request_is_what_the_provider_made_of_it_in_the_end() {
        let status = |calls: &[Call]| entry(calls).map(|entry| entry.status);
        let used = Some([1, 0, 0]);
        assert_eq!(status(&[call(400, None), call(200, used)]), Some(200));
        assert_eq!(status(&[call(200, used)]), Some(200));
        assert_eq!(status(&[call(400, None), call(400, None)]), None, "nobody counted anything");
        assert_eq!(status(&[call(200, None)]), None);
        assert_eq!(status(&[Call::default()]), None);
        assert_eq!(status(&[]), None);
    }
}

use std::borrow::Cow;

use headroom_core::{BlockReport, Report, Retrieval};
use headroom_tower::RequestReport;
use serde::{Deserialize, Serialize};

use super::prices::Price;
use crate::{tokens::Tokens, usage::Usage};

/// Tokens of the definition of `headroom_retrieve`, by `o200k_base` (102 to 111, by the format). A request that has it
/// added costs that much more.
pub(crate) const DEFINITION: i64 = 110;
/// Bytes of a token where a text was not counted: what English and code come to.
const BYTES_PER_TOKEN: usize = 4;

/// One request of a client and all that was sent to the provider for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When it ended, in seconds since 1970.
    pub(crate) at: u64,
    /// Whose API it speaks.
    pub(crate) provider: Cow<'static, str>,
    /// The model that answered, by the provider's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// The provider's status.
    pub(crate) status: u16,
    /// `rewritten`, `rejected`, or why it went on as it came.
    pub(crate) outcome: Cow<'static, str>,
    /// Requests that the provider got.
    pub(crate) calls: u32,
    /// Tokens of the tool results that were counted, as they came.
    pub(crate) tokens_before: u64,
    /// And as they went on.
    pub(crate) tokens_after: u64,
    /// Tokens saved in what the provider had not in its cache; less than 0 where the tool's definition costs more.
    pub(crate) saved_new: i64,
    /// Tokens saved in what it would have read from its cache.
    pub(crate) saved_cached: i64,
    /// What the provider counted: the prompt of the first call that it accepted, and the output of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
    /// What it counted besides, for calls that the client does not know of.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(crate) extra: Usage,
}

fn is_nothing(usage: &Usage) -> bool {
    *usage == Usage::default()
}

/// One request that the provider got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// `None` where there was no answer.
    pub(crate) status: Option<u16>,
    pub(crate) usage: Option<Usage>,
    pub(crate) model: Option<String>,
}

impl Call {
    fn is_accepted(&self) -> bool {
        self.status.is_some_and(is_success)
    }
}

/// Whether a status says that the provider did what it was asked.
const fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

impl Entry {
    /// Sums up what became of a request; `None` if the provider did not answer, or if it was no turn: neither the
    /// engine nor the provider counted tokens in it.
    pub(crate) fn new(
        at: u64,
        provider: &'static str,
        report: Option<&RequestReport>,
        calls: &[Call],
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
        // If the provider took another call than the first, that was the request as it came.
        let rewritten = report.is_some_and(RequestReport::is_rewritten) && accepted.is_none_or(|at| at == 0);
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
            extra,
        };
        if let Some(engine) = engine.filter(|_| rewritten && is_success(status)) {
            entry.save(engine);
        }
        Some(entry)
    }

    /// Dollars for these tokens if they had been sent in this turn; `None` where there is no usage or no price.
    pub(crate) fn worth(&self, new: i64, cached: i64) -> Option<f64> {
        Some(self.price()?.saving(self.usage.as_ref()?, new, cached))
    }

    /// Dollars for all that the provider counted, and of that for calls that the client does not know of.
    pub(crate) fn paid(&self) -> Option<(f64, f64)> {
        let (price, usage) = (self.price()?, self.usage.as_ref()?);
        let extra = price.cost(&self.extra);
        Some((price.cost(usage) + extra, extra))
    }

    /// Dollars that would have been paid besides.
    pub(crate) fn saved(&self) -> Option<f64> {
        let (_, extra) = self.paid()?;
        Some(self.worth(self.saved_new, self.saved_cached)? - extra)
    }

    /// Whether the provider did what it was asked.
    pub(crate) const fn is_accepted(&self) -> bool {
        is_success(self.status)
    }

    fn price(&self) -> Option<Price> {
        self.model.as_deref().and_then(Price::for_model)
    }

    /// Tells what was saved in new results from what was saved in those that the provider has in its cache.
    fn save(&mut self, report: &Report) {
        let saved = i64::try_from(report.tokens_saved).unwrap_or(i64::MAX);
        let usage = self.usage.unwrap_or_default();
        let new = first_new(report, &usage);
        self.saved_new = if new == 0 { saved } else { new_saving(report, new).min(saved) };
        self.saved_cached = saved - self.saved_new;
        if report.retrieval == Retrieval::ServerTool {
            // The definition stands in front of everything: in the cache as soon as anything is.
            match usage.cache_read {
                0 => self.saved_new -= DEFINITION,
                _ => self.saved_cached -= DEFINITION,
            }
        }
    }
}

/// Where the results begin that the provider had not in its cache: the last ones, as many as fit into the end of the
/// prompt that did not come from there; all where nothing did. There is more in that end than results, so this rather
/// takes a new one for an old one than the other way round.
pub(crate) fn first_new(report: &Report, usage: &Usage) -> usize {
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

/// Tokens that the results from this one on have less.
fn new_saving(report: &Report, first: usize) -> i64 {
    report.blocks.iter().skip(first).map(saved_in).sum()
}

fn tokens_after(block: &BlockReport) -> u64 {
    block.tokens_after.unwrap_or(block.bytes_after / BYTES_PER_TOKEN) as u64
}

/// Tokens that a result has less.
pub(crate) fn saved_in(block: &BlockReport) -> i64 {
    let after = tokens_after(block);
    let before = block.tokens_before.map_or(after, |tokens| tokens as u64);
    i64::try_from(before.saturating_sub(after)).unwrap_or(0)
}

/// What the client's own call would have cost, and what was used besides: the prompts of later calls, and what the model
/// wrote in earlier ones.
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
        Call { status: Some(status), usage, model: Some("m".to_owned()) }
    }

    #[test]
    fn the_definition_is_charged_at_what_it_takes() {
        use headroom_core::{Api, CompressOptions, Engine};

        let tool = r#"{"name":"Bash","description":"Run a command","input_schema":{"type":"object","properties":{"command":{"type":"string"}}}}"#;
        let body =
            format!(r#"{{"model":"m","tools":[{tool}],"messages":[{{"role":"user","content":"hi"}}]}}"#);
        let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
        let outcome = Engine::new().compress(Api::Anthropic, body.as_bytes(), &options);
        let sent = String::from_utf8(outcome.body().unwrap().to_vec()).unwrap();
        let count = |text: &str| i64::try_from(bpe_openai::o200k_base().count(text)).unwrap();
        let taken = count(&sent) - count(&body);
        assert!((DEFINITION - 10..=DEFINITION + 2).contains(&taken), "{taken}");
    }

    fn entry(calls: &[Call]) -> Option<Entry> {
        Entry::new(0, "anthropic", None, calls)
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

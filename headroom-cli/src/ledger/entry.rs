use std::borrow::Cow;

use headroom_core::{BlockReport, Report, Retrieval};
use headroom_tower::RequestReport;
use serde::{Deserialize, Serialize};

use super::prices::Price;
use crate::{tokens::Tokens, usage::Usage};

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
    /// Further usage, of calls that the client does not know of.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(crate) extra: Usage,
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
        // If the provider accepted a later call than the first, that was the original request.
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
        Some(self.worth(self.saved_new, self.saved_cached)? - extra)
    }

    /// Whether the provider accepted the request.
    pub(crate) const fn is_accepted(&self) -> bool {
        is_success(self.status)
    }

    fn price(&self) -> Option<Price> {
        self.model.as_deref().and_then(Price::for_model)
    }

    /// Splits the saving into that in new results and that in results in the provider's cache.
    fn save(&mut self, report: &Report) {
        let saved = i64::try_from(report.tokens_saved).unwrap_or(i64::MAX);
        let usage = self.usage.unwrap_or_default();
        let new = first_new(report, &usage);
        self.saved_new = if new == 0 { saved } else { new_saving(report, new).min(saved) };
        self.saved_cached = saved - self.saved_new;
        if report.retrieval == Retrieval::ServerTool {
            // The definition precedes everything: it is in the cache as soon as anything is.
            match usage.cache_read {
                0 => self.saved_new -= DEFINITION,
                _ => self.saved_cached -= DEFINITION,
            }
        }
    }
}

/// Returns the index of the first result that was not in the provider's cache: the results that fit into the uncached
/// end of the prompt, or all if nothing was cached. That end holds more than results, so an old result is rather taken
/// for a new one than the other way round.
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

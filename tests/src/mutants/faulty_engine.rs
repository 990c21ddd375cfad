//! A correct engine and faulty ones, on which the laws themselves are tested.

use std::cell::Cell;

use headroom_core::{Api, CompressOptions, Handle, Retrieval, Transform};

use crate::{
    engine::{Answer, Edited, EngineUnderTest},
    json::{self, Json},
    spans,
};

/// A fault of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Reserialises,
    DropsTrailingSpace,
    ReturnsTheSame,
    RespellsKeptText,
    EditsErrors,
    EditsAssistants,
    LooksAtLaterBlocks,
    ProtectsMarkedBlocks,
    KeepsTheNewestBlock,
    RemembersRequests,
    CountsCalls,
    SharesAcrossTenants,
    GivesUpOnOddities,
    Grows,
    OverstatesSavings,
    ForgetsToReport,
    FusesLines,
    AltersNumbers,
    DropsLines,
    SwapsLines,
    LosesOriginals,
    NamesOriginalsWrongly,
    CountsLinesWrongly,
    SetsAsideWithoutMeans,
    PrintsContent,
    AppendsTheToolNowAndThen,
}

/// An engine that elides the middle of long texts, with at most one fault.
#[derive(Debug)]
pub(crate) struct FaultyEngine {
    pub(crate) fault: Fault,
    calls: Cell<usize>,
    longest: Cell<usize>,
    tenant: Cell<u64>,
}

impl FaultyEngine {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, calls: Cell::new(0), longest: Cell::new(0), tenant: Cell::new(0) }
    }

    /// Returns the edited text and the elided original.
    fn edit(&self, text: &str, retrieval: Retrieval, last: bool) -> Option<(String, Option<String>)> {
        let lines: Vec<&str> = text.split('\n').collect();
        if lines.len() < 20 || text.contains("[headroom") {
            return None;
        }
        let (head, tail) = (&lines[..5], &lines[lines.len() - 5..]);
        let middle = lines[5..lines.len() - 5].join("\n");
        let kept_apart = retrieval != Retrieval::Disabled || self.fault == Fault::SetsAsideWithoutMeans;
        let mark = if kept_apart {
            let first = if self.fault == Fault::CountsLinesWrongly { 6 } else { 1 };
            let last = first + lines.len() - 11;
            format!("[headroom:{} lines {first}-{last} stored]", Handle::from_content(&middle))
        } else {
            "[headroom: lines that stand above]".to_owned()
        };
        let mut out: Vec<String> = head.iter().map(|line| (*line).to_owned()).collect();
        match self.fault {
            Fault::DropsLines => {}
            _ => out.push(mark),
        }
        out.extend(tail.iter().map(|line| (*line).to_owned()));
        match self.fault {
            Fault::FusesLines => {
                let next = out.remove(1);
                out[0] = format!("{} {next}", out[0]);
            }
            Fault::AltersNumbers => out[0] = format!("{}0", out[0]),
            Fault::SwapsLines => out.swap(0, 2),
            Fault::Grows => {
                out = vec![text.to_owned(), "[headroom: nothing was left out of this text]".to_owned()];
            }
            Fault::KeepsTheNewestBlock if last => return None,
            _ => {}
        }
        Some((out.join("\n"), kept_apart.then_some(middle)))
    }

    fn rewrite(&self, api: Api, input: &[u8], options: &CompressOptions) -> Answer {
        let mut answer = Answer { tokenizer: "o200k_base".to_owned(), ..Answer::default() };
        let Some(json) = Json::parse(input) else { return answer };
        let retrieval = [Retrieval::ServerTool, Retrieval::ClientTool, Retrieval::File]
            .into_iter()
            .find(|retrieval| *options == options.clone().retrieval(*retrieval))
            .unwrap_or(Retrieval::Disabled);
        let mut spans = spans::editable(api, &json);
        let whole = String::from_utf8_lossy(input).into_owned();
        match self.fault {
            Fault::Reserialises => {
                if let Ok(value) = serde_json::from_slice::<serde_json::Value>(input) {
                    answer.body = serde_json::to_vec(&value).ok().filter(|body| body != input);
                }
                return answer;
            }
            Fault::DropsTrailingSpace => {
                answer.body = Some(input.trim_ascii().to_vec()).filter(|body| body != input);
                return answer;
            }
            Fault::ReturnsTheSame => {
                answer.body = Some(input.to_vec());
                return answer;
            }
            Fault::EditsErrors | Fault::EditsAssistants => {
                let mut all = Vec::new();
                let mut open = vec![json.root()];
                while let Some(id) = open.pop() {
                    open.extend(json.children(id));
                    all.extend(json.text(id).map(|text| spans::Span { range: json.range(id), text }));
                }
                all.sort_by_key(|span| span.range.start);
                let wanted = if self.fault == Fault::EditsErrors { "it failed" } else { "I think" };
                all.retain(|span| span.text.contains(wanted));
                spans = all;
            }
            Fault::LooksAtLaterBlocks if spans.len() > 2 => spans.truncate(1),
            Fault::ProtectsMarkedBlocks if whole.contains("cache_control") => {
                spans.pop();
            }
            Fault::GivesUpOnOddities if whole.contains("\\ud800") => return answer,
            Fault::RemembersRequests
                if self.longest.replace(self.longest.get().max(input.len())) > input.len() =>
            {
                return answer;
            }
            Fault::CountsCalls if self.calls.replace(self.calls.get() + 1) % 2 == 1 => return answer,
            Fault::SharesAcrossTenants => {
                let hash = format!("{options:?}")
                    .bytes()
                    .fold(1, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b));
                let first = self.tenant.get() == 0;
                if first {
                    self.tenant.set(hash);
                } else if self.tenant.get() != hash {
                    return answer;
                }
            }
            _ => {}
        }
        let mut out = Vec::new();
        let mut at = 0;
        let mut printed = String::new();
        for (n, span) in spans.iter().enumerate() {
            let edited = self.edit(&span.text, retrieval, n + 1 == spans.len());
            let Some((after, middle)) = edited else {
                if self.fault == Fault::RespellsKeptText {
                    out.extend_from_slice(&input[at..span.range.start]);
                    out.extend_from_slice(&json::encode(&span.text));
                    at = span.range.end;
                }
                continue;
            };
            out.extend_from_slice(&input[at..span.range.start]);
            out.extend_from_slice(&json::encode(&after));
            at = span.range.end;
            let count = |text: &str| bpe_openai::o200k_base().count(text);
            let (before, now) = (count(&span.text), count(&after));
            answer.tokens_saved += before.saturating_sub(now);
            answer.edited.push(Edited {
                bytes_before: span.text.len(),
                bytes_after: after.len(),
                tokens_before: Some(before),
                tokens_after: Some(now),
                steps: vec![Transform::Elision],
            });
            if let Some(middle) = middle {
                let name = if self.fault == Fault::NamesOriginalsWrongly { "x" } else { &middle };
                answer.originals.push((Handle::from_content(name).to_string(), middle.clone()));
            }
            printed.push_str(&span.text);
        }
        out.extend_from_slice(&input[at..]);
        if self.fault == Fault::AppendsTheToolNowAndThen
            && spans.len() % 2 == 1
            && let Some(end) = spans::tool_list_ends(api, &json).first()
        {
            let tool = br#",{"name":"headroom_retrieve"}"#;
            let end = end + out.len() - input.len();
            if whole.find("\"tools\"") > whole.find("\"messages\"") {
                out.splice(end..end, *tool);
            }
        }
        match self.fault {
            Fault::OverstatesSavings => answer.tokens_saved += 1,
            Fault::ForgetsToReport => drop(answer.edited.pop()),
            Fault::LosesOriginals => answer.originals.clear(),
            Fault::PrintsContent => answer.printed = printed,
            _ => {}
        }
        answer.body = Some(out).filter(|out| out != input);
        answer
    }
}

impl EngineUnderTest for FaultyEngine {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Answer {
        let mut answer = self.rewrite(api, body, options);
        answer.bytes = (body.len(), answer.sent(body).len());
        answer
    }
}

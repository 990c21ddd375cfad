//! A correct engine and faulty ones, on which the laws themselves are tested.

use std::cell::Cell;

use headroom_core::{Api, CompressOptions, Handle, Retrieval, Transform, Vocabulary};

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
    ClaimsEpochs,
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
        // It cuts by lines, which the law of identity forbids in records.
        let has_records = lines.iter().filter(|line| line.starts_with("commit ")).count() > 1;
        if lines.len() < 20 || text.contains("[headroom") || has_records {
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
            Fault::KeepsTheNewestBlock | Fault::ClaimsEpochs if last => return None,
            _ => {}
        }
        Some((out.join("\n"), kept_apart.then_some(middle)))
    }

    fn rewrite(&self, api: Api, input: &[u8], options: &CompressOptions) -> Answer {
        let mut answer = Answer { tokenizer: "o200k_base".to_owned(), ..Answer::default() };
        let Some(json) = Json::parse(input) else { return answer };
        if let Some(body) = self.body_at_once(input) {
            answer.body = body.filter(|body| body != input || self.fault == Fault::ReturnsTheSame);
            return answer;
        }
        if self.gives_up(input, options) {
            return answer;
        }
        let retrieval = [Retrieval::ServerTool, Retrieval::ClientTool, Retrieval::File]
            .into_iter()
            .find(|retrieval| *options == options.clone().retrieval(*retrieval))
            .unwrap_or(Retrieval::Disabled);
        let spans = self.spans(api, &json, input);
        let mut out = self.spliced(input, &spans, retrieval, &mut answer);
        if self.fault == Fault::AppendsTheToolNowAndThen && spans.len() % 2 == 1 {
            append_tool(api, &json, input, &mut out);
        }
        match self.fault {
            Fault::OverstatesSavings => answer.tokens_saved += 1,
            Fault::ForgetsToReport => drop(answer.edited.pop()),
            Fault::LosesOriginals => answer.originals.clear(),
            Fault::PrintsContent => {
                let edited = |span: &&spans::Span| self.edit(&span.text, retrieval, false).is_some();
                answer.printed = spans.iter().filter(edited).map(|span| span.text.as_str()).collect();
            }
            Fault::ClaimsEpochs => answer.epochs = (1..=spans.len()).collect(),
            _ => {}
        }
        answer.body = Some(out).filter(|out| out != input);
        answer
    }

    /// Returns the body of faults that look at no text.
    fn body_at_once(&self, input: &[u8]) -> Option<Option<Vec<u8>>> {
        match self.fault {
            Fault::Reserialises => {
                let value: Option<serde_json::Value> = serde_json::from_slice(input).ok();
                Some(value.and_then(|value| serde_json::to_vec(&value).ok()))
            }
            Fault::DropsTrailingSpace => Some(Some(input.trim_ascii().to_vec())),
            Fault::ReturnsTheSame => Some(Some(input.to_vec())),
            _ => None,
        }
    }

    /// Whether this request, of all, is left as it is.
    fn gives_up(&self, input: &[u8], options: &CompressOptions) -> bool {
        match self.fault {
            Fault::GivesUpOnOddities => contains(input, "\\ud800"),
            Fault::RemembersRequests => {
                self.longest.replace(self.longest.get().max(input.len())) > input.len()
            }
            Fault::CountsCalls => self.calls.replace(self.calls.get() + 1) % 2 == 1,
            Fault::SharesAcrossTenants => {
                let hash = format!("{options:?}")
                    .bytes()
                    .fold(1, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b));
                let first = self.tenant.get();
                if first == 0 {
                    self.tenant.set(hash);
                }
                first != 0 && first != hash
            }
            _ => false,
        }
    }

    /// Returns the texts to edit.
    fn spans(&self, api: Api, json: &Json<'_>, input: &[u8]) -> Vec<spans::Span> {
        let mut spans = spans::editable(api, json);
        match self.fault {
            Fault::EditsErrors => return texts_with(json, "it failed"),
            Fault::EditsAssistants => return texts_with(json, "I think"),
            Fault::LooksAtLaterBlocks if spans.len() > 2 => spans.truncate(1),
            Fault::ProtectsMarkedBlocks if contains(input, "cache_control") => {
                spans.pop();
            }
            _ => {}
        }
        spans
    }

    /// Returns the body with the texts edited, and adds the edits to the answer.
    fn spliced(
        &self,
        input: &[u8],
        spans: &[spans::Span],
        retrieval: Retrieval,
        answer: &mut Answer,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = 0;
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
            let count = |text: &str| Vocabulary::O200kBase.count(text);
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
        }
        out.extend_from_slice(&input[at..]);
        out
    }
}

fn contains(input: &[u8], part: &str) -> bool {
    String::from_utf8_lossy(input).contains(part)
}

/// Returns all texts of a body that contain a phrase, in its order.
fn texts_with(json: &Json<'_>, phrase: &str) -> Vec<spans::Span> {
    let mut all = Vec::new();
    let mut open = vec![json.root()];
    while let Some(id) = open.pop() {
        open.extend(json.children(id));
        all.extend(json.text(id).map(|text| spans::Span { range: json.range(id), text }));
    }
    all.sort_by_key(|span| span.range.start);
    all.retain(|span| span.text.contains(phrase));
    all
}

/// Appends the tool, if the tools stand behind the messages.
fn append_tool(api: Api, json: &Json<'_>, input: &[u8], out: &mut Vec<u8>) {
    let whole = String::from_utf8_lossy(input);
    if let Some(end) = spans::tool_list_ends(api, json).first()
        && whole.find("\"tools\"") > whole.find("\"messages\"")
    {
        let end = end + out.len() - input.len();
        out.splice(end..end, *br#",{"name":"headroom_retrieve"}"#);
    }
}

impl EngineUnderTest for FaultyEngine {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Answer {
        let mut answer = self.rewrite(api, body, options);
        answer.bytes = (body.len(), answer.sent(body).len());
        answer
    }
}

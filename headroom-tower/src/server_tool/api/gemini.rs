//! Gemini `generateContent` and `streamGenerateContent`.

use headroom_store::json::{Value, quote};

use super::{
    Anchors, Answer, AssistantTurn, BufferedStitcher, Call, EventAction, Failure, Head, MAX_ROUND,
    ProviderFormat, RETRIEVE, Root, Round, StreamStitcher, array, merge,
};
use crate::server_tool::{
    edit::{Edits, set},
    record::Record,
};

pub(super) struct Gemini;

impl ProviderFormat for Gemini {
    fn list(&self) -> &'static str {
        "contents"
    }

    fn head(&self, body: &Root<'_>) -> Option<Head> {
        let config = body.get("generationConfig").or_else(|| body.get("generation_config"));
        let member = |camel: &str, snake: &str| config?.get(camel).or_else(|| config?.get(snake));
        let several =
            member("candidateCount", "candidate_count").and_then(Value::count).is_some_and(|n| n > 1);
        let cached = body.get("cachedContent").or_else(|| body.get("cached_content")).is_some();
        let kind = member("responseMimeType", "response_mime_type");
        let structured = kind.is_some_and(|kind| !kind.is("text/plain"));
        // Arguments that come in pieces do not name their call.
        let in_pieces = body.get("toolConfig").or_else(|| body.get("tool_config")).and_then(|config| {
            let calling =
                config.get("functionCallingConfig").or_else(|| config.get("function_calling_config"))?;
            let streams = calling.get("streamFunctionCallArguments");
            streams.or_else(|| calling.get("stream_function_call_arguments"))
        });
        let in_pieces = in_pieces.is_some_and(Value::is_true);
        (!several && !cached && !in_pieces).then_some(Head { structured, ..Head::default() })
    }

    fn results(&self, answers: &[Answer]) -> String {
        format!("{{\"role\":\"user\",\"parts\":[{}]}}", results(answers))
    }

    fn mixed(&self, said: &str, answers: &[Answer]) -> Record {
        Record { items: said.to_owned(), prepend: results(answers), ..Record::default() }
    }

    fn stream(&self, head: Head) -> Box<dyn StreamStitcher> {
        Box::new(GeminiStream { head, ..GeminiStream::default() })
    }

    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher> {
        Box::new(GeminiBuffered { head, ..GeminiBuffered::default() })
    }

    fn assistant_turns(&self, contents: &[Value<'_>]) -> Vec<AssistantTurn> {
        let mut turns = Vec::new();
        for (index, content) in contents.iter().enumerate() {
            if content.get("role").is_some_and(|role| role.is("model")) {
                turns.push(AssistantTurn {
                    range: content.start()..content.end(),
                    next: contents.get(index + 1).map(|next| next.start()..next.end()),
                    anchors: anchors(parts(*content)),
                });
            }
        }
        turns
    }

    fn splice_record(&self, body: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits) {
        if !record.prepend.is_empty() {
            let next = turn.next.clone().and_then(|next| Some((next.start, Value::parse(body.get(next)?)?)));
            let Some((start, parts)) = next.and_then(|(start, next)| Some((start, next.get("parts")?)))
            else {
                return;
            };
            let comma = if parts.items().next().is_some() { "," } else { "" };
            let at = start + parts.start() + 1;
            edits.replace(at..at, format!("{}{comma}", record.prepend));
        }
        edits.replace(turn.range.clone(), record.items.clone());
    }
}

const CALL: [&str; 2] = ["functionCall", "function_call"];
const SIGNATURE: [&str; 2] = ["thoughtSignature", "thought_signature"];

fn member<'a>(part: Value<'a>, names: [&str; 2]) -> Option<Value<'a>> {
    let [camel, snake] = names;
    part.get(camel).or_else(|| part.get(snake))
}

fn parts(content: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    content.get("parts").into_iter().flat_map(Value::items)
}

fn is_ours(part: Value<'_>) -> bool {
    member(part, CALL).and_then(|call| call.get("name")).is_some_and(|name| name.is(RETRIEVE))
}

/// Removes our calls from parts, and leaves their signature to the client.
///
/// The first call of a set carries the signature of all. If that call is ours, the next one gets it, so that the client
/// can send its calls back even if ours are lost: a call without a signature is refused.
#[derive(Clone, Debug, Default)]
struct Visible {
    /// A signature that waits for a call.
    signature: Option<String>,
    /// Whether a call of a client's tool was seen.
    calls: bool,
}

impl Visible {
    /// Returns the client's form of a part.
    fn part(&mut self, part: Value<'_>) -> Option<String> {
        let signature = member(part, SIGNATURE);
        if is_ours(part) {
            if let (Some(signature), false) = (signature, self.calls) {
                self.signature = Some(signature.raw().to_owned());
            }
            return None;
        }
        if member(part, CALL).is_none() {
            return Some(part.raw().to_owned());
        }
        self.calls = true;
        let own = self.signature.take().filter(|_| signature.is_none());
        Some(match own {
            Some(own) => set(part, &[("thoughtSignature", Some(own))]),
            None => part.raw().to_owned(),
        })
    }
}

fn anchors<'a>(parts: impl Iterator<Item = Value<'a>>) -> Anchors {
    let mut anchors = Anchors::default();
    for part in parts.filter(|part| !is_ours(*part)) {
        let signature = member(part, SIGNATURE).and_then(Value::text);
        if let Some(signature) = signature.filter(|text| !text.is_empty() && !is_placeholder(text)) {
            anchors.add_signature(signature.into_owned());
        }
        // Clients drop ids and omit thoughts; names and arguments of calls stay.
        if let Some(call) = member(part, CALL) {
            anchors.add_call(call.get("name"), call.get("args").map_or("", Value::raw));
        }
        let words = part.get("text").filter(|_| !is_thought(part)).and_then(Value::text);
        anchors.add_text(&words.unwrap_or_default());
    }
    anchors
}

/// Whether this is a placeholder that clients use for a missing signature:
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>.
fn is_placeholder(signature: &str) -> bool {
    const PLACEHOLDERS: [&str; 4] = [
        "context_engineering_is_the_way_to_go",
        "skip_thought_signature_validator",
        // The same in base64, as some gateways write them.
        "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
    ];

    PLACEHOLDERS.contains(&signature)
}

fn is_thought(part: Value<'_>) -> bool {
    part.get("thought").is_some_and(Value::is_true)
}

fn results(answers: &[Answer]) -> String {
    let result = |answer: &Answer| {
        let id = if answer.call.id.is_empty() {
            String::new()
        } else {
            format!("\"id\":{},", quote(&answer.call.id))
        };
        let text = quote(&answer.text);
        format!("{{\"functionResponse\":{{{id}\"name\":\"{RETRIEVE}\",\"response\":{{\"output\":{text}}}}}}}")
    };
    answers.iter().map(result).collect::<Vec<_>>().join(",")
}

/// Builds a round from its parts.
fn round_of(all: &[String], stop: &str) -> Round {
    // Servers that only imitate Gemini's format put the call into the stop reason.
    let waits = matches!(stop, "STOP" | "FUNCTION_CALL" | "");
    let mut round = Round::default();
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    let mut visible = Visible::default();
    for raw in all {
        let Some(part) = Value::parse(raw) else { continue };
        let shown = visible.part(part);
        // Summaries of thoughts are for people; the thoughts that the provider wants back are signed.
        if is_thought(part) && member(part, SIGNATURE).is_none() {
            continue;
        }
        said.push(raw.clone());
        let Some(call) = member(part, CALL).filter(|_| is_ours(part)) else {
            round.others |= waits && member(part, CALL).is_some();
            rest.extend(shown);
            continue;
        };
        if waits {
            let id = call.get("id").and_then(Value::text).unwrap_or_default().into_owned();
            let arguments = call.get("args").map_or("{}", Value::raw).to_owned();
            round.calls.push(Call { id, arguments });
        }
    }
    round.shown = anchors(rest.iter().filter_map(|raw| Value::parse(raw)));
    let content = |parts: &[String]| {
        (!parts.is_empty()).then(|| format!("{{\"role\":\"model\",\"parts\":{}}}", array(parts)))
    };
    round.said = content(&said);
    round.rest = content(&rest);
    round
}

/// Output tokens of a round.
#[derive(Clone, Copy, Debug, Default)]
struct OutputTokens {
    candidates: u64,
    thoughts: u64,
}

impl OutputTokens {
    fn from_usage(usage: Value<'_>) -> Self {
        let count = |key| usage.get(key).and_then(Value::count).unwrap_or(0);
        Self { candidates: count("candidatesTokenCount"), thoughts: count("thoughtsTokenCount") }
    }

    fn plus(self, more: Self) -> Self {
        Self { candidates: self.candidates + more.candidates, thoughts: self.thoughts + more.thoughts }
    }

    /// Returns usage with the context of this round and the output of all.
    fn before(self, usage: Value<'_>) -> String {
        let sum = self.plus(Self::from_usage(usage));
        let count = |key| usage.get(key).and_then(Value::count).unwrap_or(0);
        let total = count("totalTokenCount") + self.candidates + self.thoughts;
        let mut members = vec![("candidatesTokenCount", Some(sum.candidates.to_string()))];
        if sum.thoughts > 0 {
            members.push(("thoughtsTokenCount", Some(sum.thoughts.to_string())));
        }
        members.push(("totalTokenCount", Some(total.to_string())));
        set(usage, &members)
    }
}

/// Stitches the streams of an exchange.
#[derive(Debug, Default)]
struct GeminiStream {
    head: Head,
    hidden: u32,
    /// `responseId` of the first chunk.
    id: Option<String>,
    parts: Vec<String>,
    bytes: usize,
    ours: bool,
    visible: Visible,
    holding: bool,
    stop: Option<String>,
    output: OutputTokens,
    output_before: OutputTokens,
    ended: bool,
    failed: bool,
}

impl GeminiStream {
    fn holds(&self) -> bool {
        self.ours || self.hidden > 0 || self.holding
    }

    fn same(&self, chunk: Value<'_>) -> Vec<(&'static str, Option<String>)> {
        let id = self.id.clone().filter(|_| self.hidden > 0 && chunk.get("responseId").is_some());
        id.map(|id| ("responseId", Some(id))).into_iter().collect()
    }
}

impl StreamStitcher for GeminiStream {
    fn event(&mut self, data: &str) -> EventAction {
        let Some(chunk) = Value::parse(data) else { return EventAction::Pass };
        let id = chunk.get("responseId").filter(|id| id.inner() != Some(""));
        if let (Some(id), true) = (id, self.hidden == 0 && self.id.is_none()) {
            self.id = Some(id.raw().to_owned());
        }
        if let Some(usage) = chunk.get("usageMetadata") {
            self.output = OutputTokens::from_usage(usage);
        }
        self.failed |= chunk.get("error").is_some_and(|error| !error.is_null());
        let candidate = chunk.get("candidates").and_then(|candidates| candidates.items().next());
        let Some(candidate) = candidate else {
            return if chunk.get("usageMetadata").is_some() && self.holds() {
                EventAction::Hold
            } else {
                EventAction::Pass
            };
        };
        let finish = candidate.get("finishReason").and_then(Value::text);
        if let Some(finish) = &finish {
            self.stop = Some(finish.clone().into_owned());
        }
        let content = candidate.get("content").filter(|content| content.is_object());
        let (mut shown, mut taken, mut text) = (Vec::new(), false, false);
        for part in content.into_iter().flat_map(parts) {
            self.bytes += part.raw().len();
            if self.bytes <= MAX_ROUND {
                self.parts.push(part.raw().to_owned());
            }
            text |= part.get("text").is_some() && !is_thought(part);
            self.ours |= is_ours(part);
            let visible = self.visible.part(part);
            taken |= visible.as_deref() != Some(part.raw());
            shown.extend(visible);
        }
        self.holding |= text && self.head.structured;
        let chunk_with = |shown: &[String], ends: bool| {
            let mut members = self.same(chunk);
            let content = content.map(|content| set(content, &[("parts", Some(array(shown)))]));
            let mut of_candidate = vec![("content", content)];
            if !ends {
                of_candidate.push(("finishReason", None));
            }
            members.push(("candidates", Some(array(&[set(candidate, &of_candidate)]))));
            set(chunk, &members)
        };
        if self.holding {
            let same = !taken && self.same(chunk).is_empty();
            return if same { EventAction::Hold } else { EventAction::HoldAs(chunk_with(&shown, true)) };
        }
        match (finish.is_some() && self.holds(), shown.is_empty()) {
            (true, true) => EventAction::Hold,
            (true, false) => EventAction::Split(chunk_with(&shown, false)),
            (false, true) if taken => EventAction::Drop,
            (false, _) if taken || !self.same(chunk).is_empty() => {
                EventAction::Instead(chunk_with(&shown, true))
            }
            (false, _) => EventAction::Pass,
        }
    }

    fn hold_no_more(&mut self) {
        self.head.structured = false;
        self.holding = false;
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn close(&mut self) {
        self.ended = self.stop.is_some();
    }

    fn round(&mut self) -> Round {
        let round = round_of(&self.parts, self.stop.as_deref().unwrap_or_default());
        if self.bytes > MAX_ROUND { Round { said: None, rest: None, ..round } } else { round }
    }

    fn again(&mut self) {
        let this = std::mem::take(self);
        *self = Self {
            head: this.head,
            hidden: this.hidden + 1,
            id: this.id,
            output_before: this.output_before.plus(this.output),
            ..Self::default()
        };
    }

    fn last(&mut self, data: &str, _: bool) -> EventAction {
        let Some(chunk) = Value::parse(data) else { return EventAction::Pass };
        let mut members = self.same(chunk);
        if let (Some(usage), true) = (chunk.get("usageMetadata"), self.hidden > 0) {
            members.push(("usageMetadata", Some(self.output_before.before(usage))));
        }
        let candidate = chunk.get("candidates").and_then(|candidates| candidates.items().next());
        if let (Some(candidate), false) = (candidate, self.holding) {
            // Its content has passed already.
            let content =
                candidate.get("content").map(|content| set(content, &[("parts", Some("[]".to_owned()))]));
            members.push(("candidates", Some(array(&[set(candidate, &[("content", content)])]))));
        }
        if members.is_empty() { EventAction::Pass } else { EventAction::Instead(set(chunk, &members)) }
    }

    fn failure(&self, failure: &Failure) -> String {
        let own = failure.body.as_deref().and_then(Value::parse).and_then(|body| body.get("error"));
        let own = own.filter(|error| error.is_object()).map(|error| {
            let mut compact = String::new();
            headroom_store::json::compact_into(error, &mut compact);
            compact
        });
        let error = own.unwrap_or_else(|| {
            let message = quote("The provider could not go on with this answer.");
            format!("{{\"code\":{},\"message\":{message},\"status\":\"UNAVAILABLE\"}}", failure.status)
        });
        format!("data: {{\"error\":{error}}}\r\n\r\n")
    }

    /// Some clients parse every line as data.
    fn ping(&self) -> Option<&'static str> {
        None
    }
}

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
struct GeminiBuffered {
    head: Head,
    shown: Vec<String>,
    /// The earlier answers without their candidates, followed by those without their content.
    answers_before: Vec<String>,
    candidates_before: Vec<String>,
    output: OutputTokens,
    last: String,
}

impl GeminiBuffered {
    fn candidate(body: &str) -> Option<(Value<'_>, Value<'_>)> {
        let answer = Value::parse(body)?;
        let mut candidates = answer.get("candidates")?.items();
        let candidate = candidates.next()?;
        candidates.next().is_none().then_some((answer, candidate))
    }
}

impl BufferedStitcher for GeminiBuffered {
    fn add(&mut self, body: &str) -> Option<Round> {
        let (_, candidate) = Self::candidate(body)?;
        let all = candidate.get("content").into_iter().flat_map(parts);
        let all: Vec<_> = all.map(|part| part.raw().to_owned()).collect();
        let stop = candidate.get("finishReason").and_then(Value::text).unwrap_or_default();
        let round = round_of(&all, &stop);
        let last = std::mem::replace(&mut self.last, body.to_owned());
        if let Some((answer, candidate)) = Self::candidate(&last) {
            let mut visible = Visible::default();
            let shown = candidate.get("content").into_iter().flat_map(parts);
            let structured = self.head.structured;
            let shown = shown.filter(|part| !structured || part.get("text").is_none() || is_thought(*part));
            self.shown.extend(shown.filter_map(|part| visible.part(part)));
            self.answers_before.push(set(answer, &[("candidates", None)]));
            self.candidates_before.push(set(candidate, &[("content", None)]));
            self.output = self
                .output
                .plus(answer.get("usageMetadata").map(OutputTokens::from_usage).unwrap_or_default());
        }
        Some(round)
    }

    fn finish(&mut self, _: bool) -> Option<String> {
        const OWN: [&str; 5] = ["candidates", "usageMetadata", "responseId", "modelVersion", "createTime"];
        const OWN_OF_CANDIDATE: [&str; 8] = [
            "content",
            "finishReason",
            "finishMessage",
            "index",
            "tokenCount",
            "avgLogprobs",
            "logprobsResult",
            "safetyRatings",
        ];

        let (answer, candidate) = Self::candidate(&self.last)?;
        let content = candidate.get("content");
        let mut visible = Visible::default();
        let own = content.into_iter().flat_map(parts).filter_map(|part| visible.part(part));
        let shown: Vec<_> = self.shown.iter().cloned().chain(own).collect();
        let content = match content {
            Some(content) => set(content, &[("parts", Some(array(&shown)))]),
            None => format!("{{\"role\":\"model\",\"parts\":{}}}", array(&shown)),
        };
        let carried = merge::carried(candidate, &self.candidates_before, &OWN_OF_CANDIDATE);
        let mut of_candidate = merge::members(&carried);
        of_candidate.push(("content", Some(content)));
        let carried = merge::carried(answer, &self.answers_before, &OWN);
        let mut members = merge::members(&carried);
        members.push(("candidates", Some(array(&[set(candidate, &of_candidate)]))));
        if let Some(usage) = answer.get("usageMetadata") {
            members.push(("usageMetadata", Some(self.output.before(usage))));
        }
        Some(set(answer, &members))
    }
}

//! Answers in one document.

use headroom_json::Value;

use super::{is_thought, parts, round_of, usage::OutputTokens, visible::Visible};
use crate::{
    api::{BufferedStitcher, Head, Round, array, merge},
    edit::set,
};

/// Stitches whole answers of an exchange.
#[derive(Debug, Default)]
pub(super) struct GeminiBuffered {
    head: Head,
    shown: Vec<String>,
    /// The earlier answers without their candidates, followed by those without their content.
    answers_before: Vec<String>,
    candidates_before: Vec<String>,
    output: OutputTokens,
    last: String,
}

impl GeminiBuffered {
    pub(super) fn new(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

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

//! What follows a refusal of the rewritten request.

use bytes::Bytes;
use headroom_json::Value;
use http::StatusCode;

use super::{Asked, End, Exchange, State};
use crate::{
    api::provider_format,
    chain::Link,
    command::{Command, Fallback, Input, Reply, Report},
    document::Collected,
    head::ResponseHead,
    limits::MAX_ERROR,
    rejected::Refusal,
    thinking::{newest_prompt, without_thinking_before},
};

impl Exchange {
    pub(super) fn head(&mut self, asked: Asked, head: ResponseHead) {
        self.has_ended = false;
        match asked {
            Asked::First if !self.may_be_ours(head.status) => self.begin(head),
            Asked::First if head.is_unreadable => self.ask_original(head.status, false),
            Asked::First => {
                self.state = State::Refusal { status: head.status, body: Collected::default() };
            }
            Asked::Original { status, may_unbind } => self.original_answered(status, may_unbind, head),
            Asked::Recent { status } => self.recent_answered(status, head),
            Asked::Unbound(event) => self.unbound_answered(event, head),
            Asked::Round { tries } => self.round_answered(tries, head),
        }
    }

    /// Handles a request that has no response.
    pub(super) fn unreachable(&mut self, asked: Asked) {
        match asked {
            Asked::First | Asked::Original { .. } => self.state = State::Over(End::Fail),
            Asked::Recent { status } => self.ask_original(status, true),
            Asked::Unbound(event) => {
                self.tell(event);
                self.reply(Reply::Kept);
            }
            Asked::Round { .. } => self.round_unreachable(),
        }
    }

    /// Whether the rewriting may have caused the refusal, so that the original may be accepted.
    fn may_be_ours(&self, status: StatusCode) -> bool {
        match status.as_u16() {
            400 | 422 => true,
            413 => self.rounds.sent.len() > self.original_len,
            _ => false,
        }
    }

    pub(super) fn refusal(&mut self, status: StatusCode, mut body: Collected, input: Input) {
        match input {
            Input::Data(data) => {
                body.push(data);
                if body.len() as u64 > MAX_ERROR {
                    self.ask_original(status, false);
                } else {
                    self.state = State::Refusal { status, body };
                }
            }
            Input::End if is_about_thinking(&body.take()) => self.refused_thinking(status),
            Input::End => self.ask_original(status, false),
            _ => self.ask_original(status, false),
        }
    }

    /// After an epoch, sends the same request without the thinking before the newest prompt, which is valid wherever
    /// thinking is bound; else the original.
    fn refused_thinking(&mut self, status: StatusCode) {
        let has_prompt = self.has_epochs && self.rounds.context.prompt.is_some();
        match has_prompt.then(|| self.without_thinking(newest_prompt)).flatten() {
            Some(body) => {
                self.rounds.sent = body;
                self.state = State::Head(Asked::Recent { status });
            }
            None => self.ask_original(status, true),
        }
    }

    fn recent_answered(&mut self, status: StatusCode, head: ResponseHead) {
        match self.rounds.context.prompt {
            Some(prompt) if head.status.is_success() => {
                self.remember(prompt, true);
                let api = self.rounds.api;
                self.tell(Fallback { api, status, accepted: false, unbound: false, epoch: true });
                self.begin(head);
            }
            _ => self.ask_original(status, true),
        }
    }

    /// Sends the original request, once. If that is refused too, and the refusal was about thinking, sends the
    /// rewritten request without thinking: the content that thinking followed is lost, and no other form of it is
    /// valid.
    pub(super) fn ask_original(&mut self, status: StatusCode, may_unbind: bool) {
        self.state = State::Head(Asked::Original { status, may_unbind });
    }

    fn original_answered(&mut self, status: StatusCode, may_unbind: bool, head: ResponseHead) {
        let accepted = head.status.is_success();
        let event = Fallback { api: self.rounds.api, status, accepted, unbound: false, epoch: false };
        // The first request of a conversation looks like that of any other with the same prompt.
        if accepted && self.rounds.context.turns > 0 {
            self.remember(self.rounds.context.link, false);
        }
        if may_unbind
            && self.may_be_ours(head.status)
            && let Some(body) = self.without_thinking(|_| Some(usize::MAX))
        {
            self.rounds.sent = body;
            self.state = State::Head(Asked::Unbound(event));
            return;
        }
        self.tell(event);
        self.reply(Reply::Received);
    }

    fn unbound_answered(&mut self, event: Fallback, head: ResponseHead) {
        if !head.status.is_success() {
            self.tell(event);
            self.reply(Reply::Kept);
            return;
        }
        self.remember(self.rounds.context.link, true);
        self.tell(Fallback { unbound: true, ..event });
        self.begin(head);
    }

    /// Returns the rewritten request without the thinking before this item, if it has any.
    fn without_thinking(&self, item: fn(&[Value<'_>]) -> Option<usize>) -> Option<Bytes> {
        let body = std::str::from_utf8(&self.rounds.sent).ok()?;
        let wire = provider_format(self.rounds.api)?;
        without_thinking_before(wire, body, |items| item(items).unwrap_or_default()).map(Bytes::from)
    }

    fn remember(&mut self, conversation: Link, unbound: bool) {
        let owner = self.rounds.context.owner.lasting().to_owned();
        let refusal = Refusal { owner, conversation, unbound };
        self.ready.push_back(Command::Remember(refusal));
    }

    fn tell(&mut self, event: Fallback) {
        self.ready.push_back(Command::Report(Report::Fallback(event)));
    }
}

/// Whether a provider's refusal mentions thinking. Each provider words this differently.
fn is_about_thinking(refusal: &[u8]) -> bool {
    const WORDS: [&str; 3] = ["thinking", "signature", "reasoning"];

    let text = String::from_utf8_lossy(refusal).to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

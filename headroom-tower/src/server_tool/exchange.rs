//! The rounds between the layer and the provider until the answer is complete.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use headroom_store::json::Value;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};

use super::{
    MAX_CALLS, MAX_CONTENT_ROUNDS, MAX_HIDDEN, MAX_ROUNDS,
    api::{Anchors, Answer, Call, ProviderFormat, Root, Round},
    keys::{self, keys},
    record::{Record, Shown},
    respond::Upstream,
    restore::ResponseContext,
    time::sleep,
};
use crate::{Retrieved, StoreFailure, config::Config};

/// How often a busy provider is asked again.
const MAX_RETRIES: u32 = 2;
/// The longest pause that a provider may ask for.
const MAX_PAUSE: Duration = Duration::from_secs(20);

/// A request that was sent in another form than the client's.
pub(crate) struct SentRequest {
    pub(crate) config: Arc<Config>,
    pub(crate) api: Api,
    pub(crate) tenant: String,
    /// Handles of content elided in this request.
    pub(crate) handles: Vec<Handle>,
    /// Head and body as the client sent them.
    pub(crate) original: (Parts, Bytes),
    /// Head and body as the layer sent them.
    pub(crate) sent: (Parts, Bytes),
    /// Whether the tool was added, so that the layer answers its calls.
    pub(crate) served: bool,
    pub(crate) ask: ResponseContext,
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest")
            .field("api", &self.api)
            .field("served", &self.served)
            .finish_non_exhaustive()
    }
}

/// The next step after a round.
pub(super) enum ExchangeStep<R, E> {
    /// Another round began with this response.
    Next(Response<R>),
    /// The round was the last. If a call of ours is left without an answer, `give_up` ends the turn.
    Last { give_up: bool },
    /// The turn would end here with nothing for the client.
    Empty,
    /// The provider refused to continue.
    Refused(Response<R>),
    /// The inner service failed.
    Failed(E),
}

/// The hidden side of one answer.
pub(super) struct Exchange<U> {
    pub(super) sent: SentRequest,
    pub(super) wire: &'static dyn ProviderFormat,
    upstream: U,
    /// Rounds hidden from the client.
    rounds: u32,
    calls: u32,
    /// The list items of those rounds.
    items: String,
    /// The range of those items in the body that was sent last, if there are any.
    hidden: Option<Range<usize>>,
    /// The breakpoint for the last of those items, so that they are read from the cache later.
    breakpoint: Option<String>,
    /// The arguments of answered calls.
    answered: Vec<String>,
    shown: Anchors,
    /// The client's id for the answer, if it is a stream.
    first_id: Option<String>,
    /// Whether an answer contains content that was not elided in this request.
    is_foreign: bool,
}

impl<U> Exchange<U> {
    pub(super) fn new(mut sent: SentRequest, wire: &'static dyn ProviderFormat, upstream: U) -> Self {
        // The original body is no longer needed.
        sent.original.1.clear();
        Self {
            sent,
            wire,
            upstream,
            rounds: 0,
            calls: 0,
            items: String::new(),
            hidden: None,
            breakpoint: None,
            answered: Vec::new(),
            shown: Anchors::default(),
            first_id: None,
            is_foreign: false,
        }
    }

    /// Whether the client's view differs from the provider's.
    pub(super) fn is_hidden(&self) -> bool {
        self.rounds > 0
    }

    /// Takes the next step after a round.
    pub(super) async fn turn<R>(&mut self, round: Round) -> ExchangeStep<R, U::Error>
    where
        U: Upstream<R>,
    {
        let give_up = !round.calls.is_empty() && !round.others;
        let Some(said) = round.said.as_deref().filter(|_| give_up && self.rounds < MAX_ROUNDS) else {
            return self.last(round, give_up).await;
        };
        let answers = self.answer(&round.calls).await;
        if !self.extend(said, &self.wire.results(&answers)) {
            return self.last(round, true).await;
        }
        let mut shown = round.shown;
        if self.sent.ask.head.structured {
            shown.text.clear();
        }
        self.shown.extend(shown);
        self.first_id = self.first_id.take().or(round.id);
        self.rounds += 1;
        match self.ask().await {
            Ok(response) if response.status().is_success() => ExchangeStep::Next(response),
            Ok(response) => {
                self.report(true);
                ExchangeStep::Refused(response)
            }
            Err(error) => {
                self.report(true);
                ExchangeStep::Failed(error)
            }
        }
    }

    /// Stores the hidden part of the answer before the client sees its end.
    async fn last<R, E>(&mut self, round: Round, give_up: bool) -> ExchangeStep<R, E> {
        let mixed = !round.calls.is_empty() && round.others;
        let said = if give_up { round.rest } else { round.said.clone() };
        let mut anchors = std::mem::take(&mut self.shown);
        anchors.extend(round.shown);
        let is_empty = give_up && anchors.text.trim().is_empty();
        let first_id = self.first_id.take().or_else(|| round.id.clone());
        let mut follow = Record { items: round.id.unwrap_or_default(), ..Record::default() };
        let mut record = None;
        if mixed && let Some(said) = &said {
            let answers = self.answer(&round.calls).await;
            let mixed = self.wire.mixed(said, &answers);
            follow.prepend.clone_from(&mixed.prepend);
            record = Some(mixed);
        } else if self.rounds > 0 {
            record = Some(Record { items: said.clone().unwrap_or_default(), ..Record::default() });
        }
        if let Some(mut record) = record {
            record.items = join(&self.items, &record.items);
            record.shown = Shown::new(&anchors);
            let keys = keys(self.sent.api, &anchors, self.sent.ask.link);
            let owner = self.sent.ask.owner.clone();
            self.keep(&owner.tenant, keys.unique, &record).await;
            // Content elided elsewhere stays with the credential that it was stored under.
            let lasting = if self.is_foreign { &owner.tenant } else { owner.lasting() };
            self.keep(lasting, keys.chained, &record).await;
            // A client that continues from this answer by its id means its last round, with our answers that the
            // provider expects.
            let names = [first_id.as_deref(), Some(&*follow.items)].into_iter().flatten();
            let names: Vec<_> = names.filter_map(|id| keys::answer(self.sent.api, id)).collect();
            if !follow.items.is_empty() {
                self.keep(&owner.tenant, names.clone(), &follow).await;
                // An id proves nothing about the conversation, so it alone does not give access to content.
                if follow.prepend.is_empty() && owner.account.is_some() {
                    self.keep(owner.lasting(), names, &follow).await;
                }
            }
        }
        self.report(give_up);
        if is_empty { ExchangeStep::Empty } else { ExchangeStep::Last { give_up } }
    }

    async fn keep(&mut self, tenant: &str, keys: Vec<Handle>, record: &Record) {
        let SentRequest { config, api, .. } = &self.sent;
        if let (Some(store), false) = (&config.store, keys.is_empty()) {
            // Without the record the next request continues from the client's view, as if nothing had been retrieved.
            if let Err(error) = store.put_record(tenant, &keys, &record.to_text()).await {
                config.observer.on_store_failure(&StoreFailure { error: Some(&error), api: *api });
            }
        }
    }

    fn report(&self, gave_up: bool) {
        if self.calls > 0 {
            let event =
                Retrieved { api: self.sent.api, rounds: self.rounds, calls: self.calls, incomplete: gave_up };
            crate::telemetry::retrieved(&self.sent.config, &event);
        }
    }

    async fn answer(&mut self, calls: &[Call]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            self.calls += 1;
            // Every call needs an answer, or the provider refuses the request.
            let text = if index < MAX_CALLS { self.text(call).await } else { ASK_AGAIN.to_owned() };
            answers.push(Answer { call: call.clone(), text });
        }
        answers
    }

    async fn text(&mut self, call: &Call) -> String {
        if self.rounds >= MAX_CONTENT_ROUNDS || self.items.len() > MAX_HIDDEN {
            return "The limit of headroom_retrieve for one answer is reached; go on without it.".to_owned();
        }
        if self.answered.contains(&call.arguments) {
            return "This was already shown above.".to_owned();
        }
        let Some(store) = &self.sent.config.store else {
            return "Nothing is kept.".to_owned();
        };
        match headroom_store::retrieve(&**store, &self.sent.tenant, &call.arguments).await {
            Ok(text) => {
                let handle = Value::parse(&call.arguments).and_then(|own| own.get("hash")?.text()?.parse().ok());
                self.is_foreign |= !handle.is_some_and(|handle| self.sent.handles.contains(&handle));
                self.answered.push(call.arguments.clone());
                text
            }
            Err(_) => "This cannot be fetched at the moment; go on without it, or get the text again with the tool that brought it.".to_owned(),
        }
    }

    /// Adds a round to the conversation that is sent.
    fn extend(&mut self, said: &str, results: &str) -> bool {
        let Some(body) = self.extended(said, results) else { return false };
        let (parts, sent) = &mut self.sent.sent;
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() as u64));
        *sent = Bytes::from(body);
        self.items = join(&self.items, &format!("{said},{results}"));
        true
    }

    fn extended(&mut self, said: &str, results: &str) -> Option<String> {
        let body = std::str::from_utf8(&self.sent.sent.1).ok()?;
        let mut opening = String::from(",");
        let mut closing = "";
        let place = match self.hidden.clone() {
            Some(hidden) => hidden,
            None => {
                let root = Root::parse(body, self.wire.list())?;
                let list = root.get(self.wire.list())?;
                self.breakpoint = self.wire.breakpoint(&root);
                if let Some(item) = self.wire.item(list) {
                    opening = format!("[{item},");
                    closing = "]";
                    list.start()..list.end()
                } else if list.is_array() && list.items().next().is_some() {
                    list.end() - 1..list.end() - 1
                } else {
                    return None;
                }
            }
        };
        if self.hidden.is_some() {
            opening.clear();
        }
        // Move the breakpoint: content cached up to the previous one is found from the next.
        let marked = self.breakpoint.as_deref().and_then(|marker| self.wire.marked(results, marker));
        let items = join(&self.items, &format!("{said},{}", marked.as_deref().unwrap_or(results)));
        let (before, after) = (body.get(..place.start)?, body.get(place.end..)?);
        let from = before.len() + opening.len();
        self.hidden = Some(from..from + items.len());
        Some([before, &opening, &items, closing, after].concat())
    }

    async fn ask<R>(&mut self) -> Result<Response<R>, U::Error>
    where
        U: Upstream<R>,
    {
        let mut tries = 0;
        loop {
            let (parts, body) = &self.sent.sent;
            let response = self.upstream.ask(parts.clone(), body.clone()).await?;
            if !is_busy(response.status()) || tries >= MAX_RETRIES {
                return Ok(response);
            }
            tries += 1;
            let Some(pause) = pause(&response, tries).and_then(sleep) else { return Ok(response) };
            drop(response);
            pause.await;
        }
    }
}

/// The answer to a call beyond the limit of a round.
const ASK_AGAIN: &str =
    "Too many calls of headroom_retrieve at once: this one was not answered. Ask again for it.";

fn join(items: &str, more: &str) -> String {
    match (items, more) {
        ("", items) | (items, "") => items.to_owned(),
        _ => format!("{items},{more}"),
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504 | 529)
}

/// Returns how long to wait before asking again; `None` if it is not worth it.
fn pause<R>(response: &Response<R>, tries: u32) -> Option<Duration> {
    let headers = response.headers();
    if headers.get("x-should-retry").is_some_and(|value| value == "false") {
        return None;
    }
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let pause = after.map_or(Duration::from_secs(u64::from(tries)), Duration::from_secs);
    (pause <= MAX_PAUSE).then_some(pause)
}

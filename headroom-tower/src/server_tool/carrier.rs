//! Carries out what an exchange asks for, with the layer's store and the inner service.

use std::{fmt, sync::Arc};

use headroom_core::Api;
use headroom_retrieval::{
    Command, Exchange, FetchOriginals, Fetched, Input, Report, RequestHead, ResponseHead, RewrittenRequest,
    StoreRecord, UpstreamRequest,
};
use http::{HeaderValue, Response, header, request::Parts};

use super::{decoded::is_readable, upstream::Upstream};
use crate::{Fallback, Retrieved, StoreOperation, config::Config, store_call, telemetry};

/// A request that was sent in another form than the client's.
pub(crate) struct SentRequest {
    pub(crate) config: Arc<Config>,
    pub(crate) request: RewrittenRequest,
    /// The head as the client sent it.
    pub(crate) original: Parts,
    /// The head as the layer sent it.
    pub(crate) sent: Parts,
}

impl SentRequest {
    /// Begins the exchange about its answer.
    pub(super) fn begin<U>(self, upstream: U) -> (Exchange, Carrier<U>) {
        let Self { config, request, original, sent } = self;
        let carrier = Carrier { config, api: request.api, original, rewritten: sent, upstream };
        (Exchange::new(request), carrier)
    }
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest")
            .field("api", &self.request.api)
            .field("serves", &self.request.serves)
            .finish_non_exhaustive()
    }
}

/// The I/O of one exchange.
pub(super) struct Carrier<U> {
    config: Arc<Config>,
    api: Api,
    /// The head of the request as the client sent it.
    original: Parts,
    /// The head of the request as the layer sent it.
    rewritten: Parts,
    upstream: U,
}

impl<U> Carrier<U> {
    /// Sends a request.
    pub(super) async fn send<R>(&mut self, request: UpstreamRequest) -> Result<Response<R>, U::Error>
    where
        U: Upstream<R>,
    {
        let UpstreamRequest { head, body, .. } = request;
        let parts = match head {
            RequestHead::Original => self.original.clone(),
            RequestHead::Rewritten => {
                let length = HeaderValue::from(body.len() as u64);
                self.rewritten.headers.insert(header::CONTENT_LENGTH, length);
                self.rewritten.clone()
            }
        };
        self.upstream.ask(parts, body).await
    }

    /// Carries out a command that concerns the store or the observer, and returns its result, if the exchange waits for
    /// that.
    pub(super) async fn perform(&mut self, command: Command) -> Option<Input> {
        match command {
            Command::Fetch(fetch) => Some(Input::Fetched(self.fetch(fetch).await)),
            Command::Store(record) => {
                self.store(record).await;
                Some(Input::Stored)
            }
            command => {
                self.note(&command);
                None
            }
        }
    }

    /// Carries out a command that nothing waits for.
    pub(super) fn note(&self, command: &Command) {
        match command {
            Command::Remember(refusal) => self.config.refusals.add(refusal),
            Command::Report(Report::Retrieved(own)) => {
                let event = Retrieved {
                    api: own.api,
                    rounds: own.rounds,
                    calls: own.calls,
                    incomplete: own.incomplete,
                };
                telemetry::retrieved(&self.config, &event);
            }
            Command::Report(Report::Fallback(own)) => {
                let event = Fallback {
                    api: own.api,
                    status: own.status,
                    accepted: own.accepted,
                    unbound: own.unbound,
                    epoch: own.epoch,
                };
                telemetry::fallback(&self.config, &event);
            }
            _ => {}
        }
    }

    async fn fetch(&mut self, fetch: FetchOriginals) -> Vec<Fetched> {
        let FetchOriginals { tenant, handles } = fetch;
        let mut fetched = Vec::with_capacity(handles.len());
        for handle in handles {
            fetched.push(match &self.config.originals {
                None => Fetched::Missing,
                Some(store) => {
                    let content = store.get(&tenant, &handle);
                    match store_call::ask(&self.config, self.api, StoreOperation::Read, content).await {
                        Some(content) => content.map_or(Fetched::Missing, Fetched::Content),
                        None => Fetched::Failed,
                    }
                }
            });
        }
        fetched
    }

    async fn store(&mut self, record: StoreRecord) {
        let StoreRecord { tenant, keys, record } = record;
        let Some(store) = &self.config.exchanges else { return };
        // Without the record the next request continues from the client's view, as if nothing had been retrieved.
        let stored = store.put_record(&tenant, &keys, &record);
        let _ = store_call::ask(&self.config, self.api, StoreOperation::Write, stored).await;
    }
}

/// Returns what the exchange needs to know of a response.
pub(super) fn head<R>(response: &Response<R>) -> ResponseHead {
    let head = ResponseHead::new(response.status(), response.headers());
    if is_readable(response.headers()) { head } else { head.unreadable() }
}

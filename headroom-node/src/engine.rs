//! The engine, as TypeScript calls it.

use bytes::Bytes;
use headroom_bindings::{BlockingEngine, BlockingStore, CallOptions, RequestParts};
use headroom_core::{Api, Hints};
use napi::{Result, bindgen_prelude::AsyncTask};
use napi_derive::napi;

use crate::{
    body::RequestBody,
    errors,
    exchange::Exchange,
    outcome::{MessagesOutcome, RequestOutcome, TextOutcome},
    settings::{self, Settings},
    store::{self, Store},
    task::{Later, later, now},
};

/// Compresses requests. Its cache makes the next request of a growing conversation cheap and changes no output.
#[napi]
#[derive(Debug)]
pub struct Engine {
    inner: BlockingEngine,
}

/// Where a text is from.
#[napi(object, object_to_js = false)]
#[derive(Debug)]
pub struct TextSource {
    /// The tool that returned it.
    pub tool: Option<String>,
    /// The arguments of its call.
    pub arguments: Option<String>,
    /// What the user asked.
    pub query: Option<String>,
    /// The model that will read it.
    pub model: String,
}

#[napi]
#[expect(clippy::needless_pass_by_value, reason = "how napi passes objects and strings")]
#[expect(clippy::too_many_arguments, reason = "the package's own code is the only caller")]
impl Engine {
    /// Creates an engine.
    #[napi(constructor)]
    pub fn new(max_body: f64, cache_capacity: f64) -> Result<Self> {
        let size = |bytes| usize::try_from(store::bytes(bytes)?).map_err(errors::configuration);
        Ok(Self { inner: BlockingEngine::new(size(max_body)?, size(cache_capacity)?) })
    }

    /// Compresses messages, on this thread.
    #[napi]
    pub fn messages(
        &self,
        body: &mut RequestBody,
        api: String,
        store: &Store,
        settings: Settings,
    ) -> Result<MessagesOutcome> {
        let work = self.messages_work(body, &api, store, &settings)?;
        now(|| Ok(work()))
    }

    /// Compresses messages, and counts the tokens of many.
    #[napi(ts_return_type = "Promise<MessagesOutcome>")]
    pub fn messages_later(
        &self,
        body: &mut RequestBody,
        api: String,
        store: &Store,
        settings: Settings,
    ) -> Result<AsyncTask<Later<MessagesOutcome>>> {
        let work = self.messages_work(body, &api, store, &settings)?;
        Ok(later(move || Ok(work().counted())))
    }

    /// Compresses the body of a request, on this thread.
    #[napi]
    pub fn request(
        &self,
        body: &mut RequestBody,
        api: Option<String>,
        store: &Store,
        settings: Settings,
    ) -> Result<RequestOutcome> {
        let work = self.request_work(body, api.as_deref(), store, &settings)?;
        now(|| Ok(work()))
    }

    /// Compresses the body of a request.
    #[napi(ts_return_type = "Promise<RequestOutcome>")]
    pub fn request_later(
        &self,
        body: &mut RequestBody,
        api: Option<String>,
        store: &Store,
        settings: Settings,
    ) -> Result<AsyncTask<Later<RequestOutcome>>> {
        let work = self.request_work(body, api.as_deref(), store, &settings)?;
        Ok(later(move || Ok(work())))
    }

    /// Compresses one piece of content, on this thread.
    #[napi]
    pub fn text(
        &self,
        text: String,
        source: TextSource,
        store: &Store,
        settings: Settings,
    ) -> Result<TextOutcome> {
        let work = self.text_work(text, source, store, settings.options()?);
        now(|| Ok(work()))
    }

    /// Compresses one piece of content.
    #[napi(ts_return_type = "Promise<TextOutcome>")]
    pub fn text_later(
        &self,
        text: String,
        source: TextSource,
        store: &Store,
        settings: Settings,
    ) -> Result<AsyncTask<Later<TextOutcome>>> {
        let work = self.text_work(text, source, store, settings.options()?);
        Ok(later(move || Ok(work())))
    }

    /// Begins the exchange about a request, whose answers the caller reads.
    #[napi]
    pub fn exchange(
        &self,
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: &mut RequestBody,
        api: String,
        store: &Store,
        settings: Settings,
    ) -> Result<Exchange> {
        let call = settings.exchange_options()?;
        let (body, _) = body.take();
        let api = Some(settings::api(&api)?);
        let request = RequestParts { method: &method, url: &url, headers, body, api };
        Ok(Exchange::new(self.inner.clone(), store.inner.clone(), call, request))
    }

    /// Whether a body of this length is compressed fast enough for an event loop.
    #[napi]
    #[must_use]
    pub fn is_quick(bytes: u32) -> bool {
        BlockingEngine::is_quick(bytes as usize)
    }
}

impl Engine {
    fn messages_work(
        &self,
        body: &mut RequestBody,
        api: &str,
        store: &Store,
        settings: &Settings,
    ) -> Result<impl FnOnce() -> MessagesOutcome + Send + use<>> {
        let (call, api) = (settings.options()?, settings::api(api)?);
        let (engine, store, (body, list)) = self.parts(store, body);
        Ok(move || {
            let compressed = engine.compress(&store, &call, api, body.clone());
            MessagesOutcome::new(body, list, compressed)
        })
    }

    fn request_work(
        &self,
        body: &mut RequestBody,
        api: Option<&str>,
        store: &Store,
        settings: &Settings,
    ) -> Result<impl FnOnce() -> RequestOutcome + Send + use<>> {
        let (call, api) = (settings.options()?, api.map(settings::api).transpose()?);
        let (engine, store, (body, _)) = self.parts(store, body);
        Ok(move || match api.or_else(|| Api::detect(&body)) {
            Some(api) => engine.compress(&store, &call, api, body).into(),
            None => RequestOutcome::unknown(body.len()),
        })
    }

    fn text_work(
        &self,
        text: String,
        source: TextSource,
        store: &Store,
        call: CallOptions,
    ) -> impl FnOnce() -> TextOutcome + Send + use<> {
        let TextSource { tool, arguments, query, model } = source;
        let hints = Hints::new().model(&model);
        let hints = tool.into_iter().fold(hints, |hints, tool| hints.tool(tool));
        let hints = arguments.into_iter().fold(hints, |hints, arguments| hints.arguments(arguments));
        let hints = query.into_iter().fold(hints, |hints, query| hints.query(query));
        let (engine, store) = (self.inner.clone(), store.inner.clone());
        move || TextOutcome::new(&text, &model, engine.compress_text(&store, &call, &text, &hints))
    }

    fn parts(
        &self,
        store: &Store,
        body: &mut RequestBody,
    ) -> (BlockingEngine, BlockingStore, (Bytes, usize)) {
        (self.inner.clone(), store.inner.clone(), body.take())
    }
}

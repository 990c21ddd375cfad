//! Asks a model one question, with and without Headroom.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use headroom_evals::{conformance::ask::Ask, questions::EvalItem};
use headroom_store::MemoryStore;
use headroom_tower::{HeadroomLayer, HeadroomOverride};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{
    LiveError,
    cache::{Cache, CacheLine},
};
use crate::{
    cmd::evals::client::{ClientError, EvalAnswer, EvalClient},
    config::{Base, Config},
    setup::layer,
    usage::Usage,
};

/// How often a busy server is retried, and the first delay.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);

/// Whether Headroom rewrites the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arm {
    Without,
    With,
}

/// What a model answered.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveAnswer {
    pub(super) text: String,
    pub(super) usage: Usage,
    pub(super) calls: u64,
    pub(super) cached: bool,
}

pub(super) struct Asker {
    model: String,
    api: Api,
    headers: HeaderMap,
    client: EvalClient,
    layer: HeadroomLayer,
    /// Everything that decides what the layer does to a request.
    version: String,
    runtime: Runtime,
    cache: Cache,
}

impl Asker {
    pub(super) fn new(
        model: &str,
        upstream: Option<Base>,
        config: &Config,
        cache: Cache,
    ) -> Result<Self, LiveError> {
        let is_claude = model.starts_with("claude");
        let (api, host, variable) = if is_claude {
            (Api::Anthropic, "api.anthropic.com", "ANTHROPIC_API_KEY")
        } else {
            (Api::OpenAiChat, "api.openai.com", "OPENAI_API_KEY")
        };
        let key = env::var(variable).unwrap_or_default();
        if key.is_empty() && upstream.is_none() {
            return Err(LiveError::NoKey(variable));
        }
        let base = upstream.unwrap_or_else(|| Base::fixed(host));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self {
            model: model.to_owned(),
            api,
            headers: headers(api, &key),
            client: EvalClient::new(base)?,
            layer: layer(config, Arc::new(MemoryStore::new())).blocking_threshold(u64::MAX),
            version: format!("{} {} {:?}", env!("CARGO_PKG_VERSION"), config.tier, config.models),
            runtime: runtime.map_err(LiveError::Runtime)?,
            cache,
        })
    }

    /// Asks a question whose text is the result of a tool call.
    pub(super) fn ask(&mut self, item: &EvalItem, arm: Arm) -> Result<LiveAnswer, LiveError> {
        let question = format!("{}\n\n{}", item.question, item.score.wanted());
        let ask = Ask {
            question: &question,
            tool: "search_documents",
            arguments: json!({"query": item.question}),
            result: &item.text,
        };
        let body = ask.body(self.api);
        self.answer(&self.model.clone(), &body, arm)
    }

    /// Asks the judge whether an answer agrees with a reference; its answer begins with yes or no.
    pub(super) fn judge(
        &mut self,
        model: &str,
        question: &str,
        references: &[String],
        answer: &str,
    ) -> Result<LiveAnswer, LiveError> {
        let text = format!(
            "Question: {question}\n\nCorrect answers, any of which will do: {}\n\nAnswer to judge: {answer}\n\n\
             Does the answer to judge say what one of the correct answers says, and nothing that is against them? \
             Begin with yes or no.",
            references.join("; ")
        );
        let body = json!({"messages": [{"role": "user", "content": text}]}).to_string();
        self.answer(model, body.as_bytes(), Arm::Without)
    }

    fn answer(&mut self, model: &str, body: &[u8], arm: Arm) -> Result<LiveAnswer, LiveError> {
        let body = self.with_model(model, body);
        let version = if arm == Arm::With { self.version.clone() } else { String::new() };
        let key = Handle::from_content(&format!(
            "{} {version}\n{}",
            self.client.base(),
            String::from_utf8_lossy(&body)
        ))
        .to_string();
        if let Some(line) = self.cache.get(&key) {
            let (text, usage, calls) = (line.text.clone(), line.usage, line.calls);
            return Ok(LiveAnswer { text, usage, calls, cached: true });
        }
        let (answer, usage, calls) = self.send(body, arm)?;
        let text = said(self.api, &answer).ok_or_else(|| LiveError::Unknown {
            path: self.path(),
            api: self.api.as_str(),
            said: start(&answer),
        })?;
        self.cache.put(CacheLine { key, text: text.clone(), usage, calls })?;
        Ok(LiveAnswer { text, usage, calls, cached: false })
    }

    fn send(&self, body: Vec<u8>, arm: Arm) -> Result<(Bytes, Usage, u64), LiveError> {
        let body = Bytes::from(body);
        let spent = Arc::new(Mutex::new((Usage::default(), 0_u64)));
        let (client, path, headers, sum) =
            (self.client.clone(), self.path(), self.headers.clone(), Arc::clone(&spent));
        let upstream = service_fn(move |request: Request<Bytes>| {
            let (client, headers, sum) = (client.clone(), headers.clone(), Arc::clone(&sum));
            async move {
                let answer = patient(&client, path, &headers, request.into_body()).await?;
                let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                *sum = (sum.0 + answer.usage.unwrap_or_default(), sum.1 + 1);
                let mut response = Response::new(Full::new(answer.body));
                *response.status_mut() = answer.status;
                // Only the header that describes the body, which is complete here.
                if let Some(kind) = answer.headers.get(http::header::CONTENT_TYPE) {
                    response.headers_mut().insert(http::header::CONTENT_TYPE, kind.clone());
                }
                Ok::<_, ClientError>(response)
            }
        });
        let (status, answer) = self.runtime.block_on(async {
            if arm == Arm::Without {
                let response = upstream.oneshot(Request::new(body)).await?;
                let status = response.status();
                let Ok(body) = response.into_body().collect().await;
                return Ok::<_, LiveError>((status, body.to_bytes()));
            }
            // The layer passes on its own body type; the client needs bytes.
            let behind = service_fn(move |request: Request<_>| {
                let upstream = upstream.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = BodyExt::collect(body).await.map(|body| body.to_bytes()).unwrap_or_default();
                    upstream.oneshot(Request::from_parts(parts, body)).await
                }
            });
            let service = ServiceBuilder::new().layer(self.layer.clone()).service(behind);
            let mut request = Request::new(Full::new(body));
            *request.uri_mut() = http::Uri::from_static(path);
            *request.method_mut() = http::Method::POST;
            request.headers_mut().extend(self.headers.clone());
            request.extensions_mut().insert(HeadroomOverride::new().api(self.api).tenant("evals"));
            let response = service.oneshot(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            Ok((status, body))
        })?;
        if !status.is_success() {
            return Err(LiveError::Refused { path, status: status.as_u16(), said: start(&answer) });
        }
        let (usage, calls) = *spent.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((answer, usage, calls))
    }

    const fn path(&self) -> &'static str {
        if matches!(self.api, Api::Anthropic) { "/v1/messages" } else { "/v1/chat/completions" }
    }

    /// Sets the model of a request.
    fn with_model(&self, model: &str, body: &[u8]) -> Vec<u8> {
        let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(members) = request.as_object_mut() {
            members.insert("model".to_owned(), json!(model));
            if self.api == Api::Anthropic {
                members.insert("max_tokens".to_owned(), json!(2_048));
            }
        }
        request.to_string().into_bytes()
    }
}

/// Retries while the server is busy.
async fn patient(
    client: &EvalClient,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<EvalAnswer, ClientError> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        let answer = client.post(path, headers.clone(), body.clone()).await?;
        if !matches!(answer.status.as_u16(), 429 | 500..=599) {
            return Ok(answer);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    client.post(path, headers.clone(), body).await
}

fn headers(api: Api, key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(name != "content-type");
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    add("content-type", "application/json");
    match api {
        Api::Anthropic => {
            add("anthropic-version", "2023-06-01");
            add("x-api-key", key);
        }
        _ if !key.is_empty() => add("authorization", &format!("Bearer {key}")),
        _ => {}
    }
    headers
}

/// The text of an answer. A tool call without an answer counts as no text.
fn said(api: Api, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    if api == Api::Anthropic {
        let blocks = body.get("content")?.as_array()?;
        let texts = blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str));
        return Some(texts.collect::<Vec<_>>().join("\n"));
    }
    let message = body.get("choices")?.get(0)?.get("message")?;
    Some(message.get("content").and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// The start of a server's response, for an error.
fn start(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}

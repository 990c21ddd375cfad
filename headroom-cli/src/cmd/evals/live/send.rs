//! Sends one request to the server, through Headroom or not, and tells what an answer means for the run.

use std::{
    future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use headroom_core::Api;
use headroom_tower::{HeadroomLayer, HeadroomOverride};
use http::{HeaderMap, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use tokio::time::timeout;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::{
    LiveError,
    failure::{Failure, FailureKind, Refusal},
};
use crate::{
    cmd::evals::client::{ClientError, EvalAnswer, EvalClient},
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

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum AskError {
    /// To this question only.
    Failure(Failure),
    /// A signal asked to stop.
    Stopped,
    /// To any question.
    Fatal(LiveError),
}

impl From<LiveError> for AskError {
    fn from(error: LiveError) -> Self {
        Self::Fatal(error)
    }
}

impl From<ClientError> for AskError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Slow(..) => {
                Self::Failure(Failure { kind: FailureKind::TimedOut, said: error.to_string() })
            }
            error => Self::Fatal(error.into()),
        }
    }
}

/// What came over all rounds of an answer.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) body: Bytes,
    pub(super) usage: Usage,
    /// Requests that the provider accepted.
    pub(super) calls: u64,
}

/// Sends requests of one API to one server.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) client: EvalClient,
    pub(super) headers: HeaderMap,
    pub(super) layer: HeadroomLayer,
    pub(super) api: Api,
    /// The variable with the key, for errors.
    pub(super) variable: &'static str,
    /// How long a whole answer may take.
    pub(super) patience: Duration,
}

impl Sender {
    /// Sends a request and waits for its whole answer, over all rounds.
    pub(super) async fn send(&self, arm: Arm, path: &str, body: Bytes) -> Result<Received, AskError> {
        let spent = Arc::new(Mutex::new((Usage::default(), 0_u64)));
        let (client, headers, sum, to) =
            (self.client.clone(), self.headers.clone(), Arc::clone(&spent), path.to_owned());
        let upstream = service_fn(move |request: Request<Bytes>| {
            let (client, headers, sum, to) = (client.clone(), headers.clone(), Arc::clone(&sum), to.clone());
            async move {
                let answer = patient(&client, &to, &headers, request.into_body()).await?;
                if answer.status.is_success() {
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    *sum = (sum.0 + answer.usage.unwrap_or_default(), sum.1 + 1);
                }
                Ok::<_, ClientError>(response(answer))
            }
        });
        let answering = async {
            if arm == Arm::With {
                return self.through_headroom(path, body, upstream).await;
            }
            let response = upstream.oneshot(Request::new(body)).await?;
            let status = response.status().as_u16();
            let Ok(body) = response.into_body().collect().await;
            Ok((status, body.to_bytes()))
        };
        let slow = |_| ClientError::Slow(self.client.base().clone(), self.patience.as_secs());
        let (status, body) = timeout(self.patience, answering).await.map_err(slow)??;
        if !(200..300).contains(&status) {
            return Err(self.refusal(path, status, &body));
        }
        let (usage, calls) = *spent.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Received { body, usage, calls })
    }

    /// Returns the body that the server gets first for this one with Headroom.
    pub(super) async fn rewritten(&self, path: &str, body: Bytes) -> Result<Bytes, AskError> {
        let sent = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&sent);
        let capture = service_fn(move |request: Request<Bytes>| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(request.into_body());
            // Nobody reads this answer.
            future::ready(Ok::<_, ClientError>(Response::new(Full::new(Bytes::from_static(b"{}")))))
        });
        self.through_headroom(path, body, capture).await?;
        let sent = sent.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(sent.unwrap_or_default())
    }

    /// Sends a request through the layer to this upstream. Returns the status and the body of the answer.
    async fn through_headroom<S>(
        &self,
        path: &str,
        body: Bytes,
        upstream: S,
    ) -> Result<(u16, Bytes), ClientError>
    where
        S: Service<Request<Bytes>, Response = Response<Full<Bytes>>, Error = ClientError>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let uri: Uri = path.parse().map_err(|error: http::uri::InvalidUri| {
            ClientError::Request(self.client.base().clone(), error.to_string())
        })?;
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
        (*request.uri_mut(), *request.method_mut()) = (uri, Method::POST);
        request.headers_mut().extend(self.headers.clone());
        request.extensions_mut().insert(HeadroomOverride::new().api(self.api).tenant("evals"));
        let response = service.oneshot(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Ok((status, body))
    }

    fn refusal(&self, path: &str, status: u16, body: &[u8]) -> AskError {
        let (path, variable, said) = (path.to_owned(), self.variable, start(body));
        match Refusal::of(status, &String::from_utf8_lossy(body)) {
            Refusal::Key => LiveError::Key { path, status, said, variable }.into(),
            Refusal::NotFound => LiveError::NotFound { path, status, said }.into(),
            Refusal::Question(kind) => AskError::Failure(Failure {
                kind,
                said: format!("{path}: the server answered {status}: {said}"),
            }),
        }
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
        let (status, said) = (answer.status.as_u16(), String::from_utf8_lossy(&answer.body));
        if answer.status.is_success() || Refusal::of(status, &said) != Refusal::Question(FailureKind::Busy) {
            return Ok(answer);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    client.post(path, headers.clone(), body).await
}

/// An answer for the layer, with the only header that it needs: the body is complete here.
fn response(answer: EvalAnswer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    if let Some(kind) = answer.headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}

/// The start of a server's response, for an error.
pub(super) fn start(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}

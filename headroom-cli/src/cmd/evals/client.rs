//! Sends requests to a server and reads whole answers.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy, rt::TokioExecutor};
use tokio::time::timeout;

use crate::{
    config::Base,
    observed::Observed,
    proxy::Connector,
    usage::{Usage, UsageReader},
};

/// Default timeout of an answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// A client for one server.
#[derive(Clone, Debug)]
pub(super) struct EvalClient {
    client: legacy::Client<Connector, Full<Bytes>>,
    base: Base,
    patience: Duration,
}

/// A server's answer.
#[derive(Clone, Debug, Default)]
pub(super) struct EvalAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The usage that the server reported.
    pub(super) usage: Option<Usage>,
}

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("cannot reach {0}: {1}; start the server, or name another one")]
    Unreachable(Base, String),
    #[error("{0} gave no whole answer in {1} s")]
    Slow(Base, u64),
    #[error("cannot make a request to {0}: {1}")]
    Request(Base, String),
}

impl EvalClient {
    pub(super) fn new(base: Base) -> Result<Self, rustls::Error> {
        let client = legacy::Client::builder(TokioExecutor::new()).build(Connector::new()?);
        Ok(Self { client, base, patience: PATIENCE })
    }

    /// Gives up answers that take longer.
    pub(super) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) const fn base(&self) -> &Base {
        &self.base
    }

    /// Posts a body to a path.
    pub(super) async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<EvalAnswer, ClientError> {
        let invalid = |error: &dyn Error| ClientError::Request(self.base.clone(), error.to_string());
        let path: Uri = path.parse().map_err(|error| invalid(&error))?;
        let uri = self.base.join(&path).map_err(|error| invalid(&error))?;
        let mut request = Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (Method::POST, uri, headers);
        let answer = async {
            let unreachable = |error: &dyn Error| {
                let mut inner = error;
                while let Some(source) = inner.source() {
                    inner = source;
                }
                ClientError::Unreachable(self.base.clone(), inner.to_string())
            };
            let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
            let (parts, body) = response.into_parts();
            let mut usage = None;
            let told = |counted: Option<Usage>, _: Option<&str>| usage = counted.or(usage);
            let body = Observed::new(body, UsageReader::new(&parts.headers, told));
            let body = body.collect().await.map_err(|error| unreachable(&error))?.to_bytes();
            Ok(EvalAnswer { status: parts.status, headers: parts.headers, body, usage })
        };
        let slow = |_| ClientError::Slow(self.base.clone(), self.patience.as_secs());
        timeout(self.patience, answer).await.map_err(slow)?
    }
}

//! Calls of a store, whose panics fail no request and whose failures are told.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
};

use headroom_core::Api;
use headroom_store::StoreError;

use crate::{StoreFailure, StoreOperation, config::Config, telemetry};

/// Polls an answer of the store. The error is `None` where the store panicked.
pub(crate) fn poll_store<T, F>(
    answer: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, Option<StoreError>>>
where
    F: Future<Output = Result<T, StoreError>> + ?Sized,
{
    match catch_unwind(AssertUnwindSafe(|| answer.poll(cx))) {
        Ok(answer) => answer.map_err(Some),
        Err(_) => Poll::Ready(Err(None)),
    }
}

/// Waits for an answer of the store; `None` if it failed, which the observer is told.
pub(crate) async fn ask<T>(
    config: &Config,
    api: Api,
    operation: StoreOperation,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Option<T> {
    let mut answer = pin!(answer);
    match poll_fn(|cx| poll_store(answer.as_mut(), cx)).await {
        Ok(answer) => Some(answer),
        Err(error) => {
            telemetry::store_failure(config, &StoreFailure { operation, error: error.as_ref(), api });
            None
        }
    }
}

//! `GET /v1/retrieve/HASH`: returns elided content, or a part of it.

use std::error::Error;

use axum::response::Response;
use headroom_tower::{
    headroom_core::Handle,
    headroom_store::{OriginalStore, RetrieveQuery},
};
use http::StatusCode;
use serde_json::json;

use super::answer;

/// The parameters of the query string.
const NAMES: &str = "lines, rows, path, query and max_bytes";

pub(super) async fn answer(store: &dyn OriginalStore, tenant: &str, hash: &str, query: &str) -> Response {
    let (handle, slice) = match (Handle::from_any_spelling(hash), slice(query)) {
        (Ok(handle), Ok(slice)) => (handle, slice),
        (Err(error), _) => {
            return answer::failure(StatusCode::BAD_REQUEST, &format!("/v1/retrieve/HASH: {error}"));
        }
        (_, Err(message)) => return answer::failure(StatusCode::BAD_REQUEST, &message),
    };
    match store.get(tenant, &handle).await {
        Ok(Some(content)) => {
            // The whole, byte for byte, or the part with its position in the whole.
            let text = slice.map_or_else(|| content.to_string(), |slice| slice.answer(&content));
            let mut found = json!({
                "hash": hash,
                "bytes": content.len(),
                "lines": content.lines().count(),
                "text": text,
            });
            // Gateways with hashes in hexadecimal digits read this.
            if let Some(members) = found.as_object_mut().filter(|_| hash == handle.to_hex()) {
                members.insert("original_content".to_owned(), text.into());
            }
            answer::json(StatusCode::OK, found.to_string())
        }
        Ok(None) => {
            let message = format!(
                "nothing is kept under {handle}: it was never stored here, or not seen for so long that it was dropped"
            );
            answer::failure(StatusCode::NOT_FOUND, &message)
        }
        Err(error) => {
            let message = format!("cannot look for {handle}: {}", chain(&error));
            answer::failure(StatusCode::INTERNAL_SERVER_ERROR, &message)
        }
    }
}

/// Formats the error and its causes. It holds no content.
fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}

/// Parses the part that a query string selects; `None` for the whole.
fn slice(query: &str) -> Result<Option<RetrieveQuery>, String> {
    let (mut slice, mut has_lines, mut has_rows) = (None::<RetrieveQuery>, false, false);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let so_far = slice.take().unwrap_or_default();
        slice = Some(match &*name {
            "lines" => {
                has_lines = true;
                so_far.lines(value)
            }
            "rows" => {
                has_rows = true;
                so_far.rows(value)
            }
            "path" => so_far.path(value),
            "query" => so_far.query(value),
            "max_bytes" => {
                let bytes =
                    value.parse().map_err(|_| format!("max_bytes: {value:?} is not a number of bytes"))?;
                so_far.max_bytes(bytes)
            }
            _ => return Err(format!("{name:?} is no part that can be asked for; there are {NAMES}")),
        });
    }
    if has_lines && has_rows {
        return Err("ask for lines or rows, not both".to_owned());
    }
    Ok(slice)
}

//! `GET /v1/retrieve/HASH`: what was set aside, or a part of it.

use headroom_core::Handle;
use headroom_store::Spool;
use http::{Response, StatusCode, Uri};

use super::failure;
use crate::{
    proxy::{
        answer::{self, ResponseBody},
        storing::OpenStore,
    },
    retrieve::Wanted,
    store,
};

pub(super) const PATH: &str = "/v1/retrieve";

/// The names that a query may have; the slices of `headroom retrieve`.
const NAMES: &str = "lines, rows, path, query and max_bytes";

pub(super) async fn answer(store: &OpenStore, spool: Option<&Spool>, uri: &Uri) -> Response<ResponseBody> {
    let (handle, wanted) = match (handle(uri.path()), wanted(uri.query().unwrap_or_default())) {
        (Ok(handle), Ok(wanted)) => (handle, wanted),
        (Err(message), _) | (_, Err(message)) => {
            return failure(StatusCode::BAD_REQUEST, &format!("headroom: {message}"));
        }
    };
    let found = match (store.find(&handle).await, spool) {
        (Ok(None), Some(spool)) => spool.find(&handle).await,
        (found, _) => found,
    };
    match found {
        Ok(Some(content)) => answer::json(wanted.answer(handle, &content).to_string()),
        Ok(None) => {
            let message = format!(
                "headroom: nothing is kept under {handle}: it was never set aside here, or not seen for so long that \
                 it was dropped"
            );
            failure(StatusCode::NOT_FOUND, &message)
        }
        Err(error) => {
            let message = format!("headroom: cannot look for {handle}: {}", store::reason(Some(&error)));
            failure(StatusCode::INTERNAL_SERVER_ERROR, &message)
        }
    }
}

fn handle(path: &str) -> Result<Handle, String> {
    let hash = path.strip_prefix(PATH).unwrap_or_default().trim_matches('/');
    hash.parse().map_err(|error| format!("{PATH}/HASH: {error}"))
}

fn wanted(query: &str) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        match &*name {
            "lines" => wanted.lines = Some(value),
            "rows" => wanted.rows = Some(value),
            "path" => wanted.path = Some(value),
            "query" => wanted.query = Some(value),
            "max_bytes" => {
                let bytes =
                    value.parse().map_err(|_| format!("max_bytes: {value:?} is no number of bytes"))?;
                wanted.max_bytes = Some(bytes);
            }
            _ => return Err(format!("{name:?} is no part that can be asked for; there are {NAMES}")),
        }
    }
    if wanted.lines.is_some() && wanted.rows.is_some() {
        return Err("ask for lines or rows, not both".to_owned());
    }
    Ok(wanted)
}

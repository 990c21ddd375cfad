//! Serves the dashboard and its data.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use headroom_core::Tier;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use tower::BoxError;

use super::failure;
use crate::{
    ledger::{self, EpochAccount, EpochState, History, LedgerTotals},
    proxy::{
        answer::{self, ResponseBody},
        auth::bearer,
        dashboard::Board,
    },
};

/// Days of the ledger that are shown.
const DAYS: u64 = 30;
const DAY: u64 = 24 * 60 * 60;
/// Maximum age of the ledger's data.
const FRESH: Duration = Duration::from_secs(2);
/// Maximum length of a code.
const MAX_CODE: usize = 256;

/// Allows only the proxy's own resources and script, and no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// A file of the page. It contains no user data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Asset {
    Page,
    Style,
    Script,
    Icon,
}

/// Serves the page to logged-in browsers.
#[derive(Debug)]
pub(in crate::proxy) struct Dashboard {
    board: Arc<Board>,
    tier: Tier,
    start: Instant,
    /// `None` if the user has no folder.
    ledger: Option<Arc<Mutex<WatchedStream>>>,
}

/// The ledger, and when it was last read.
#[derive(Debug)]
struct WatchedStream {
    history: History,
    at: Option<Instant>,
}

impl Asset {
    pub(super) fn answer(self) -> Response<ResponseBody> {
        let (kind, text) = match self {
            Self::Page => ("text/html; charset=utf-8", include_str!("../../../assets/dashboard/page.html")),
            Self::Style => ("text/css; charset=utf-8", include_str!("../../../assets/dashboard/style.css")),
            Self::Script => {
                ("text/javascript; charset=utf-8", include_str!("../../../assets/dashboard/script.js"))
            }
            Self::Icon => ("image/svg+xml", include_str!("../../../assets/dashboard/icon.svg")),
        };
        let mut response = answer::whole(StatusCode::OK, kind, text);
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl Dashboard {
    pub(in crate::proxy) fn new(board: Board, home: Option<&Path>, tier: Tier) -> Self {
        let watched = |home| WatchedStream { history: History::in_folder(home), at: None };
        let ledger = home.map(|home| Arc::new(Mutex::new(watched(home))));
        Self { board: Arc::new(board), tier, start: Instant::now(), ledger }
    }

    pub(super) const fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Creates a code for one session. The caller has shown the token.
    pub(super) fn code(&self) -> Response<ResponseBody> {
        match self.board.code() {
            Some(code) => answer::json(format!("{}\n", json!({"code": code}))),
            None => failure(
                StatusCode::INTERNAL_SERVER_ERROR,
                "headroom: the system has no randomness for a code",
            ),
        }
    }

    /// Exchanges the code in the body for a session.
    pub(super) async fn session<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let code = Limited::new(request.into_body(), MAX_CODE).collect().await;
        match code.ok().and_then(|code| self.board.open_session(&code.to_bytes())) {
            Some(session) => answer::json(format!("{}\n", json!({"session": session}))),
            None => refused("the code was used, expired, or is wrong"),
        }
    }

    pub(super) async fn data(&self, headers: &HeaderMap) -> Response<ResponseBody> {
        if !self.is_let_in(headers) {
            return refused("the session is unknown or expired");
        }
        let ledger = match &self.ledger {
            Some(ledger) => {
                let ledger = Arc::clone(ledger);
                tokio::task::spawn_blocking(move || read(&ledger)).await.unwrap_or(Value::Null)
            }
            None => Value::Null,
        };
        let data = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "tier": self.tier,
            "uptime_seconds": self.start.elapsed().as_secs(),
            "prices_as_of": ledger::as_of(),
            "ledger": ledger,
            "live": self.board.to_json(),
        });
        answer::json(format!("{data}\n"))
    }

    /// `request/ID` is a request's details, `request/ID/N` its block N before and after.
    pub(super) async fn request(&self, headers: &HeaderMap, path: &str) -> Response<ResponseBody> {
        if !self.is_let_in(headers) {
            return refused("the session is unknown or expired");
        }
        let (id, block) = path.split_once('/').map_or((path, None), |(id, block)| (id, Some(block)));
        let detail = id.parse().ok().and_then(|id| self.board.detail(id));
        let shown = match (detail, block.map(str::parse)) {
            (Some(detail), None) => Some(detail.to_json()),
            (Some(detail), Some(Ok(block))) => {
                tokio::task::spawn_blocking(move || detail.texts(block)).await.ok().flatten()
            }
            _ => None,
        };
        match shown {
            Some(shown) => answer::json(format!("{shown}\n")),
            None => failure(StatusCode::NOT_FOUND, "headroom: no details of this request are kept"),
        }
    }

    fn is_let_in(&self, headers: &HeaderMap) -> bool {
        bearer(headers).is_some_and(|session| self.board.knows(session))
    }
}

fn refused(why: &str) -> Response<ResponseBody> {
    let message = format!("headroom: {why}; `headroom dashboard` gives a new link");
    failure(StatusCode::UNAUTHORIZED, &message)
}

/// Reads the last days of the ledger, to which all proxies of the user write.
fn read(ledger: &Mutex<WatchedStream>) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let names: Vec<String> = (0..DAYS).rev().map(|ago| ledger::day(now.saturating_sub(ago * DAY))).collect();
    let WatchedStream { history, at } = &mut *ledger.lock().unwrap_or_else(PoisonError::into_inner);
    let mut error = None;
    if at.is_none_or(|at| at.elapsed() >= FRESH) {
        let since = names.first().map_or("", String::as_str);
        error = history.update(since).err().map(|error| error.to_string());
        *at = Some(Instant::now());
    }
    let mut days: BTreeMap<&str, LedgerTotals> =
        names.iter().map(|day| (day.as_str(), LedgerTotals::default())).collect();
    let mut models: BTreeMap<(&str, &str), LedgerTotals> = BTreeMap::new();
    for (day, model, sums) in history.sums() {
        if let Some(of_day) = days.get_mut(day) {
            of_day.merge(sums);
            models.entry((day, model)).or_default().merge(sums);
        }
    }
    let since = now.saturating_sub(DAYS * DAY);
    let lost = |account: &&&EpochAccount| account.last >= since && account.state(now) == EpochState::Lost;
    let accounts = history.epochs();
    let lost: Vec<_> = accounts
        .iter()
        .filter(lost)
        .map(|account| json!({"day": ledger::day(account.last), "gain": account.gain}))
        .collect();
    let with = |sums: &LedgerTotals, fields: &[(&str, &str)]| {
        let mut row = json!(sums);
        for (name, value) in fields {
            if let Some(row) = row.as_object_mut() {
                row.insert((*name).to_owned(), json!(value));
            }
        }
        row
    };
    json!({
        "days": days.iter().map(|(day, sums)| with(sums, &[("day", day)])).collect::<Vec<_>>(),
        "models": models
            .iter()
            .map(|((day, model), sums)| with(sums, &[("day", day), ("model", model)]))
            .collect::<Vec<_>>(),
        "lost_epochs": lost,
        "head_changes": history.heads().to_json(),
        "error": error,
    })
}

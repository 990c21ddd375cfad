//! The data of the dashboard: recent requests, and savings by tool and by project.

mod copies;
mod decode;
mod detail;
mod project;
mod session;
mod share;
mod show;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use headroom_tower::RequestReport;
use http::HeaderMap;

pub(super) use self::{
    copies::{Bodies, CopiedBody, Copies, OpenCopies, Side},
    project::find as project_of,
};
use self::{detail::Detail, session::Sessions, share::Shares};
use crate::{blocks::reason, ledger::Entry};

/// Maximum number of requests.
const MAX_REQUESTS: usize = 100;
/// Maximum size of their details: texts and reports. The oldest are dropped first.
const MAX_HELD: usize = 16 << 20;
/// The header in which a client may name the project of a request.
const PROJECT: &str = "x-headroom-project";

/// Receives every finished turn. Nothing is written to disk.
#[derive(Debug)]
pub(super) struct Board {
    /// Whether texts are kept.
    content: bool,
    /// Start time, in seconds since 1970.
    since: u64,
    open: OpenCopies,
    seen: Mutex<RequestRecord>,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct RequestRecord {
    /// Number of requests so far.
    count: u64,
    /// Newest first.
    requests: VecDeque<Request>,
    held: usize,
    tools: Shares,
    projects: Shares,
}

/// A finished turn.
#[derive(Debug)]
struct Request {
    id: u64,
    entry: Entry,
    project: Option<String>,
    duration: Duration,
    /// Why the request was passed on unchanged, if it was.
    why: Option<String>,
    detail: Option<Arc<Detail>>,
}

/// What is known of an open request.
#[derive(Debug)]
pub(super) struct Begun {
    start: Instant,
    project: Option<String>,
}

impl Begun {
    /// Takes a project that the body names, unless a header named one.
    pub(super) fn or(self, project: Option<String>) -> Self {
        Self { project: self.project.or(project), ..self }
    }
}

impl Board {
    pub(super) fn new(content: bool) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self {
            content,
            since,
            open: OpenCopies::default(),
            seen: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// Called when a request arrives. Returns what to copy of it, and what to pass to [`add`](Self::add) when it is
    /// over.
    pub(super) fn begin(&self, headers: &HeaderMap) -> (Copies, Begun) {
        let project = headers.get(PROJECT).and_then(|name| name.to_str().ok());
        let project = project.map(str::trim).filter(|name| !name.is_empty()).map(project::shorten);
        // Without texts, the body is still needed to find the project.
        (Copies::new(self.open.clone(), headers), Begun { start: Instant::now(), project })
    }

    pub(super) fn add(
        &self,
        begun: Begun,
        entry: &Entry,
        report: Option<&RequestReport>,
        bodies: Option<Bodies>,
    ) {
        let project = begun.project;
        let engine = report.and_then(RequestReport::report);
        let why = report.and_then(RequestReport::skip_reason).map(reason::of_request);
        let detail =
            report.map(|report| Arc::new(Detail::new(report, entry, bodies.filter(|_| self.content))));
        let mut seen = self.seen();
        seen.count += 1;
        if entry.is_accepted() {
            let name = project.as_deref().unwrap_or(share::UNKNOWN);
            seen.projects.add(name, entry, entry.saved_new, entry.saved_cached);
            if let Some(engine) = engine.filter(|_| entry.outcome == "rewritten") {
                share::by_tool(engine, entry, &mut seen.tools);
            }
        }
        let id = seen.count;
        let duration = begun.start.elapsed();
        seen.push(Request { id, entry: entry.clone(), project, duration, why, detail });
    }

    fn seen(&self) -> MutexGuard<'_, RequestRecord> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The details of a request, if still kept.
    pub(super) fn detail(&self, id: u64) -> Option<Arc<Detail>> {
        self.seen().requests.iter().find(|request| request.id == id)?.detail.clone()
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates a login code; `None` if the system has no randomness.
    pub(super) fn code(&self) -> Option<String> {
        self.sessions().code(Instant::now())
    }

    pub(super) fn open_session(&self, code: &[u8]) -> Option<String> {
        self.sessions().open(code, Instant::now())
    }

    pub(super) fn knows(&self, session: &[u8]) -> bool {
        self.sessions().knows(session, Instant::now())
    }
}

impl RequestRecord {
    fn push(&mut self, request: Request) {
        self.held += request.weight();
        self.requests.push_front(request);
        if self.requests.len() > MAX_REQUESTS
            && let Some(last) = self.requests.pop_back()
        {
            self.held -= last.weight();
        }
        let mut oldest = self.requests.iter_mut().rev();
        while self.held > MAX_HELD
            && let Some(request) = oldest.next()
        {
            self.held -= request.weight();
            request.detail = None;
        }
    }
}

impl Request {
    fn weight(&self) -> usize {
        self.detail.as_ref().map_or(0, |detail| detail.weight())
    }
}

#[cfg(test)]
mod tests {
    use headroom_tower::{PromptCompressionLayer, RequestReport};
    use http_body_util::{BodyExt, Full};

    use super::*;

    fn entry() -> Entry {
        serde_json::from_str(
            r#"{"at":1,"provider":"openai","status":200,"outcome":"rewritten","calls":1,"tokens_before":9,
                "tokens_after":4,"saved_new":5,"saved_cached":0}"#,
        )
        .unwrap()
    }

    /// The layer's report for a request without anything to do.
    async fn report() -> RequestReport {
        let request = http::Request::post("/v1/messages")
            .body(Full::<bytes::Bytes>::from(r#"{"messages":[]}"#))
            .unwrap();
        PromptCompressionLayer::new().rewrite(request).await.into_parts().0.extensions.remove().unwrap()
    }

    async fn add(board: &Board, before: Vec<u8>, after: Vec<u8>) {
        let (copies, begun) = board.begin(&HeaderMap::new());
        copies.copy(Full::<bytes::Bytes>::from(before), Side::Before).collect().await.unwrap();
        copies.copy(Full::<bytes::Bytes>::from(after), Side::After).collect().await.unwrap();
        let bodies = copies.take();
        let project = bodies.as_ref().and_then(|bodies| project_of(&bodies.before));
        board.add(begun.or(project), &entry(), Some(&report().await), bodies);
    }

    #[tokio::test]
    async fn the_last_requests_stay_and_their_texts_as_long_as_there_is_room() {
        let board = Board::new(true);
        for _ in 0..2 * MAX_REQUESTS {
            add(&board, vec![b' '; 1 << 20], vec![b' '; 1 << 20]).await;
        }
        let seen = board.seen();
        assert_eq!(seen.requests.len(), MAX_REQUESTS);
        assert!(seen.held <= MAX_HELD, "{}", seen.held);
        let is_kept = |request: &&Request| request.detail.is_some();
        let kept: Vec<u64> = seen.requests.iter().filter(is_kept).map(|request| request.id).collect();
        let last = 2 * MAX_REQUESTS as u64;
        assert_eq!(kept, (last - 7..=last).rev().collect::<Vec<_>>(), "the newest have theirs");
        assert_eq!(seen.held, seen.requests.iter().map(Request::weight).sum::<usize>());
    }

    #[tokio::test]
    async fn without_texts_the_project_is_known_all_the_same() {
        let board = Board::new(false);
        add(&board, br#"{"system":"Working directory: /shop\n"}"#.to_vec(), Vec::new()).await;
        let seen = board.seen();
        assert_eq!(seen.requests[0].project.as_deref(), Some("/shop"));
        assert_eq!(seen.held, 0);
        drop(seen);
        assert_eq!(board.to_json()["projects"][0]["name"], "/shop");
        assert!(!format!("{:?}", board.detail(1)).contains("Working"));
    }
}

//! Runs an exchange against answers that are known from the start, and checks that its commands come in a legal order.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a check fails by panicking"
)]

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use headroom_core::Handle;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    Command, Exchange, FetchOriginals, Fetched, Input, Reply, Report, RequestHead, ResponseHead,
    RewrittenRequest, StoreRecord, UpstreamRequest,
    limits::{MAX_RETRIES, MAX_ROUNDS},
};

/// One answer of the provider.
#[derive(Clone, Debug)]
pub struct ScriptedAnswer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub end: AnswerEnd,
}

/// What follows the last byte of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerEnd {
    Whole,
    Breaks,
    Damaged,
    /// Not even the head comes.
    Silent,
    /// The head names an encoding that nobody knows.
    Unreadable,
}

/// A request, the answers to it and to all that follow, and where they are cut.
#[derive(Clone, Debug)]
pub struct Script {
    pub request: RewrittenRequest,
    pub answers: Vec<ScriptedAnswer>,
    /// Lengths of the pieces, again and again; whole where it is empty.
    pub cuts: Vec<usize>,
    /// What the store has. It fails for handles that are mapped to nothing.
    pub originals: BTreeMap<Handle, Option<Arc<str>>>,
    pub has_timer: bool,
}

/// What came of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// `received`, `kept`, `stream`, `document` or `unfinished`.
    pub reply: &'static str,
    /// All that the client got, the bytes that pass unread too.
    pub client: Vec<u8>,
    /// The requests that the provider got: whether as the client sent it, and the body.
    pub sent: Vec<(bool, Bytes)>,
    pub fetched: Vec<Handle>,
    pub stored: Vec<StoreRecord>,
    pub reports: Vec<Report>,
    pub waits: usize,
    /// Whether the client's answer broke off.
    pub failed: bool,
}

/// A response while it is read.
struct Current {
    answer: ScriptedAnswer,
    at: usize,
    pieces: usize,
    ended: bool,
}

impl Current {
    fn rest(&self) -> &[u8] {
        &self.answer.body[self.at..]
    }
}

impl Script {
    /// Runs it.
    ///
    /// # Panics
    ///
    /// If a command is not legal where it comes.
    #[must_use]
    pub fn run(&self) -> Transcript {
        let mut exchange = Exchange::new(self.request.clone());
        let mut run = Run { script: self, transcript: Transcript::default(), current: None, kept: None };
        let max_sent = 3 + (MAX_ROUNDS * (MAX_RETRIES + 1)) as usize;
        loop {
            let command = exchange.poll();
            let waits = !matches!(
                command,
                Command::Respond(_) | Command::Write(_) | Command::Remember(_) | Command::Report(_)
            );
            if waits {
                refuses_other_inputs(&mut exchange, &command);
            }
            match run.perform(command) {
                Some(input) => exchange.handle(input).expect("the input that was asked for"),
                None if waits => break,
                None => {}
            }
            if run.is_over() {
                break;
            }
            assert!(run.transcript.sent.len() <= max_sent, "too many requests");
        }
        assert!(run.transcript.failed || !run.transcript.reply.is_empty(), "the client is answered");
        run.transcript
    }
}

struct Run<'a> {
    script: &'a Script,
    transcript: Transcript,
    current: Option<Current>,
    kept: Option<Current>,
}

impl Run<'_> {
    /// Whether the client has a whole response.
    fn is_over(&self) -> bool {
        !matches!(self.transcript.reply, "" | "stream")
    }

    fn perform(&mut self, command: Command) -> Option<Input> {
        let is_stream = self.transcript.reply == "stream";
        match command {
            Command::Send(request) => Some(self.send(request)),
            Command::Read { .. } => Some(self.read()),
            Command::Fetch(fetch) => Some(self.fetch(fetch)),
            Command::Store(record) => {
                assert!(!record.keys.is_empty(), "it can be found");
                self.transcript.stored.push(record);
                Some(Input::Stored)
            }
            Command::Wait(_) => {
                self.transcript.waits += 1;
                if self.script.has_timer {
                    self.current = None;
                    return Some(Input::Waited);
                }
                Some(Input::CannotWait)
            }
            Command::Respond(reply) => {
                assert_eq!(self.transcript.reply, "", "the client is answered once");
                self.reply(reply);
                None
            }
            Command::Write(bytes) => {
                assert!(is_stream && !bytes.is_empty(), "only a stream is written");
                self.transcript.client.extend_from_slice(&bytes);
                None
            }
            Command::Forward => {
                assert!(is_stream, "only a stream has a rest");
                let rest = self.current.as_ref().expect("a response").rest();
                self.transcript.client.extend_from_slice(rest);
                None
            }
            Command::Fail => {
                self.transcript.failed = true;
                None
            }
            Command::Report(report) => {
                self.transcript.reports.push(report);
                None
            }
            Command::Remember(_) | Command::Done => None,
        }
    }

    fn send(&mut self, request: UpstreamRequest) -> Input {
        let is_original = request.head == RequestHead::Original;
        self.kept = self.current.take().filter(|_| request.keeps_response);
        let answer = self.script.answers.get(self.transcript.sent.len());
        self.transcript.sent.push((is_original, request.body));
        let answer = answer.filter(|answer| answer.end != AnswerEnd::Silent);
        let Some(answer) = answer else { return Input::Unreachable };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        let status = StatusCode::from_u16(answer.status).unwrap();
        let head = ResponseHead::new(status, &headers);
        let is_unreadable = answer.end == AnswerEnd::Unreadable;
        self.current = Some(Current { answer: answer.clone(), at: 0, pieces: 0, ended: false });
        Input::Head(if is_unreadable { head.unreadable() } else { head })
    }

    fn fetch(&mut self, fetch: FetchOriginals) -> Input {
        assert!(!fetch.handles.is_empty(), "something is to be fetched");
        assert_eq!(fetch.tenant, self.script.request.tenant, "of this tenant");
        let originals = &self.script.originals;
        let fetched = fetch.handles.iter().map(|handle| match originals.get(handle) {
            Some(Some(content)) => Fetched::Content(Arc::clone(content)),
            Some(None) => Fetched::Failed,
            None => Fetched::Missing,
        });
        let fetched = fetched.collect();
        self.transcript.fetched.extend(fetch.handles);
        Input::Fetched(fetched)
    }

    /// Returns the next piece of the current response.
    fn read(&mut self) -> Input {
        let current = self.current.as_mut().expect("there is a response to read");
        assert!(!current.ended, "it is read to its end only once");
        if current.rest().is_empty() {
            current.ended = true;
            return match current.answer.end {
                AnswerEnd::Breaks => Input::Broken,
                AnswerEnd::Damaged => Input::Damaged,
                _ => Input::End,
            };
        }
        let cuts = &self.script.cuts;
        let cut = if cuts.is_empty() { usize::MAX } else { cuts[current.pieces % cuts.len()].max(1) };
        current.pieces += 1;
        let piece = Bytes::copy_from_slice(&current.rest()[..cut.min(current.rest().len())]);
        current.at += piece.len();
        Input::Data(piece)
    }

    fn reply(&mut self, reply: Reply) {
        let (name, body) = match reply {
            Reply::Stream => ("stream", Vec::new()),
            Reply::Received => ("received", self.current.as_ref().expect("a response").answer.body.clone()),
            Reply::Kept => {
                ("kept", self.kept.as_ref().expect("a response that was kept").answer.body.clone())
            }
            Reply::Document(body) => ("document", body.to_vec()),
            Reply::Unfinished(body) => ("unfinished", body.to_vec()),
        };
        self.transcript.reply = name;
        self.transcript.client = body;
    }
}

/// Checks that an exchange takes no input but the one that this command waits for, and says the same again.
fn refuses_other_inputs(exchange: &mut Exchange, command: &Command) {
    let head = ResponseHead::new(StatusCode::OK, &HeaderMap::new());
    let inputs = [
        (Input::Head(head), matches!(command, Command::Send(_))),
        (Input::Unreachable, matches!(command, Command::Send(_))),
        (Input::Data(Bytes::from_static(b"x")), matches!(command, Command::Read { .. })),
        (Input::End, matches!(command, Command::Read { .. })),
        (Input::Fetched(Vec::new()), matches!(command, Command::Fetch(_))),
        (Input::Stored, matches!(command, Command::Store(_))),
        (Input::Waited, matches!(command, Command::Wait(_))),
    ];
    for (input, is_awaited) in inputs {
        if !is_awaited {
            let name = input.as_str();
            assert!(exchange.handle(input).is_err(), "{name} for {command:?}");
        }
    }
    assert_eq!(exchange.poll(), *command, "it asks again");
}

//! The client's answer, as its bytes come.

use bytes::Bytes;
use http::StatusCode;

use super::{Answer, End, Exchange, State};
use crate::{
    api::Failure,
    command::{Command, Input, Reply},
    document::{Collected, DocumentStep, StitchedDocument},
    head::{BodyKind, ResponseHead},
    limits::MAX_ERROR,
    stream::{StitchedStream, StreamStep},
};

impl Exchange {
    /// Begins the client's answer with the response that was accepted.
    pub(super) fn begin(&mut self, head: ResponseHead) {
        let wire = self.wire.filter(|_| self.serves && head.status == StatusCode::OK);
        let Some(wire) = wire.filter(|_| head.kind != BodyKind::Other) else {
            self.reply(Reply::Received);
            return;
        };
        if head.is_unreadable {
            // A call in it would reach the client. The original request does not offer the tool.
            self.ask_original(head.status, false);
            return;
        }
        // The original body is no longer needed.
        self.original = Bytes::new();
        let asked = self.rounds.context.head;
        self.answer = if let BodyKind::Stream(framing) = head.kind {
            self.ready.push_back(Command::Respond(Reply::Stream));
            Answer::Stream(Box::new(StitchedStream::new(wire, asked, framing)))
        } else {
            Answer::Document(Box::new(StitchedDocument::new(wire, asked)))
        };
        self.state = State::Round;
    }

    /// Takes in some of the body of a round.
    pub(super) fn body(&mut self, input: Input) {
        self.has_ended = !matches!(input, Input::Data(_));
        match &mut self.answer {
            Answer::Open => {}
            Answer::Stream(stream) => {
                let step = match input {
                    Input::Data(data) => stream.read(data),
                    Input::End => stream.end(false),
                    Input::Damaged => stream.end(true),
                    _ => {
                        stream.break_off();
                        self.state = State::Over(End::Fail);
                        return;
                    }
                };
                match step {
                    StreamStep::Read => {}
                    StreamStep::Turn(round) => self.turn(*round),
                    StreamStep::Done => self.state = State::Over(End::Done),
                }
            }
            Answer::Document(document) => {
                let step = match input {
                    Input::Data(data) => document.read(data),
                    Input::End => document.end(),
                    _ => document.unread(),
                };
                match step {
                    DocumentStep::Read => {}
                    DocumentStep::Turn(round) => self.turn(*round),
                    DocumentStep::Received => self.reply(Reply::Received),
                    DocumentStep::Unfinished => self.unfinished(),
                }
            }
        }
    }

    /// Handles an answer without anything for the client.
    pub(super) fn unfinished(&mut self) {
        let failure = Failure::unfinished();
        if let Answer::Stream(_) = self.answer {
            self.fail(&failure);
        } else {
            self.reply(Reply::Unfinished(Bytes::from(failure.body.unwrap_or_default())));
        }
    }

    /// Ends a stream with an error event.
    pub(super) fn fail(&mut self, failure: &Failure) {
        if let Answer::Stream(stream) = &mut self.answer {
            stream.fail(failure);
        }
        self.state = State::Over(End::Done);
    }

    /// Reads the error that ends a stream, if it can be read.
    pub(super) fn read_error(&mut self, head: ResponseHead) {
        if head.is_unreadable {
            self.fail(&Failure { status: head.status.as_u16(), body: None });
        } else {
            self.state = State::Error { status: head.status, body: Collected::default() };
        }
    }

    pub(super) fn error(&mut self, status: StatusCode, mut body: Collected, input: Input) {
        let body = match input {
            Input::Data(data) => {
                body.push(data);
                if body.len() as u64 <= MAX_ERROR {
                    self.state = State::Error { status, body };
                    return;
                }
                None
            }
            Input::End => String::from_utf8(body.take().to_vec()).ok(),
            _ => None,
        };
        self.fail(&Failure { status: status.as_u16(), body });
    }
}

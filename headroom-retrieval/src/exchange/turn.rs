//! The step from a round to the next, or to the end of the answer.

use bytes::Bytes;

use super::{Answer, Asked, End, Exchange, State};
use crate::{
    api::{Failure, Round},
    command::{Fetched, Reply},
    head::{BodyKind, ResponseHead},
    limits::MAX_RETRIES,
    rounds::{Ending, Turn, TurnStep},
};

impl Exchange {
    /// Takes the next step after a round.
    pub(super) fn turn(&mut self, round: Round) {
        let turn = self.rounds.begin(round);
        if self.rounds.needs(&turn).is_some() {
            self.state = State::Originals(Box::new(turn));
        } else {
            self.step(turn, Vec::new());
        }
    }

    pub(super) fn step(&mut self, turn: Turn, fetched: Vec<Fetched>) {
        let Some(wire) = self.wire else { return };
        match self.rounds.step(wire, turn, fetched) {
            TurnStep::Ask => self.state = State::Head(Asked::Round { tries: 0 }),
            TurnStep::End(ending) => self.keep(ending),
        }
    }

    /// Has the hidden part of the answer stored before the client sees its end.
    pub(super) fn keep(&mut self, ending: Box<Ending>) {
        if ending.records.is_empty() {
            self.finish(&ending);
        } else {
            self.state = State::Records(ending);
        }
    }

    fn finish(&mut self, ending: &Ending) {
        self.report(ending.give_up);
        if ending.is_empty {
            self.unfinished();
            return;
        }
        match &mut self.answer {
            Answer::Stream(stream) => {
                stream.finish(ending.give_up);
                self.state = State::Over(if self.has_ended { End::Done } else { End::Forward });
            }
            Answer::Document(document) => {
                let stitched = document.finish(ending.give_up);
                self.reply(stitched.map_or(Reply::Received, |body| Reply::Document(Bytes::from(body))));
            }
            Answer::Open => {}
        }
    }

    /// Handles the head of a later round.
    pub(super) fn round_answered(&mut self, tries: u32, head: ResponseHead) {
        if !head.status.is_success() {
            let pause = head.pause(tries + 1).filter(|_| tries < MAX_RETRIES);
            match pause {
                Some(pause) => self.state = State::Time { pause, tries: tries + 1, head },
                None => self.refused(head),
            }
            return;
        }
        match &mut self.answer {
            Answer::Stream(stream) if head.kind != BodyKind::Stream(stream.framing) => self.read_error(head),
            Answer::Stream(_) if head.is_unreadable => self.fail(&Failure::unreachable()),
            Answer::Stream(stream) => {
                stream.again();
                self.state = State::Round;
            }
            Answer::Document(_) if head.is_unreadable => self.unfinished(),
            Answer::Document(document) => {
                document.again();
                self.state = State::Round;
            }
            Answer::Open => {}
        }
    }

    /// Handles a provider that refuses to continue.
    pub(super) fn refused(&mut self, head: ResponseHead) {
        self.report(true);
        match self.answer {
            Answer::Stream(_) => self.read_error(head),
            _ => self.reply(Reply::Received),
        }
    }

    /// Handles a provider that cannot be reached any more.
    pub(super) fn round_unreachable(&mut self) {
        self.report(true);
        match self.answer {
            Answer::Stream(_) => self.fail(&Failure::unreachable()),
            _ => self.state = State::Over(End::Fail),
        }
    }
}

//! The state machine of one answer.

mod answer;
mod fallback;
mod turn;

use std::{collections::VecDeque, fmt, time::Duration};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use http::StatusCode;

use crate::{
    api::{ProviderFormat, provider_format},
    command::{Command, Fallback, Input, Reply, Report, RequestHead, UnexpectedInput, UpstreamRequest},
    document::{Collected, StitchedDocument},
    head::ResponseHead,
    limits::{MAX_ANSWER, MAX_ERROR},
    restore::ResponseContext,
    rounds::{Ending, Rounds, Turn},
    stream::StitchedStream,
};

/// A request as it was rewritten, and all that the exchange about its answer needs to know.
#[derive(Clone)]
pub struct RewrittenRequest {
    /// The wire format.
    pub api: Api,
    /// Whose originals the model may get.
    pub tenant: String,
    /// Handles of the content that was elided in this request.
    pub handles: Vec<Handle>,
    /// The body as the client sent it, still encoded.
    pub original: Bytes,
    /// The body as it is sent.
    pub rewritten: Bytes,
    /// Whether the tool was added, so that its calls are answered here. Otherwise the exchange only sends the original
    /// if the rewritten request is refused.
    pub serves: bool,
    /// Whether old content left the request at an epoch.
    pub has_epochs: bool,
    /// The place of the answer in its conversation.
    pub context: ResponseContext,
}

/// Everything between a rewritten request and the end of the client's answer.
///
/// See the [crate docs](crate) for the whole loop. It does no I/O: [`poll`](Self::poll) says what to do, and
/// [`handle`](Self::handle) takes what came of it. The same inputs always give the same commands.
#[must_use = "an exchange does nothing unless polled"]
pub struct Exchange {
    state: State,
    rounds: Rounds,
    original: Bytes,
    original_len: usize,
    serves: bool,
    has_epochs: bool,
    wire: Option<&'static dyn ProviderFormat>,
    answer: Answer,
    /// Whether the body of the current response is complete.
    has_ended: bool,
    /// Commands that wait for nothing, before the bytes for the client.
    ready: VecDeque<Command>,
}

/// The client's answer.
enum Answer {
    /// Nothing is known of it yet.
    Open,
    Stream(Box<StitchedStream>),
    Document(Box<StitchedDocument>),
}

/// What the exchange waits for.
enum State {
    /// The head of the response to a request.
    Head(Asked),
    /// The body of a refusal of the rewritten request.
    Refusal { status: StatusCode, body: Collected },
    /// The body of a round.
    Round,
    /// The body of an error in a later round of a stream.
    Error { status: StatusCode, body: Collected },
    /// Originals.
    Originals(Box<Turn>),
    /// The records of the exchange to be stored, one by one.
    Records(Box<Ending>),
    /// The time after which a busy provider is asked again.
    Time { pause: Duration, tries: u32, head: ResponseHead },
    /// Nothing: the exchange is over.
    Over(End),
}

/// The request whose response is awaited.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// The rewritten request.
    First,
    /// The original request, after an answer with this status.
    Original { status: StatusCode, may_unbind: bool },
    /// The rewritten request without the thinking before the newest prompt, after a refusal with this status.
    Recent { status: StatusCode },
    /// The rewritten request without thinking.
    Unbound(Fallback),
    /// A later round, after this many answers of a busy provider.
    Round { tries: u32 },
}

/// How an exchange ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Done,
    Forward,
    Fail,
}

impl Exchange {
    /// Begins the exchange about the answer to a request. Its first command is to send it.
    pub fn new(request: RewrittenRequest) -> Self {
        let RewrittenRequest { api, tenant, handles, original, rewritten, serves, has_epochs, context } =
            request;
        Self {
            state: State::Head(Asked::First),
            rounds: Rounds::new(api, tenant, handles, context, rewritten),
            original_len: original.len(),
            original,
            serves,
            has_epochs,
            wire: provider_format(api),
            answer: Answer::Open,
            has_ended: false,
            ready: VecDeque::new(),
        }
    }

    /// Returns what to do next. A command that waits for an input is returned until the input is there.
    pub fn poll(&mut self) -> Command {
        if let Some(command) = self.ready.pop_front() {
            return command;
        }
        if let Answer::Stream(stream) = &mut self.answer
            && let Some(bytes) = stream.take()
        {
            return Command::Write(bytes);
        }
        match &self.state {
            State::Head(asked) => Command::Send(self.request(*asked)),
            State::Refusal { .. } | State::Error { .. } => Command::Read { limit: MAX_ERROR },
            State::Round => match &self.answer {
                Answer::Stream(_) => Command::Read { limit: u64::MAX },
                _ => Command::Read { limit: MAX_ANSWER },
            },
            State::Originals(turn) => match self.rounds.needs(turn) {
                Some(fetch) => Command::Fetch(fetch),
                None => Command::Done,
            },
            State::Records(ending) => match ending.records.front() {
                Some(record) => Command::Store(record.clone()),
                None => Command::Done,
            },
            State::Time { pause, .. } => Command::Wait(*pause),
            State::Over(End::Done) => Command::Done,
            State::Over(End::Forward) => Command::Forward,
            State::Over(End::Fail) => Command::Fail,
        }
    }

    /// Takes the result of a command.
    ///
    /// # Errors
    ///
    /// If the exchange does not wait for this. It goes on as if nothing had been told.
    pub fn handle(&mut self, input: Input) -> Result<(), UnexpectedInput> {
        if matches!(self.state, State::Round) && input.is_of_a_body() {
            self.body(input);
            return Ok(());
        }
        let state = std::mem::replace(&mut self.state, State::Over(End::Done));
        match (state, input) {
            (State::Head(asked), Input::Head(head)) => self.head(asked, head),
            (State::Head(asked), Input::Unreachable) => self.unreachable(asked),
            (State::Refusal { status, body }, input) if input.is_of_a_body() => {
                self.refusal(status, body, input);
            }
            (State::Error { status, body }, input) if input.is_of_a_body() => {
                self.error(status, body, input);
            }
            (State::Originals(turn), Input::Fetched(fetched)) => self.step(*turn, fetched),
            (State::Records(mut ending), Input::Stored) => {
                ending.records.pop_front();
                self.keep(ending);
            }
            (State::Time { tries, .. }, Input::Waited) => self.state = State::Head(Asked::Round { tries }),
            (State::Time { head, .. }, Input::CannotWait) => self.refused(head),
            (state, input) => {
                let error = UnexpectedInput { input: input.as_str(), awaited: state.awaited() };
                self.state = state;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether the client's view differs from the provider's: a round was hidden from it.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.rounds.is_hidden()
    }

    /// Returns an event that keeps the client's connection alive and means nothing. `None` while there is no stream, or
    /// if its framing has none.
    ///
    /// Write it where a stream waits for long: for a response, a store or a pause. It fits between any two
    /// [writes](Command::Write) except while the exchange waits for more of a round, where an event may be cut in two.
    #[must_use]
    pub fn keep_alive(&self) -> Option<&'static str> {
        match &self.answer {
            Answer::Stream(stream) if !matches!(self.state, State::Round | State::Over(_)) => stream.ping(),
            _ => None,
        }
    }

    /// Returns a request of the exchange.
    fn request(&self, asked: Asked) -> UpstreamRequest {
        let (head, body) = match asked {
            Asked::Original { .. } => (RequestHead::Original, self.original.clone()),
            Asked::First | Asked::Recent { .. } | Asked::Unbound(_) | Asked::Round { .. } => {
                (RequestHead::Rewritten, self.rounds.sent.clone())
            }
        };
        UpstreamRequest { head, body, keeps_response: matches!(asked, Asked::Unbound(_)) }
    }

    /// Answers the client with a whole response.
    fn reply(&mut self, reply: Reply) {
        self.ready.push_back(Command::Respond(reply));
        self.state = State::Over(End::Done);
    }

    fn report(&mut self, incomplete: bool) {
        let report = self.rounds.report(incomplete).map(Report::Retrieved);
        self.ready.extend(report.map(Command::Report));
    }
}

impl Input {
    fn is_of_a_body(&self) -> bool {
        matches!(self, Self::Data(_) | Self::End | Self::Broken | Self::Damaged)
    }
}

impl State {
    /// Returns what it waits for, for messages.
    fn awaited(&self) -> &'static str {
        match self {
            Self::Head(_) => "the head of a response",
            Self::Refusal { .. } | Self::Round | Self::Error { .. } => "the body of a response",
            Self::Originals(_) => "originals",
            Self::Records(_) => "a record to be stored",
            Self::Time { .. } => "time to pass",
            Self::Over(_) => "nothing more",
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("api", &self.rounds.api)
            .field("awaits", &self.state.awaited())
            .field("is_hidden", &self.is_hidden())
            .finish_non_exhaustive()
    }
}

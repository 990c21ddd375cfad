//! Stitches streamed answers.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, header};
use http_body::{Body, Frame};

use super::{
    MAX_ERROR, MAX_EVENT, MAX_HELD,
    api::{EventAction, Failure, RETRIEVE, StreamStitcher},
    aws,
    decoded::Decoded,
    events::{Event, Framing, Splitter},
    exchange::{Exchange, ExchangeStep},
    respond::Upstream,
    sse,
    time::{Sleep, sleep},
};
use crate::{
    ResponseBody,
    read::{Read, ReadEnd},
};

/// The longest silence towards the client.
const PING: Duration = Duration::from_secs(10);
/// How many frames after the end of a round are kept.
const MAX_LATE: usize = 16;

/// Returns the response with the stitched stream as its body, without the provider's encoding.
pub(super) fn stitched<R, U>(
    response: Response<Decoded<R>>,
    framing: Framing,
    exchange: Exchange<U>,
) -> Response<ResponseBody<R>>
where
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_ENCODING);
    let stitched = Stitched {
        stitch: exchange.wire.stream(exchange.sent.ask.head),
        phase: Phase::Reading { body, exchange: Box::new(exchange) },
        framing,
        events: Splitter::new(framing),
        strips_mark: false,
        waiting: Vec::new(),
        waiting_bytes: 0,
        held: Vec::new(),
        held_bytes: 0,
        failed: false,
        out: Out::default(),
        trailers: None,
        late: VecDeque::new(),
        frames: VecDeque::new(),
    };
    Response::from_parts(parts, ResponseBody::stitched(stitched))
}

/// One step of a hidden exchange; it takes the exchange and returns it.
type Turning<R, U> = Pin<Box<dyn Future<Output = (Box<Exchange<U>>, Outcome<R>)> + Send>>;

/// The outcome of a round for a stream.
enum Outcome<R> {
    Next(Decoded<R>),
    Last { give_up: bool },
    Failed(Failure),
}

enum Phase<R: Body, U> {
    Reading {
        body: Decoded<R>,
        exchange: Box<Exchange<U>>,
    },
    Turning {
        turning: Turning<R, U>,
        ping: Option<Sleep>,
        rest: Option<Decoded<R>>,
    },
    /// The rest passes through unread.
    Passing {
        body: Decoded<R>,
    },
    /// The provider's stream broke off.
    Broken {
        error: R::Error,
    },
    Ended,
}

struct Stitched<R: Body, U> {
    stitch: Box<dyn StreamStitcher>,
    phase: Phase<R, U>,
    framing: Framing,
    events: Splitter,
    /// Whether the next event is the first of a later round, whose byte order mark is removed.
    strips_mark: bool,
    /// Events that wait until the owner of each call is known.
    waiting: Vec<Event>,
    waiting_bytes: usize,
    /// Events that wait for the end of the round.
    held: Vec<Event>,
    held_bytes: usize,
    /// Whether the provider reported that the stream has failed.
    failed: bool,
    out: Out,
    /// Trailers after the data of the first round.
    trailers: Option<HeaderMap>,
    /// Frames after the end of the round.
    late: VecDeque<Frame<Bytes>>,
    frames: VecDeque<Frame<Bytes>>,
}

/// Output for the client. A chunk of which nothing is removed is passed on without a copy.
#[derive(Default)]
struct Out {
    first: Bytes,
    more: BytesMut,
}

impl Out {
    fn push(&mut self, bytes: Bytes) {
        if self.more.is_empty() && self.first.is_empty() {
            self.first = bytes;
        } else {
            let first = std::mem::take(&mut self.first);
            self.more.extend_from_slice(&first);
            self.more.extend_from_slice(&bytes);
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        let first = std::mem::take(&mut self.first);
        let bytes = if self.more.is_empty() { first } else { self.more.split().freeze() };
        (!bytes.is_empty()).then_some(bytes)
    }
}

impl<R, U> Stitched<R, U>
where
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    /// Handles a chunk. Returns whether the round has ended.
    fn chunk(&mut self, chunk: Bytes) -> bool {
        let whole = (self.events.held() == 0 && self.waiting.is_empty()).then(|| chunk.clone());
        let mut all_pass = !self.strips_mark;
        let mut passing = Vec::new();
        self.events.push(chunk);
        while let Some(event) = self.events.next_event() {
            all_pass &= self.admit(event, &mut passing);
            if self.has_ended() {
                break;
            }
        }
        match whole.filter(|_| all_pass && self.events.held() == 0) {
            // Pass on the chunk itself, without a copy.
            Some(chunk) => self.out.push(chunk),
            None => passing.into_iter().for_each(|bytes| self.out.push(bytes)),
        }
        self.has_ended()
    }

    /// Whether the round has ended and the next step decides about held events.
    fn has_ended(&self) -> bool {
        self.stitch.ended() && !self.held.is_empty()
    }

    /// Handles an event, or lets it wait. Returns whether it passes unchanged.
    fn admit(&mut self, mut event: Event, passing: &mut Vec<Bytes>) -> bool {
        if std::mem::take(&mut self.strips_mark) {
            event = Event::new(self.framing, sse::without_mark(event.raw));
        }
        let is_clear = match event.data() {
            Some(data) => self.stitch.is_clear(data),
            None => self.waiting.is_empty(),
        };
        if is_clear && self.waiting.is_empty() {
            return self.event(event, passing);
        }
        self.waiting_bytes += event.raw.len();
        self.waiting.push(event);
        if is_clear || self.waiting_bytes > MAX_HELD {
            self.settle(passing);
        }
        false
    }

    /// Handles the waiting events, since nothing more will be known of their calls.
    fn settle(&mut self, passing: &mut Vec<Bytes>) {
        self.stitch.settle();
        self.waiting_bytes = 0;
        for event in std::mem::take(&mut self.waiting) {
            self.event(event, passing);
        }
    }

    /// Handles an event. Returns whether it passes unchanged.
    fn event(&mut self, event: Event, passing: &mut Vec<Bytes>) -> bool {
        let verdict = event.data().map_or(EventAction::Pass, |data| self.stitch.event(data));
        self.failed |= self.stitch.failed() || event.is_failure();
        let passes = verdict == EventAction::Pass;
        match verdict {
            EventAction::Pass => passing.push(event.raw),
            EventAction::Drop => {}
            EventAction::Hold => self.hold(event),
            EventAction::HoldAs(data) => self.hold(event.replaced(&data)),
            EventAction::Split(data) => {
                passing.push(event.with(&data));
                self.hold(event);
            }
            EventAction::Instead(data) => passing.push(event.with(&data)),
        }
        if self.held_bytes > MAX_HELD {
            self.let_go(false, passing);
            self.stitch.hold_no_more();
        }
        passes
    }

    fn hold(&mut self, event: Event) {
        self.held_bytes += event.raw.len();
        self.held.push(event);
    }

    /// Releases held events in the client's form.
    fn let_go(&mut self, give_up: bool, out: &mut Vec<Bytes>) {
        self.held_bytes = 0;
        for event in std::mem::take(&mut self.held) {
            match event.data().map_or(EventAction::Pass, |data| self.stitch.last(data, give_up)) {
                EventAction::Pass | EventAction::Hold => out.push(event.raw),
                EventAction::Instead(data) | EventAction::HoldAs(data) | EventAction::Split(data) => {
                    out.push(event.with(&data));
                }
                EventAction::Drop => {}
            }
        }
    }

    /// Returns the event that keeps the connection alive, if the framing allows one.
    fn ping(&self) -> Option<&'static str> {
        self.stitch.ping().filter(|_| self.framing == Framing::Sse)
    }

    fn fail(&mut self, failure: &Failure) {
        self.out.push(match self.framing {
            Framing::Sse => Bytes::from(self.stitch.failure(failure)),
            Framing::Aws => aws::exception(failure),
        });
        self.phase = Phase::Ended;
    }

    fn turn(&mut self, exchange: Box<Exchange<U>>, rest: Option<Decoded<R>>) {
        let round = self.stitch.round();
        if let (false, Some(ping)) = (round.calls.is_empty() || round.others, self.ping()) {
            self.out.push(Bytes::from_static(ping.as_bytes()));
        }
        let framing = self.framing;
        let turning = Box::pin(async move {
            let mut exchange = exchange;
            let outcome = match exchange.turn(round).await {
                ExchangeStep::Next(response)
                    if Framing::from_headers(response.headers()) == Some(framing) =>
                {
                    let (parts, body) = response.into_parts();
                    match Decoded::new(&parts.headers, body) {
                        Ok(body) => Outcome::Next(body),
                        Err(_) => Outcome::Failed(Failure { status: 502, body: None }),
                    }
                }
                ExchangeStep::Next(response) | ExchangeStep::Refused(response) => {
                    Outcome::Failed(failure(response).await)
                }
                ExchangeStep::Empty => Outcome::Failed(Failure::unfinished()),
                ExchangeStep::Last { give_up } => Outcome::Last { give_up },
                ExchangeStep::Failed(_) => Outcome::Failed(Failure { status: 502, body: None }),
            };
            (exchange, outcome)
        });
        self.phase = Phase::Turning { turning, ping: sleep(PING), rest };
    }

    fn turned(&mut self, exchange: Box<Exchange<U>>, outcome: Outcome<R>, rest: Option<Decoded<R>>) {
        let late = std::mem::take(&mut self.late);
        match outcome {
            Outcome::Next(body) => {
                self.held.clear();
                self.held_bytes = 0;
                self.events = Splitter::new(self.framing);
                self.strips_mark = true;
                self.stitch.again();
                self.phase = Phase::Reading { body, exchange };
            }
            Outcome::Last { give_up } => {
                let mut out = Vec::new();
                self.let_go(give_up, &mut out);
                out.push(self.events.take());
                out.into_iter().for_each(|bytes| self.out.push(bytes));
                self.frames.extend(late);
                self.phase = rest.map_or(Phase::Ended, |body| Phase::Passing { body });
            }
            Outcome::Failed(failure) => self.fail(&failure),
        }
    }

    /// Handles the end of a round's body.
    fn end(&mut self, exchange: Box<Exchange<U>>, is_damaged: bool) {
        let mut passing = Vec::new();
        let rest = self.end_events(&mut passing);
        self.stitch.close();
        let cut = passing.last().is_some_and(|last| !is_terminated(last));
        passing.into_iter().for_each(|bytes| self.out.push(bytes));
        let goes_on = self.has_ended() || is_damaged || exchange.is_hidden();
        if cut && goes_on && self.framing == Framing::Sse {
            // End the event, so that the next one does not become part of it.
            self.out.push(Bytes::from_static(b"\n\n"));
        }
        if self.has_ended() {
            self.turn(exchange, None);
            return;
        }
        self.phase = Phase::Ended;
        if is_damaged {
            self.fail(&Failure { status: 502, body: None });
        } else if !exchange.is_hidden() {
            self.flush(rest);
            self.frames.extend(self.trailers.take().map(Frame::trailers));
        } else if !self.failed {
            self.fail(&Failure { status: 502, body: None });
        }
    }

    /// Handles waiting events at the end of a body: the last may lack the empty line. Returns the rest, which is not an
    /// event.
    fn end_events(&mut self, passing: &mut Vec<Bytes>) -> Bytes {
        let mut rest = self.events.take();
        let event = Event::new(self.framing, rest.clone());
        let is_whole = event.data().is_some_and(|data| self.stitch.reads(data));
        if is_whole && self.framing == Framing::Sse {
            rest.clear();
            self.admit(event, passing);
        }
        self.settle(passing);
        rest
    }

    /// Releases a first round that has no end.
    fn flush(&mut self, rest: Bytes) {
        let mut out = Vec::new();
        self.let_go(false, &mut out);
        // The owner of a truncated event is unknown, unless it names our tool.
        if memchr::memmem::find(&rest, RETRIEVE.as_bytes()).is_none() {
            out.push(rest);
        }
        out.into_iter().for_each(|bytes| self.out.push(bytes));
    }

    /// Handles a round's body that broke off.
    fn break_off(&mut self, exchange: &Exchange<U>, error: R::Error) {
        if !exchange.is_hidden() {
            let mut passing = Vec::new();
            let rest = self.end_events(&mut passing);
            passing.into_iter().for_each(|bytes| self.out.push(bytes));
            self.flush(rest);
        }
        self.phase = Phase::Broken { error };
    }

    /// Handles an event that is too long to read.
    fn skip(&mut self, exchange: Box<Exchange<U>>, body: Decoded<R>) {
        if exchange.is_hidden() {
            // The client might get an event of a hidden answer.
            self.fail(&Failure { status: 502, body: None });
            return;
        }
        let mut passing = Vec::new();
        self.settle(&mut passing);
        passing.push(self.events.skip());
        passing.into_iter().for_each(|bytes| self.out.push(bytes));
        self.phase = Phase::Reading { body, exchange };
    }
}

/// Whether the bytes of an event end with an empty line.
fn is_terminated(event: &[u8]) -> bool {
    [&b"\n\n"[..], b"\r\r", b"\n\r\n", b"\n\r"].iter().any(|end| event.ends_with(end))
}

/// Reads the error in a response.
async fn failure<R>(response: Response<R>) -> Failure
where
    R: Body + Send,
    R::Data: Send,
    R::Error: Send,
{
    let status = response.status().as_u16();
    let mut read = Read::new(response.into_body(), MAX_ERROR);
    let body = match poll_fn(|cx| read.poll(cx)).await {
        ReadEnd::Complete(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        ReadEnd::Partial(..) => None,
    };
    Failure { status, body }
}

// No field is pinned in place: bodies and futures are boxed.
impl<R: Body, U> Unpin for Stitched<R, U> {}

impl<R, U> Body for Stitched<R, U>
where
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let this = &mut *self;
        loop {
            if let Some(bytes) = this.out.take() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Some(frame) = this.frames.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            match std::mem::replace(&mut this.phase, Phase::Ended) {
                Phase::Reading { mut body, exchange } => match body.poll_frame(cx) {
                    Poll::Pending => {
                        this.phase = Phase::Reading { body, exchange };
                        return Poll::Pending;
                    }
                    Poll::Ready(None) => this.end(exchange, body.is_damaged()),
                    Poll::Ready(Some(Err(error))) => this.break_off(&exchange, error),
                    Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                        Ok(data) => {
                            if this.chunk(data) {
                                this.turn(exchange, Some(body));
                            } else if this.events.held() > MAX_EVENT {
                                this.skip(exchange, body);
                            } else {
                                this.phase = Phase::Reading { body, exchange };
                            }
                        }
                        Err(frame) => {
                            // Trailers of a hidden round describe data that the client does not get.
                            this.trailers = frame.into_trailers().ok().filter(|_| !exchange.is_hidden());
                            this.phase = Phase::Reading { body, exchange };
                        }
                    },
                },
                Phase::Turning { mut turning, mut ping, mut rest } => {
                    // Most bodies end right after their last event; then the connection can be reused.
                    if let Some(body) = rest.as_mut().filter(|_| this.late.len() < MAX_LATE) {
                        match body.poll_frame(cx) {
                            Poll::Ready(Some(Ok(frame))) => this.late.push_back(frame),
                            Poll::Ready(None | Some(Err(_))) => rest = None,
                            Poll::Pending => {}
                        }
                    }
                    if let Poll::Ready((exchange, outcome)) = turning.as_mut().poll(cx) {
                        this.turned(exchange, outcome, rest);
                        continue;
                    }
                    if let Some(due) = &mut ping
                        && due.as_mut().poll(cx).is_ready()
                    {
                        if let Some(text) = this.ping() {
                            this.out.push(Bytes::from_static(text.as_bytes()));
                        }
                        ping = sleep(PING);
                        this.phase = Phase::Turning { turning, ping, rest };
                        continue;
                    }
                    this.phase = Phase::Turning { turning, ping, rest };
                    return Poll::Pending;
                }
                Phase::Passing { mut body } => match body.poll_frame(cx) {
                    Poll::Pending => {
                        this.phase = Phase::Passing { body };
                        return Poll::Pending;
                    }
                    Poll::Ready(None) => return Poll::Ready(None),
                    Poll::Ready(Some(frame)) => {
                        if frame.is_ok() {
                            this.phase = Phase::Passing { body };
                        }
                        return Poll::Ready(Some(frame));
                    }
                },
                Phase::Broken { error } => return Poll::Ready(Some(Err(error))),
                Phase::Ended => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.phase, Phase::Ended)
            && self.frames.is_empty()
            && self.out.first.is_empty()
            && self.out.more.is_empty()
    }
}

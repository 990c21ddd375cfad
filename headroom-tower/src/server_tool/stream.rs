//! The body of a stitched stream.

use std::{
    collections::VecDeque,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use headroom_retrieval::{Command, Exchange, Input};
use http::{HeaderMap, Response};
use http_body::{Body, Frame};

use super::{
    carrier::{Carrier, head},
    decoded::DecodedBody,
    respond::tell,
    time::{Sleep, sleep},
    upstream::Upstream,
};

/// The longest silence towards the client.
const PING: Duration = Duration::from_secs(10);
/// How many frames after the end of a round are kept.
const MAX_LATE: usize = 16;

/// One command that takes time; it takes the carrier and returns it.
type Work<R, U> = Pin<Box<dyn Future<Output = (Carrier<U>, Outcome<R>)> + Send>>;

/// The result of a command.
enum Outcome<R> {
    Told(Input),
    Response(Response<R>),
}

enum Phase {
    /// The exchange says what to do.
    Running,
    /// The rest passes through unread.
    Passing,
    Ended,
}

pub(super) struct StitchedBody<R: Body, U> {
    exchange: Exchange,
    /// Taken by the work that is going on.
    carrier: Option<Carrier<U>>,
    phase: Phase,
    work: Option<Work<R, U>>,
    ping: Option<Sleep>,
    /// The body of the current response.
    body: Option<DecodedBody<R>>,
    /// The body of a round that has ended for the exchange, while it is not known whether another follows.
    rest: Option<DecodedBody<R>>,
    /// Its frames so far.
    late: VecDeque<Frame<Bytes>>,
    /// Trailers after the data of the first round.
    trailers: Option<HeaderMap>,
    /// The error that broke off the provider's stream.
    error: Option<R::Error>,
    frames: VecDeque<Frame<Bytes>>,
}

impl<R, U> StitchedBody<R, U>
where
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    pub(super) fn new(exchange: Exchange, carrier: Carrier<U>, body: Option<DecodedBody<R>>) -> Self {
        Self {
            exchange,
            carrier: Some(carrier),
            phase: Phase::Running,
            work: None,
            ping: None,
            body,
            rest: None,
            late: VecDeque::new(),
            trailers: None,
            error: None,
            frames: VecDeque::new(),
        }
    }

    /// Carries out the next command. Returns what the client gets by it.
    fn run(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        match self.exchange.poll() {
            Command::Write(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Command::Read { limit } => {
                // A round speaks for itself; an error may be long in coming.
                if limit == u64::MAX {
                    self.ping = None;
                } else if let Poll::Ready(ping) = self.poll_ping(cx) {
                    return Poll::Ready(Some(Ok(ping)));
                }
                ready!(self.read(cx));
            }
            Command::Forward => {
                self.frames.extend(mem::take(&mut self.late));
                self.body = self.rest.take().or(self.body.take());
                self.phase = Phase::Passing;
            }
            Command::Done => {
                if !self.exchange.is_hidden() {
                    self.frames.extend(self.trailers.take().map(Frame::trailers));
                }
                self.phase = Phase::Ended;
            }
            Command::Fail => {
                self.phase = Phase::Ended;
                if let Some(error) = self.error.take() {
                    return Poll::Ready(Some(Err(error)));
                }
            }
            Command::Wait(pause) => match sleep(pause) {
                Some(pause) => {
                    self.body = None;
                    self.work(|carrier| async move {
                        pause.await;
                        (carrier, Outcome::Told(Input::Waited))
                    });
                }
                None => tell(&mut self.exchange, Input::CannotWait),
            },
            Command::Send(request) => self.work(|mut carrier| async move {
                let outcome = match carrier.send(request).await {
                    Ok(response) => Outcome::Response(response),
                    Err(_) => Outcome::Told(Input::Unreachable),
                };
                (carrier, outcome)
            }),
            command @ (Command::Fetch(_) | Command::Store(_)) => self.work(|mut carrier| async move {
                let told = carrier.perform(command).await;
                (carrier, Outcome::Told(told.unwrap_or(Input::Stored)))
            }),
            note @ (Command::Report(_) | Command::Remember(_) | Command::Respond(_)) => {
                if let Some(carrier) = &self.carrier {
                    carrier.note(&note);
                }
            }
        }
        Poll::Ready(None)
    }

    /// Begins work that takes time.
    fn work<W>(&mut self, work: impl FnOnce(Carrier<U>) -> W)
    where
        W: Future<Output = (Carrier<U>, Outcome<R>)> + Send + 'static,
    {
        let Some(carrier) = self.carrier.take() else { return };
        self.rest = self.rest.take().or(self.body.take());
        self.ping = self.ping.take().or_else(|| sleep(PING));
        self.work = Some(Box::pin(work(carrier)));
    }

    /// Waits for the end of work.
    fn wait(&mut self, mut work: Work<R, U>, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        // Most bodies end right after their last event; then the connection can be reused.
        if let Some(body) = self.rest.as_mut().filter(|_| self.late.len() < MAX_LATE) {
            match body.poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => self.late.push_back(frame),
                Poll::Ready(None | Some(Err(_))) => self.rest = None,
                Poll::Pending => {}
            }
        }
        let Poll::Ready((carrier, outcome)) = work.as_mut().poll(cx) else {
            self.work = Some(work);
            return self.poll_ping(cx).map(Some);
        };
        self.carrier = Some(carrier);
        match outcome {
            Outcome::Told(input) => tell(&mut self.exchange, input),
            Outcome::Response(response) => {
                self.rest = None;
                self.late.clear();
                tell(&mut self.exchange, Input::Head(head(&response)));
                let (parts, body) = response.into_parts();
                self.body = Some(DecodedBody::new(&parts.headers, body));
            }
        }
        Poll::Ready(None)
    }

    /// Waits until the client must hear something, and returns that.
    fn poll_ping(&mut self, cx: &mut Context<'_>) -> Poll<Frame<Bytes>> {
        while let Some(due) = &mut self.ping {
            ready!(due.as_mut().poll(cx));
            self.ping = sleep(PING);
            if let Some(ping) = self.exchange.keep_alive() {
                return Poll::Ready(Frame::data(Bytes::from_static(ping.as_bytes())));
            }
        }
        Poll::Pending
    }

    /// Reads a frame of the current response.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(body) = &mut self.body else {
            tell(&mut self.exchange, Input::Broken);
            return Poll::Ready(());
        };
        match ready!(body.poll_frame(cx)) {
            None => {
                let end = if body.is_damaged() { Input::Damaged } else { Input::End };
                self.body = None;
                tell(&mut self.exchange, end);
            }
            Some(Err(error)) => {
                self.body = None;
                self.error = Some(error);
                tell(&mut self.exchange, Input::Broken);
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => tell(&mut self.exchange, Input::Data(data)),
                // Trailers of a hidden round describe data that the client does not get.
                Err(frame) => {
                    self.trailers = frame.into_trailers().ok().filter(|_| !self.exchange.is_hidden());
                }
            },
        }
        Poll::Ready(())
    }

    /// Passes a frame on unread.
    fn pass(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let frame = match &mut self.body {
            Some(body) => ready!(body.poll_frame(cx)),
            None => None,
        };
        if matches!(frame, None | Some(Err(_))) {
            self.body = None;
            self.phase = Phase::Ended;
        }
        Poll::Ready(frame)
    }
}

// No field is pinned in place: bodies and futures are boxed.
impl<R: Body, U> Unpin for StitchedBody<R, U> {}

impl<R, U> Body for StitchedBody<R, U>
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
            if let Some(frame) = this.frames.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            let frame = match (&this.phase, this.work.take()) {
                (Phase::Passing, _) => return this.pass(cx),
                (Phase::Ended, _) => return Poll::Ready(None),
                (Phase::Running, Some(work)) => ready!(this.wait(work, cx)).map(Ok),
                (Phase::Running, None) => ready!(this.run(cx)),
            };
            if frame.is_some() {
                return Poll::Ready(frame);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.phase, Phase::Ended) && self.frames.is_empty()
    }
}

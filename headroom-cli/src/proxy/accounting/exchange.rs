//! Collects what happens to one request of a client.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use headroom_tower::RequestReport;

use crate::{
    ledger::Call,
    proxy::{
        Provider,
        accounting::Totals,
        dashboard::{Begun, Board, Copies, project_of},
        telemetry::ServerSpan,
    },
    usage::Usage,
};

/// A record that travels in the request's extensions, also in those of calls that the client does not know of. Each
/// part of the proxy fills in what it sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    state: Arc<Mutex<ExchangeState>>,
    copies: Copies,
    span: ServerSpan,
}

#[derive(Debug, Default)]
struct ExchangeState {
    report: Option<RequestReport>,
    calls: Vec<Call>,
}

impl Exchange {
    /// A turn whose body is copied here.
    pub(crate) fn copied_to(copies: Copies) -> Self {
        Self { copies, ..Self::default() }
    }

    /// The same turn, traced as this.
    pub(crate) fn traced(self, span: ServerSpan) -> Self {
        Self { span, ..self }
    }

    pub(crate) const fn copies(&self) -> &Copies {
        &self.copies
    }

    pub(crate) const fn span(&self) -> &ServerSpan {
        &self.span
    }

    fn with<T>(&self, see: impl FnOnce(&mut ExchangeState) -> T) -> T {
        see(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records a request to the provider. Returns its number, under which the answer is recorded.
    pub(crate) fn call(&self, report: Option<RequestReport>) -> usize {
        self.with(|state| {
            let is_rewritten = report.as_ref().is_some_and(RequestReport::is_rewritten);
            state.report = state.report.take().or(report);
            state.calls.push(Call { is_rewritten, ..Call::default() });
            state.calls.len() - 1
        })
    }

    pub(crate) fn answered(&self, call: usize, status: u16) {
        self.with(|state| {
            if let Some(call) = state.calls.get_mut(call) {
                call.status = Some(status);
            }
        });
    }

    pub(crate) fn used(&self, call: usize, usage: Option<Usage>, model: Option<&str>) {
        self.with(|state| {
            if let Some(call) = state.calls.get_mut(call) {
                call.usage = usage;
                call.model = model.map(str::to_owned);
            }
        });
    }

    /// The layer's report; `None` if the layer did not handle the request.
    pub(crate) fn report(&self) -> Option<RequestReport> {
        self.with(|state| state.report.clone())
    }

    /// Whether the provider refused the rewritten request, so that the original was sent last.
    pub(crate) fn was_rejected(&self) -> bool {
        self.with(|state| {
            let refused = |call: &Call| call.status.is_some_and(|status| matches!(status, 400 | 413 | 422));
            let rewritten = state.report.as_ref().is_some_and(RequestReport::is_rewritten);
            let original = state.calls.last().is_some_and(|call| !call.is_rewritten);
            rewritten && original && state.calls.len() > 1 && state.calls.first().is_some_and(refused)
        })
    }
}

/// Records a turn when it is over, however it ends.
#[derive(Debug)]
pub(crate) struct ExchangeRecorder {
    pub(crate) turn: Exchange,
    pub(crate) provider: Provider,
    pub(crate) totals: Arc<Totals>,
    /// `None` if there is no dashboard.
    pub(crate) board: Option<(Arc<Board>, Begun)>,
}

impl Drop for ExchangeRecorder {
    fn drop(&mut self) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let name = self.provider.as_str();
        let (totals, report) = (&self.totals, self.turn.report());
        let bodies = self.turn.copies().take();
        let sent = bodies.as_ref().and_then(|bodies| bodies.sent(report.as_ref()));
        let text = sent.as_deref().and_then(|sent| std::str::from_utf8(sent).ok());
        let entry = self.turn.with(|state| totals.entry(at, name, report.as_ref(), &state.calls, text));
        let Some(entry) = entry else { return };
        if let Some((board, begun)) = self.board.take() {
            let project = sent.as_deref().and_then(project_of);
            board.add(begun.or(project), &entry, report.as_ref(), bodies);
        }
        self.totals.add(entry);
    }
}

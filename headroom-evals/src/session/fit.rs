//! Fits a session's blocks to the provider's counts, and says how each request met the cache.

use std::collections::HashMap;

use super::{BlockKind, CacheEvent, Client, ContextBlock, RecordedSession, Ttl};

/// What a block takes beside its text.
const FRAME: f64 = 10.0;
/// The smallest growth, in `o200k_base` tokens, that tells the factor.
const LEAST_GROWTH: f64 = 300.0;
/// So many requests must tell it, else the default is taken.
const LEAST_STEPS: usize = 5;
/// The factor is between these.
const FACTORS: (f64, f64) = (0.8, 2.2);
/// Growth without a visible cause that is taken for text and not for an error of the count.
const LEAST_HIDDEN: f64 = 60.0;
/// A head is at least so long, if the prompt is.
const LEAST_HEAD: f64 = 2_000.0;
/// A first prompt or head longer than this has context before it that the log lacks; the head is then at most this long.
const CUT: (f64, f64, f64) = (110_000.0, 90_000.0, 20_000.0);
/// A log of few output tokens had them counted at the start of the stream.
const STARTED: f64 = 50.0;

/// The growth of a prompt against the one before.
struct Step {
    request: usize,
    grown: f64,
    new: Vec<u32>,
}

pub(super) fn fit(session: &mut RecordedSession) {
    let continues = continuations(session);
    let steps = steps(session, &continues);
    session.factor = factor(session, &steps);
    for block in &mut session.blocks {
        block.tokens = match block.kind {
            BlockKind::Thinking => 0.0,
            _ => block.estimate * session.factor + FRAME,
        };
    }
    let hidden = find_thinking(session, &steps);
    place_hidden(session, &hidden);
    scale(session);
    events(session, &continues);
}

/// Whether each request begins with all that the one before held.
fn continuations(session: &RecordedSession) -> Vec<bool> {
    let mut continues = vec![false];
    continues.extend(session.requests.windows(2).map(|pair| match pair {
        [before, after] => before.segment == after.segment && after.context.starts_with(&before.context),
        _ => false,
    }));
    continues
}

fn steps(session: &RecordedSession, continues: &[bool]) -> Vec<Step> {
    let pairs = session.requests.windows(2).zip(continues.iter().skip(1)).enumerate();
    let steps = pairs.filter_map(|(at, (pair, continues))| {
        let ([before, after], true) = (pair, continues) else { return None };
        let new = after.context.get(before.context.len()..)?.to_vec();
        Some(Step { request: at + 1, grown: after.counted.prompt() - before.counted.prompt(), new })
    });
    steps.collect()
}

#[expect(clippy::cast_precision_loss, reason = "no request has 2^53 blocks")]
fn factor(session: &RecordedSession, steps: &[Step]) -> f64 {
    let mut found: Vec<f64> = Vec::new();
    for step in steps {
        let blocks = || step.new.iter().filter_map(|id| session.block(*id));
        let estimate: f64 = blocks().map(|block| block.estimate).sum();
        let is_plain = !blocks().any(|block| matches!(block.kind, BlockKind::Thinking | BlockKind::Image));
        let model = |request: usize| session.requests.get(request).map(|request| &request.model);
        let is_same_model = model(step.request) == model(step.request.saturating_sub(1));
        if is_plain && is_same_model && estimate >= LEAST_GROWTH && step.grown > 0.0 {
            found.push((step.grown - FRAME * step.new.len() as f64) / estimate);
        }
    }
    found.sort_by(f64::total_cmp);
    let default = if session.client == Client::Codex { 1.0 } else { 1.2 };
    let middle = found.get(found.len() / 2).copied().filter(|_| found.len() >= LEAST_STEPS);
    middle.unwrap_or(default).clamp(FACTORS.0, FACTORS.1)
}

/// Gives thinking the growth that nothing visible explains. Returns the hidden blocks: the request that was the first to
/// hold one, and its id.
#[expect(clippy::cast_precision_loss, reason = "no request has 2^53 blocks")]
fn find_thinking(session: &mut RecordedSession, steps: &[Step]) -> Vec<(usize, u32)> {
    let mut hidden = Vec::new();
    for step in steps {
        let (thinking, visible): (Vec<u32>, Vec<u32>) =
            step.new.iter().partition(|id| is_thinking(session, **id));
        let mut rest = step.grown - tokens(session, &visible);
        if !thinking.is_empty() && rest > 0.0 {
            let before = session.requests.get(step.request.saturating_sub(1));
            let share = before.map_or(rest, |before| {
                if before.counted.output < STARTED {
                    return rest;
                }
                let shown = before.outputs.iter().copied().filter(|id| !is_thinking(session, *id));
                let shown = tokens(session, &shown.collect::<Vec<_>>());
                rest.min((before.counted.output * 1.05 - shown).max(0.0))
            });
            for id in &thinking {
                if let Some(block) = session.blocks.get_mut(*id as usize) {
                    block.tokens = share / thinking.len() as f64;
                }
            }
            rest -= share;
        }
        if rest > LEAST_HIDDEN {
            let row = session.requests.get(step.request).map_or(0, |request| request.row);
            let mut block = ContextBlock::new(BlockKind::Hidden, "", row, String::new());
            block.tokens = rest;
            hidden.push((step.request, session.add(block)));
        }
    }
    hidden
}

fn is_thinking(session: &RecordedSession, id: u32) -> bool {
    session.block(id).is_some_and(|block| block.kind == BlockKind::Thinking)
}

fn tokens(session: &RecordedSession, ids: &[u32]) -> f64 {
    ids.iter().filter_map(|id| session.block(*id)).map(|block| block.tokens).sum()
}

/// Puts hidden blocks into every request that holds the answer that they came before.
fn place_hidden(session: &mut RecordedSession, hidden: &[(usize, u32)]) {
    let answers: Vec<Option<u32>> =
        hidden.iter().map(|(request, _)| session.requests.get(*request)?.outputs.first().copied()).collect();
    for (at, request) in session.requests.iter_mut().enumerate() {
        if hidden.first().is_none_or(|(first, _)| *first > at) {
            continue;
        }
        let mut before: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut last = Vec::new();
        for ((first, id), answer) in hidden.iter().zip(&answers).take_while(|((first, _), _)| *first <= at) {
            match answer {
                _ if *first == at => last.push(*id),
                Some(answer) => before.entry(*answer).or_default().push(*id),
                None => {}
            }
        }
        let mut context = Vec::with_capacity(request.context.len() + before.len());
        for id in &request.context {
            context.extend(before.remove(id).unwrap_or_default());
            context.push(*id);
        }
        context.extend(last);
        request.context = context;
    }
}

/// Finds the head, and scales each request's blocks to its real prompt.
fn scale(session: &mut RecordedSession) {
    let Some(first) = session.requests.first() else { return };
    let prompt = first.counted.prompt();
    let visible = tokens(session, &first.context);
    let mut head = (prompt - visible).min(0.98 * prompt).max(LEAST_HEAD.min(0.98 * prompt));
    if head > CUT.1 || prompt > CUT.0 {
        head = head.min(CUT.2);
    }
    session.head = head;
    let blocks = &session.blocks;
    let sum = |ids: &[u32]| -> f64 {
        ids.iter().filter_map(|id| blocks.get(*id as usize)).map(|block| block.tokens).sum()
    };
    let mut born: Vec<Option<usize>> = vec![None; blocks.len()];
    for (at, request) in session.requests.iter_mut().enumerate() {
        let (prompt, visible) = (request.counted.prompt(), sum(&request.context));
        request.scale = if visible > 0.0 { (prompt - head) / visible } else { 1.0 };
        if request.scale <= 0.0 {
            request.scale = (0.1 * prompt / visible.max(1.0)).max(0.02);
        }
        // Older versions logged the output of the stream's start only.
        request.counted.output = request.counted.output.max(0.97 * sum(&request.outputs));
        for id in &request.context {
            if let Some(born @ None) = born.get_mut(*id as usize) {
                *born = Some(at);
            }
        }
    }
    for (block, born) in session.blocks.iter_mut().zip(born) {
        block.born = born;
    }
}

/// Says why what the request before left in the cache was read or not.
fn events(session: &mut RecordedSession, continues: &[bool]) {
    let lifetime = session.ttl().seconds();
    let is_hour = session.ttl() == Ttl::Hour;
    let mut before: Option<(f64, f64, usize, String)> = None;
    for (request, continues) in session.requests.iter_mut().zip(continues) {
        let counted = request.counted;
        let cached = counted.read + counted.written();
        if let Some((left, sent, segment, model)) = before.take() {
            request.pause = request.sent - sent;
            request.missed = (left - counted.read).max(0.0);
            request.event = if request.segment != segment {
                CacheEvent::Compaction
            } else if request.missed <= (0.06 * left).max(2_500.0) {
                CacheEvent::Hit
            } else if request.model != model {
                CacheEvent::ModelSwitch
            } else if !continues && counted.prompt() < 0.97 * left {
                CacheEvent::Rewind
            } else if request.pause > lifetime * 0.97 {
                CacheEvent::Expired
            } else if request.pause > 290.0 && is_hour {
                CacheEvent::Pause
            } else {
                CacheEvent::Miss
            };
        }
        before = Some((cached, request.sent, request.segment, request.model.clone()));
    }
}

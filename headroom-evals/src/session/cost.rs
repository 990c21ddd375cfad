//! The cost of a session with blocks of other sizes.

use std::{
    collections::{BTreeMap, HashSet},
    ops::AddAssign,
};

use serde::Serialize;

use super::{
    Client, EpochState, Needs, RecordedSession, Ttl,
    plan::{CachePlan, plans},
};

/// Tokens of the model's words in a round that retrieves something: the call, and what it says beside.
const ROUND_OUTPUT: f64 = 120.0;

/// A model's prices in dollars per token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Prompt.
    pub input: f64,
    /// Prompt read from the cache.
    pub read: f64,
    /// Prompt written to the cache for five minutes.
    pub write: f64,
    /// Prompt written to the cache for an hour.
    pub write_long: f64,
    /// Output.
    pub output: f64,
}

/// Dollars, by what they were paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Prompt read from the cache.
    pub read: f64,
    /// Prompt written to it.
    pub write: f64,
    /// Prompt at the full price.
    pub input: f64,
    /// Output.
    pub output: f64,
}

impl Cost {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.read + self.write + self.input + self.output
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
        self.input += other.input;
        self.output += other.output;
    }
}

/// What the prompts of a session became, request by request.
///
/// ```
/// use headroom_evals::session::Sizes;
///
/// let mut sizes = Sizes::default();
/// // The first request holds block 3 at half its size, and a definition of 110 tokens in its head.
/// sizes.push(110.0, [(3, 0.5)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    /// Per request: tokens added to the head, and the blocks whose share changed.
    requests: Vec<(f64, Vec<(u32, f64)>)>,
    /// Results that are retrieved at a request.
    retrieved: BTreeMap<usize, Vec<u32>>,
    /// Requests at which epochs begin, so that what was retrieved before leaves.
    epochs: Vec<usize>,
}

impl Sizes {
    /// Adds the next request: tokens that its head has more, and the share that is left of blocks. Others keep theirs.
    pub fn push(&mut self, head: f64, shares: impl IntoIterator<Item = (u32, f64)>) {
        self.requests.push((head, shares.into_iter().collect()));
    }

    /// Adds what answers ask for after epochs. Each time is another round: the model reads the whole prompt again from the
    /// cache and writes a call, and the whole result is written to the cache and read with every request until the next
    /// epoch.
    pub fn retrieve(&mut self, needs: &Needs, epochs: &[EpochState]) {
        self.retrieved = needs.asked.clone();
        self.epochs = epochs.iter().map(|epoch| epoch.request).collect();
    }

    /// The same without what answers ask for.
    #[must_use]
    pub fn without_retrieval(&self) -> Self {
        Self { requests: self.requests.clone(), ..Self::default() }
    }
}

/// The blocks of a request, before and after.
#[derive(Default)]
struct Mapper {
    before: f64,
    after: f64,
    /// Positions to map, ascending, and where they are after.
    wanted: [f64; 2],
    found: [Option<f64>; 2],
}

impl Mapper {
    fn add(&mut self, before: f64, after: f64) {
        for (wanted, found) in self.wanted.iter().zip(&mut self.found) {
            if found.is_none() && *wanted < self.before + before {
                let share = ((wanted - self.before) / before).clamp(0.0, 1.0);
                *found = Some(self.after + share * after);
            }
        }
        self.before += before;
        self.after += after;
    }

    fn ends(&self) -> [f64; 2] {
        self.found.map(|found| found.unwrap_or(self.after))
    }
}

impl RecordedSession {
    /// Returns what the session costs with other sizes and, if one is given, another lifetime of the cache. Requests that
    /// were counted in another session cost nothing.
    ///
    /// Where the share of a block changes that stood in an earlier request, everything from it on is written anew.
    pub fn cost(&self, sizes: Option<&Sizes>, ttl: Option<Ttl>, rates: &dyn Fn(&str) -> Rates) -> Cost {
        let mut cost = Cost::default();
        self.walk(sizes, ttl, 0.0, rates, |one| cost += one);
        cost
    }

    /// Returns what the session would have cost with a head of so many tokens less, where it is as long.
    pub fn cost_with_less_head(
        &self,
        sizes: Option<&Sizes>,
        tokens: f64,
        rates: &dyn Fn(&str) -> Rates,
    ) -> Cost {
        let mut cost = Cost::default();
        self.walk(sizes, None, tokens, rates, |one| cost += one);
        cost
    }

    fn walk(
        &self,
        sizes: Option<&Sizes>,
        ttl: Option<Ttl>,
        less_head: f64,
        rates: &dyn Fn(&str) -> Rates,
        mut see: impl FnMut(Cost),
    ) {
        let mut state = Replayed { shares: vec![1.0; self.blocks.len()], ..Replayed::default() };
        let plans = plans(self, ttl, rates);
        for (at, (request, plan)) in self.requests.iter().zip(&plans).enumerate() {
            let plan = state.change(self, at, sizes, *plan);
            let mut mapper = Mapper { wanted: [plan.read, plan.read + plan.written], ..Mapper::default() };
            let head = self.head_of(at);
            mapper.add(head, (head + state.head.unwrap_or_default() - less_head.min(head)).max(0.0));
            for (id, tokens) in self.sizes_of(at) {
                mapper.add(tokens, tokens * state.share(id));
                state.sent.insert(id);
            }
            let rates = rates(&request.model);
            let [read, written] = mapper.ends();
            let prompt = Cost {
                read: read * rates.read,
                write: (written - read) * plan.write_rate,
                input: (mapper.after - written).max(0.0) * rates.input,
                output: request.counted.output * rates.output,
            };
            let retrieved = state.retrieve(self, at, sizes, (mapper.after, plan.write_rate, rates));
            if !request.is_repeated {
                see(prompt);
                see(retrieved);
            }
        }
    }

    /// The blocks of a request with their tokens in it.
    pub(super) fn sizes_of(&self, at: usize) -> impl Iterator<Item = (u32, f64)> {
        self.requests.get(at).into_iter().flat_map(move |request| {
            request
                .context
                .iter()
                .map(move |id| (*id, self.block(*id).map_or(0.0, |block| block.tokens) * request.scale))
        })
    }

    /// What the blocks leave of a request's prompt.
    pub(super) fn head_of(&self, at: usize) -> f64 {
        let prompt = self.requests.get(at).map_or(0.0, |request| request.counted.prompt());
        (prompt - self.sizes_of(at).map(|(_, tokens)| tokens).sum::<f64>()).max(0.0)
    }

    /// Where the first of these blocks begins in a request.
    pub(super) fn start_of(&self, at: usize, blocks: &[u32]) -> f64 {
        let mut start = self.head_of(at);
        for (id, tokens) in self.sizes_of(at) {
            if blocks.contains(&id) {
                return start;
            }
            start += tokens;
        }
        start
    }
}

/// What was to be read behind this place is written.
fn rewritten_from(plan: CachePlan, place: f64) -> CachePlan {
    let read = plan.read.min(place);
    CachePlan { read, written: plan.written + plan.read - read, ..plan }
}

/// The blocks of a session at some request of its replay.
#[derive(Default)]
struct Replayed {
    /// The share of each block that is left.
    shares: Vec<f64>,
    /// The blocks that an earlier request had.
    sent: HashSet<u32>,
    /// Tokens that the head has more.
    head: Option<f64>,
    /// Tokens of what was retrieved since the last epoch.
    retrieved: f64,
    segment: usize,
}

impl Replayed {
    fn share(&self, id: u32) -> f64 {
        self.shares.get(id as usize).copied().unwrap_or(1.0)
    }

    /// Changes the sizes of blocks. What stood behind the first of them that an earlier request had is written again.
    fn change(
        &mut self,
        session: &RecordedSession,
        at: usize,
        sizes: Option<&Sizes>,
        plan: CachePlan,
    ) -> CachePlan {
        let before = self.head;
        let (head, changes) = match sizes.and_then(|sizes| sizes.requests.get(at)) {
            Some((head, changes)) => (*head, changes.as_slice()),
            None => (before.unwrap_or_default(), &[][..]),
        };
        self.head = Some(head);
        let mut moved = Vec::new();
        for (id, share) in changes {
            if self.sent.contains(id) && (self.share(*id) - share).abs() > 1e-9 {
                moved.push(*id);
            }
            if let Some(place) = self.shares.get_mut(*id as usize) {
                *place = *share;
            }
        }
        if before.is_some_and(|before| (before - head).abs() > 1e-9) {
            rewritten_from(plan, 0.0)
        } else if !moved.is_empty() {
            // Anthropic looks for a prompt near its breakpoints only, which clients have at the head and at the end.
            let place = match session.client {
                Client::ClaudeCode => session.head_of(at),
                Client::Codex => session.start_of(at, &moved),
            };
            rewritten_from(plan, place)
        } else {
            plan
        }
    }

    /// Returns the cost of what answers retrieve and have retrieved.
    fn retrieve(
        &mut self,
        session: &RecordedSession,
        at: usize,
        sizes: Option<&Sizes>,
        (prompt, write_rate, rates): (f64, f64, Rates),
    ) -> Cost {
        let mut cost = Cost::default();
        let (Some(sizes), Some(request)) = (sizes, session.requests.get(at)) else { return cost };
        if request.segment != self.segment || sizes.epochs.contains(&at) {
            (self.segment, self.retrieved) = (request.segment, 0.0);
        }
        cost.read += self.retrieved * rates.read;
        for id in sizes.retrieved.get(&at).into_iter().flatten() {
            let tokens = session.block(*id).map_or(0.0, |block| block.tokens) * request.scale;
            cost.read += (prompt + self.retrieved) * rates.read;
            cost.output += ROUND_OUTPUT * rates.output;
            cost.write += tokens * write_rate;
            self.retrieved += tokens;
        }
        cost
    }
}

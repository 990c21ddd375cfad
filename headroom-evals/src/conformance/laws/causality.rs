use headroom_core::{Api, CompressOptions, Retrieval};

use super::Violation;
use crate::conformance::{
    diff,
    engine::{EngineUnderTest, Fresh},
    json::Json,
    rng::Rng,
    semantic,
};

const LAW: &str = "causality";

/// Counts what a causality check compared, so that a check that compared nothing is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Pairs of requests with the same head.
    pub pairs: usize,
    /// Blocks that occur in both requests of a pair.
    pub blocks: usize,
    /// Texts that were edited in the shorter request of a pair.
    pub edits: usize,
    /// Pairs between whose requests an epoch began.
    pub epochs: usize,
}

impl std::ops::AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        self.pairs += other.pairs;
        self.blocks += other.blocks;
        self.edits += other.edits;
        self.epochs += other.epochs;
    }
}

/// One request of one tenant.
#[derive(Clone, Debug)]
pub struct ComparedRequest {
    /// The wire format.
    pub api: Api,
    /// The tenant.
    pub tenant: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Checks that blocks shared by two requests of a conversation are compressed alike in both, unless an epoch began in
/// between: at a new prompt of the user, and with the epochs before it unchanged.
///
/// Every request is compared with the next and with the last one, each through an engine without history and through
/// one that has seen all earlier requests.
///
/// # Errors
///
/// Returns the first block that was compressed differently.
pub fn causality(
    fresh: Fresh<'_>,
    api: Api,
    requests: &[Vec<u8>],
    options: &CompressOptions,
) -> Result<Compared, Violation> {
    let fail = |what: String| Err(Violation { law: LAW, what });
    let warm = fresh();
    let mut seen = Vec::new();
    for (n, input) in requests.iter().enumerate() {
        let answer = fresh().compress(api, input, options);
        if warm.compress(api, input, options).body != answer.body {
            return fail(format!("request {n}: an engine with a past answered otherwise"));
        }
        let output = answer.sent(input).to_vec();
        let found = diff::diff(api, input, &output).map_err(|what| Violation { law: "splice", what })?;
        let (Some(before), Some(after)) = (Json::parse(input), Json::parse(&output)) else {
            return fail(format!("request {n}: not JSON"));
        };
        seen.push(Seen {
            head: semantic::head(api, &before),
            before: semantic::blocks(api, &before),
            after: semantic::blocks(api, &after),
            tool: found.tool,
            edits: found.edits.len(),
            epochs: answer.epochs,
        });
    }
    let mut compared = Compared::default();
    let last = seen.len().saturating_sub(1);
    for n in 0..last {
        let later = if n + 1 == last { vec![last] } else { vec![n + 1, last] };
        for m in later {
            let pair = compare(&seen[n], &seen[m]);
            compared += pair.or_else(|what| fail(format!("requests {n} and {m}: {what}")))?;
        }
    }
    Ok(compared)
}

/// Compares two requests of a conversation, the earlier one first. Returns what is wrong with the later one.
fn compare(a: &Seen, b: &Seen) -> Result<Compared, String> {
    if a.head != b.head {
        return Ok(Compared::default());
    }
    if a.tool != b.tool {
        return Err("the appended tool changed".to_owned());
    }
    let shared = semantic::common(&a.before, &b.before);
    if a.epochs != b.epochs {
        if shared < a.before.len() {
            // The conversation went back; its epochs are its own.
            return Ok(Compared::default());
        }
        let news = b.before.get(shared..).unwrap_or_default();
        if !b.epochs.starts_with(&a.epochs) || !news.iter().any(|block| semantic::is_words_of_user(block)) {
            return Err(format!("epochs {:?} became {:?}", a.epochs, b.epochs));
        }
        return Ok(Compared { pairs: 1, epochs: 1, ..Compared::default() });
    }
    // Thinking that left before the newest epoch stands in neither output.
    let gone = |seen: &Seen| seen.before.len().saturating_sub(seen.after.len());
    let shared = if gone(a) == gone(b) { shared.saturating_sub(gone(a)) } else { 0 };
    if let Some(at) = (0..shared).find(|at| a.after.get(*at) != b.after.get(*at)) {
        return Err(format!(
            "block {at} became {:?} and then {:?}",
            a.after.get(at).map(|text| excerpt(text)),
            b.after.get(at).map(|text| excerpt(text)),
        ));
    }
    Ok(Compared { pairs: 1, blocks: shared, edits: a.edits, epochs: 0 })
}

/// Checks that neither the order of requests nor requests of other tenants in between change any result.
///
/// # Errors
///
/// Returns the first request whose result differs from that of the request alone.
pub fn order(fresh: Fresh<'_>, requests: &[ComparedRequest], seed: u64) -> Result<(), Violation> {
    let alone =
        |request: &ComparedRequest| fresh().compress(request.api, &request.body, &options(request)).body;
    let expected: Vec<_> = requests.iter().map(alone).collect();
    let mut rng = Rng::new(seed);
    for round in 0..2 {
        let mut turn: Vec<usize> = (0..requests.len()).collect();
        for n in (1..turn.len()).rev() {
            turn.swap(n, rng.below(n + 1));
        }
        let shared: Box<dyn EngineUnderTest> = fresh();
        for n in turn {
            let request = &requests[n];
            if shared.compress(request.api, &request.body, &options(request)).body != expected[n] {
                let what = format!(
                    "round {round}: request {n} of {} depends on the requests before it",
                    request.tenant
                );
                return Err(Violation { law: LAW, what });
            }
        }
    }
    Ok(())
}

struct Seen {
    head: String,
    before: Vec<String>,
    after: Vec<String>,
    tool: Option<Vec<u8>>,
    edits: usize,
    epochs: Vec<usize>,
}

fn options(request: &ComparedRequest) -> CompressOptions {
    CompressOptions::new().retrieval(Retrieval::ServerTool).tenant(request.tenant.clone())
}

fn excerpt(text: &str) -> String {
    let mut out: String = text.chars().take(400).collect();
    if out.len() < text.len() {
        out.push_str(&format!("… ({} bytes)", text.len()));
    }
    out
}

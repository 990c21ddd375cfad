//! Runs the engine over the texts of one call, and stores what was omitted.

use std::{collections::BTreeMap, ops::Range};

use headroom_core::{CompressOptions, Engine, Hints, Original, Retrieval};
use headroom_json::{Replacement, splice};
use headroom_store::{DiskStore, StoreError};

use super::{NAME, claude, transcript::Transcript};
use crate::{
    cmd::mcp,
    config::{Config, Models, Prose, Store},
    store::{self, LOCAL_TENANT},
};

/// The engine leaves shorter texts as they are.
const MIN_BYTES: usize = 160;

/// Returns the answer for a call; `None` if nothing can be saved.
pub(super) fn compress(
    input: &str,
    call: &claude::Call<'_>,
    config: &Config,
) -> Result<Option<String>, String> {
    if call.texts.iter().all(|text| text.raw.len() < MIN_BYTES) || is_retrieval(call, config) {
        return Ok(None);
    }
    // A model that prunes words is loaded for longer than a call may take.
    let models = Models { prose: Prose::Off, ..config.models.clone() };
    let (engine, _) = models.engine();
    let work = Work { call, config, engine: &engine, transcript: Transcript::before(call) };
    let retrieval = way_to_retrieve(call, config);
    let (mut edits, originals) = work.edits(retrieval);
    let mut failed = None;
    if !originals.is_empty()
        && let Err(error) = put(retrieval, config, &originals)
    {
        failed = Some(format!("the store refused the originals: {}", store::reason(Some(&error))));
        (edits, _) = work.edits(Retrieval::Disabled);
    }
    if edits.is_empty() {
        return failed.map_or(Ok(None), Err);
    }
    if let Some(reason) = &failed {
        super::log::write("claude", reason);
    }
    Ok(output(input, call, &edits))
}

type Edits = Vec<(Range<usize>, String)>;

struct Work<'a> {
    call: &'a claude::Call<'a>,
    config: &'a Config,
    engine: &'a Engine,
    transcript: Transcript,
}

impl Work<'_> {
    /// The edits of the input, in order, and the originals to store before.
    fn edits(&self, retrieval: Retrieval) -> (Edits, Vec<Original>) {
        let hints = self.hints(retrieval);
        let (mut edits, mut originals) = (Edits::new(), BTreeMap::new());
        for text in &self.call.texts {
            let Some(decoded) = text.decode() else { continue };
            let outcome = self.engine.compress_text(&decoded, &hints);
            let Some(smaller) = outcome.text else { continue };
            edits.push((text.start..text.start + text.raw.len(), smaller));
            originals.extend(outcome.originals.into_iter().map(|original| (original.handle(), original)));
        }
        (edits, originals.into_values().collect())
    }

    fn hints(&self, retrieval: Retrieval) -> Hints {
        let options = CompressOptions::new().tier(self.config.tier).tenant(LOCAL_TENANT);
        let options = match (&self.config.originals_dir, retrieval) {
            (Some(folder), Retrieval::File) => options.originals_dir(folder.folder()),
            (_, retrieval) => options.retrieval(retrieval),
        };
        let mut hints =
            Hints::new().tool(self.call.tool.as_ref()).arguments(self.call.arguments).options(options);
        if let Some(prompt) = &self.transcript.prompt {
            hints = hints.query(prompt);
        }
        for (tool, arguments) in &self.transcript.calls {
            hints = hints.earlier_call(tool, arguments);
        }
        hints
    }
}

/// Whether the call asks for an original, which must not be made smaller again.
fn is_retrieval(call: &claude::Call<'_>, config: &Config) -> bool {
    let folder = config.originals_dir.as_ref().map(|folder| folder.folder());
    let names = |part: &str| call.arguments.contains(part);
    folder.is_some_and(names) || names("headroom retrieve") || names(&format!("[{NAME}:"))
}

/// How the agent can retrieve what was omitted: the tool that it has, or else a file. An agent under another one may have
/// fewer tools.
fn way_to_retrieve(call: &claude::Call<'_>, config: &Config) -> Retrieval {
    let wanted = match config.retrieval {
        Retrieval::ServerTool if !call.is_subagent && mcp::serves_claude() => Retrieval::ClientTool,
        Retrieval::ServerTool => Retrieval::File,
        set => set,
    };
    match (wanted, &config.store, &config.originals_dir) {
        (Retrieval::ClientTool, Store::Folder(_), _) | (Retrieval::File, _, Some(_)) => wanted,
        _ => Retrieval::Disabled,
    }
}

/// Stores originals where the agent finds them.
fn put(retrieval: Retrieval, config: &Config, originals: &[Original]) -> Result<(), StoreError> {
    match (retrieval, &config.store, &config.originals_dir) {
        (Retrieval::File, _, Some(folder)) => folder.open().put_many_blocking(originals),
        (_, Store::Folder(folder), _) => DiskStore::new(folder).put_many_blocking(LOCAL_TENANT, originals),
        _ => Ok(()),
    }
}

/// The answer with the edited result. Everything outside the edited texts stays byte for byte.
fn output(input: &str, call: &claude::Call<'_>, edits: &Edits) -> Option<String> {
    let start = call.result.start;
    let edits: Vec<_> = edits
        .iter()
        .map(|(place, text)| {
            Some((place.start.checked_sub(start)?..place.end.checked_sub(start)?, Replacement::Text(text)))
        })
        .collect::<Option<_>>()?;
    let result = splice(input.get(call.result.clone())?, &edits)?;
    Some(claude::answer(&result))
}

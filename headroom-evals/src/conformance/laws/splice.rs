use headroom_core::{Api, CompressOptions, Retrieval};

use super::{Run, Violation};
use crate::conformance::{engine::Fresh, json::Json, spans};

/// Checks that the output differs from the input only inside editable text, and is the same every time.
///
/// # Errors
///
/// Returns the first violation: a changed byte that no edit explains, a body that is returned although nothing changed,
/// or a second call or another engine with a different answer.
pub fn splice(
    fresh: Fresh<'_>,
    api: Api,
    input: &[u8],
    retrieval: Retrieval,
    options: &CompressOptions,
) -> Result<Run, Violation> {
    let fail = |what: &str| Err(Violation { law: "splice", what: what.to_owned() });
    let options = options.clone().retrieval(retrieval);
    let engine = fresh();
    let run = Run::new(&*engine, api, input, &options)?;
    if run.answer.body.as_deref() == Some(input) {
        return fail("an unchanged body was returned as a rewritten one");
    }
    if retrieval != Retrieval::ServerTool && run.diff.tool.is_some() {
        return fail("a tool was appended that nobody serves");
    }
    let editable = Json::parse(input).is_some_and(|json| !spans::editable(api, &json).is_empty());
    if !editable && !run.diff.edits.is_empty() {
        return fail("a body without tool results was edited");
    }
    for (who, engine) in [("the same engine", engine), ("another engine", fresh())] {
        let again = engine.compress(api, input, &options);
        if again.body != run.answer.body || again.originals != run.answer.originals {
            return fail(&format!("{who} answered otherwise the second time"));
        }
    }
    Ok(run)
}

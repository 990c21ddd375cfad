//! What a store does not take is not left out.

use std::collections::HashMap;

use headroom_core::{Engine, Hints};

use super::*;

/// Takes originals until it has so many, and then fails.
struct LimitedStore {
    has: HashMap<Handle, String>,
    room: usize,
    puts: usize,
}

impl LimitedStore {
    fn with_room(room: usize) -> Self {
        Self { has: HashMap::new(), room, puts: 0 }
    }

    fn put(&mut self, originals: Vec<Original>) -> bool {
        self.puts += 1;
        for original in originals {
            if self.has.len() == self.room && !self.has.contains_key(&original.handle()) {
                return false;
            }
            self.has.insert(original.handle(), original.into_content());
        }
        true
    }

    /// Fails where there is room for nothing.
    fn has(&self, handles: &[Handle]) -> Option<Vec<bool>> {
        (self.room > 0).then(|| handles.iter().map(|handle| self.has.contains_key(handle)).collect())
    }
}

/// A conversation with two long logs.
fn body() -> Bytes {
    let row = |n: usize, seed: usize| {
        format!("2026-01-01T10:{:02}:{:02} INFO served {n} in {} ms\\n", n / 60, n % 60, n * seed % 97)
    };
    let log = |seed: usize| (0..300).map(|n| row(n, seed)).collect::<String>();
    let turn = |id: usize, log: &str| {
        format!(
            r#"{{"role":"assistant","tool_calls":[{{"id":"{id}","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}},
            {{"role":"tool","tool_call_id":"{id}","content":"{log}"}}"#
        )
    };
    let tool = r#"{"type":"function","function":{"name":"headroom_retrieve","parameters":{}}}"#;
    let (first, second) = (turn(1, &log(7919)), turn(2, &log(7907)));
    Bytes::from(format!(r#"{{"model":"gpt-4o","tools":[{tool}],"messages":[{first},{second}]}}"#))
}

/// Runs a session to its end; `None` if the request passes as it came.
fn run(store: &mut LimitedStore, known: &KnownOriginals) -> (Option<Draft>, Session) {
    let engine = Engine::new();
    let mut session = Session::new("local", CompressOptions::new().retrieval(Retrieval::ClientTool));
    let mut step = SessionStep::Compress { body: body() };
    loop {
        step = match step {
            SessionStep::Compress { body } => {
                let outcome = engine.compress(Api::OpenAiChat, &body, session.options());
                session.compressed(known, Api::OpenAiChat, body, outcome)
            }
            SessionStep::Put { originals, .. } => session.put_ended(known, store.put(originals)).unwrap(),
            SessionStep::Ask { handles, .. } => session.has_ended(known, store.has(&handles)).unwrap(),
            SessionStep::Send(draft) => return (Some(draft), session),
            SessionStep::Pass { .. } => return (None, session),
        };
    }
}

fn text(draft: &Draft) -> &str {
    std::str::from_utf8(&draft.body).unwrap()
}

#[test]
fn every_original_of_the_output_is_stored() {
    let mut store = LimitedStore::with_room(9);
    let (draft, session) = run(&mut store, &KnownOriginals::new());
    let draft = draft.unwrap();
    assert_eq!((draft.handles.len(), session.store_failed()), (2, false));
    for handle in &draft.handles {
        assert!(text(&draft).contains(&handle.to_string()), "the marker names it");
        assert!(store.has.contains_key(handle));
    }
}

#[test]
fn what_a_full_store_lacks_stays_in_full_and_stays_so() {
    let known = KnownOriginals::new();
    let (draft, session) = run(&mut LimitedStore::with_room(1), &known);
    let draft = draft.unwrap();
    assert_eq!((draft.handles.len(), session.store_failed()), (1, true));
    assert!(text(&draft).contains(&draft.handles[0].to_string()));
    let whole = run(&mut LimitedStore::with_room(9), &KnownOriginals::new()).0.unwrap();
    assert_eq!(draft.handles[0], whole.handles[0], "the first log is written as ever");
    assert!(!text(&draft).contains(&whole.handles[1].to_string()));

    let (later, session) = run(&mut LimitedStore::with_room(9), &known);
    assert_eq!(text(&later.unwrap()), text(&draft), "a store that works again changes nothing that was sent");
    assert!(!session.store_failed());
}

#[test]
fn a_store_that_is_down_is_asked_once_and_nothing_new_is_elided() {
    let (mut store, known) = (LimitedStore::with_room(0), KnownOriginals::new());
    let (draft, session) = run(&mut store, &known);
    assert!(session.store_failed() && draft.is_none_or(|draft| draft.handles.is_empty()));
    assert_eq!(store.puts, 1);
}

#[test]
fn what_the_store_had_stays_elided_while_it_is_down() {
    let known = KnownOriginals::new();
    let before = run(&mut LimitedStore::with_room(9), &known).0.unwrap();
    let (during, session) = run(&mut LimitedStore::with_room(0), &known);
    assert_eq!(text(&during.unwrap()), text(&before));
    assert!(session.store_failed());
}

#[test]
fn a_text_is_elided_only_if_its_original_is_stored() {
    let engine = Engine::new();
    let row = |n: usize| format!("10:{:02} INFO served {n} in {} ms\n", n / 60, n * 7919 % 97);
    let log: String = (0..300).map(row).collect();
    let run = |ok: bool, known: &KnownOriginals| {
        let mut options = CompressOptions::new().retrieval(Retrieval::ClientTool);
        let mut commit = Commit::new("local");
        loop {
            let hints = Hints::new().tool("Bash").options(options.clone());
            let mut outcome = engine.compress_text(&log, &hints);
            let originals = mem::take(&mut outcome.originals);
            let mut step = commit.draft(known, outcome, originals);
            if let CommitStep::Put(_) = step {
                step = commit.put_ended(known, ok).unwrap();
            }
            if let CommitStep::Ask(_) = step {
                step = commit.has_ended(known, None).unwrap();
            }
            match step {
                // A text is one block.
                CommitStep::Retry { .. } => options = options.retrieval(Retrieval::Disabled),
                CommitStep::Done { draft, handles } => return (draft.text.unwrap_or_default(), handles),
                step => panic!("{step:?}"),
            }
        }
    };
    let (text, handles) = run(true, &KnownOriginals::new());
    assert!(text.contains(&handles[0].to_string()));
    let known = KnownOriginals::new();
    let (text, handles) = run(false, &known);
    assert!(handles.is_empty() && !text.contains("[headroom:"));
    assert_eq!(run(true, &known).0, text, "what was sent stays the same");
}

#[test]
fn an_answer_that_nobody_waits_for_is_an_error() {
    let (known, mut session) = (KnownOriginals::new(), Session::new("local", CompressOptions::new()));
    let error = session.put_ended(&known, true).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the exchange waits for a draft, not for put ended; poll it for its next command"
    );
    assert!(session.has_ended(&known, None).is_err() && session.cancel().is_none());
}

#[test]
fn a_draft_that_needs_what_it_was_to_do_without_is_refused() {
    let original = Original::new("x");
    let known = KnownOriginals::new();
    let mut commit = Commit::new("local");
    assert!(matches!(commit.draft(&known, 1, vec![original.clone()]), CommitStep::Put(_)));
    assert!(matches!(commit.put_ended(&known, false), Ok(CommitStep::Ask(_))));
    assert!(matches!(commit.has_ended(&known, Some(vec![])), Ok(CommitStep::Retry { .. })));
    assert_eq!(commit.draft(&known, 2, vec![original]), CommitStep::Refuse(2));
}

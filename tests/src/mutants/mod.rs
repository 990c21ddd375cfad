//! Tests that the laws accept a correct engine and reject each faulty one.

use headroom_core::{Api, CompressOptions, Retrieval};

mod faulty_engine;

use headroom_evals::conformance::laws::{
    ComparedRequest, Forms, Violation, causality, every, order, private, splice,
};
use proptest::prelude::*;

use self::faulty_engine::{Fault, FaultyEngine};
use crate::{data, engine::EngineUnderTest, generate};

/// Requests with a long result, an error, an odd value, and trailing white space.
fn requests() -> Vec<Vec<u8>> {
    let log = |name: &str| {
        (0..60).map(|n| format!("{name} line {n} of the night watch")).collect::<Vec<_>>().join("\\n")
    };
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":"why?"}},
{{"role":"assistant","content":[{{"type":"tool_use","id":"a","name":"sh","input":{{"n":1.0}}}},{{"type":"text","text":"{thought}"}}]}},
{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"a","content":"{one}"}}]}},
{{"role":"assistant","content":[{{"type":"tool_use","id":"b","name":"sh","input":{{}}}}]}},
{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"b","content":"{two}"}},
  {{"type":"tool_result","tool_use_id":"c","is_error":true,"content":"{failed}"}}]}},
{{"role":"assistant","content":"ok"}},
{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"d","content":[{{"type":"text","text":"{three}"}}]}},
  {{"type":"tool_result","tool_use_id":"e","content":"caf\u00e9","cache_control":{{"type":"ephemeral"}}}}]}}
],"x":1.50,"tools":[{{"name":"sh"}}]}}
"#,
        thought = log("I think"),
        one = log("first"),
        two = log("second"),
        three = log("third"),
        failed = log("it failed"),
    );
    let mut bodies = data::prefixes(Api::Anthropic, body.as_bytes());
    // Clients mark the newest result, so the mark moves.
    let marked = br#""tool_use_id":"a","cache_control":{"type":"ephemeral"},"#;
    bodies[1] = String::from_utf8_lossy(&bodies[1])
        .replace(r#""tool_use_id":"a","#, &String::from_utf8_lossy(marked))
        .into_bytes();
    bodies
}

/// Checks every law and returns the first violation.
fn judge(fault: Fault) -> Result<(), Violation> {
    let fresh = || Box::new(FaultyEngine::new(fault)) as Box<dyn EngineUnderTest>;
    let requests = requests();
    for retrieval in [Retrieval::Disabled, Retrieval::ClientTool, Retrieval::ServerTool] {
        let options = CompressOptions::new().retrieval(retrieval);
        for body in &requests {
            let run = splice(&fresh, Api::Anthropic, body, retrieval, &options)?;
            every(&run, &options, &Forms::default())?;
            private(&run.answer, &["night watch"])?;
        }
        let compared = causality(&fresh, Api::Anthropic, &requests, &options)?;
        assert!(compared.pairs > 2 && compared.blocks > 6, "{compared:?}");
        assert!(fault != Fault::None || compared.edits > 2, "{compared:?}");
        let last = requests.last().unwrap();
        for item in [r#"{"role":"user","content":"thanks"}"#, r#"{"role":"user","content":"\ud800"}"#] {
            causality(
                &fresh,
                Api::Anthropic,
                &[last.clone(), data::append(Api::Anthropic, last, item)],
                &options,
            )?;
        }
    }
    let of =
        |tenant: &str| requests.iter().map(move |body| (tenant.to_owned(), body.clone())).collect::<Vec<_>>();
    let both: Vec<ComparedRequest> = [of("a"), of("b")]
        .concat()
        .into_iter()
        .map(|(tenant, body)| ComparedRequest { api: Api::Anthropic, tenant, body })
        .collect();
    order(&fresh, &both, 7)
}

fn law(fault: Fault) -> &'static str {
    match judge(fault) {
        Ok(()) => panic!("{fault:?} passed"),
        Err(violation) => violation.law,
    }
}

#[test]
fn an_honest_engine_passes() {
    judge(Fault::None).unwrap();
}

#[test]
fn splice_refuses_engines_that_change_other_bytes() {
    use Fault::*;
    for fault in [
        Reserialises,
        DropsTrailingSpace,
        ReturnsTheSame,
        RespellsKeptText,
        EditsErrors,
        EditsAssistants,
        CountsCalls,
    ] {
        assert_eq!(law(fault), "splice", "{fault:?}");
    }
}

#[test]
fn causality_refuses_engines_that_look_ahead_or_back() {
    use Fault::*;
    for fault in [
        LooksAtLaterBlocks,
        ProtectsMarkedBlocks,
        KeepsTheNewestBlock,
        RemembersRequests,
        SharesAcrossTenants,
        GivesUpOnOddities,
        ClaimsEpochs,
    ] {
        assert_eq!(law(fault), "causality", "{fault:?}");
    }
}

#[test]
fn a_tool_that_comes_and_goes_is_refused() {
    let found = judge(Fault::AppendsTheToolNowAndThen).unwrap_err();
    assert_eq!(found.law, "splice", "without a server there is no tool: {found}");
    let fresh = || Box::new(FaultyEngine::new(Fault::AppendsTheToolNowAndThen)) as Box<dyn EngineUnderTest>;
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    assert_eq!(causality(&fresh, Api::Anthropic, &requests(), &options).unwrap_err().law, "causality");
}

#[test]
fn never_worse_refuses_growth_and_false_figures() {
    use Fault::*;
    for fault in [Grows, OverstatesSavings, ForgetsToReport] {
        assert_eq!(law(fault), "never worse", "{fault:?}");
    }
}

#[test]
fn truthful_refuses_fused_altered_swapped_and_dropped_lines() {
    use Fault::*;
    for fault in [FusesLines, AltersNumbers, SwapsLines, DropsLines] {
        assert_eq!(law(fault), "truthful", "{fault:?}");
    }
}

#[test]
fn recoverable_refuses_handles_that_lead_nowhere() {
    use Fault::*;
    for fault in [LosesOriginals, NamesOriginalsWrongly, CountsLinesWrongly, SetsAsideWithoutMeans] {
        assert_eq!(law(fault), "recoverable", "{fault:?}");
    }
}

#[test]
fn private_refuses_content_in_print() {
    assert_eq!(judge(Fault::PrintsContent).unwrap_err().law, "private");
}

fn judge_bodies(api: Api, bodies: &[Vec<u8>]) -> Result<usize, Violation> {
    let fresh = || Box::new(FaultyEngine::new(Fault::None)) as Box<dyn EngineUnderTest>;
    let mut edits = 0;
    for retrieval in [Retrieval::Disabled, Retrieval::ClientTool] {
        let options = CompressOptions::new().retrieval(retrieval);
        causality(&fresh, api, bodies, &options)?;
        let run = splice(&fresh, api, bodies.last().unwrap(), retrieval, &options)?;
        every(&run, &options, &Forms::default())?;
        edits += run.diff.edits.len();
    }
    Ok(edits)
}

#[test]
fn an_honest_engine_passes_on_conversations_of_every_api() {
    let recorded = data::captures().into_iter().chain(data::traces(3)).flatten();
    for conversation in data::conversations().into_iter().chain(recorded) {
        let own = conversation.name.contains("/conversation");
        let edits = judge_bodies(conversation.api, &conversation.bodies);
        let edits = edits.unwrap_or_else(|violation| panic!("{}: {violation}", conversation.name));
        assert!(!own || edits >= 10, "{}: {edits}", conversation.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn an_honest_engine_passes_on_generated_conversations(conversation in generate::conversations()) {
        let judged = judge_bodies(conversation.api, &generate::bodies(&conversation));
        judged.map_err(|violation| TestCaseError::fail(violation.to_string()))?;
    }
}

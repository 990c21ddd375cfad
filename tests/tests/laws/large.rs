use std::collections::BTreeMap;

use headroom_core::{Api, Retrieval, Transform};
use headroom_tests::{
    engine::real,
    generate::{self, Call, Content, Conversation, Escapes, Exchange, Shape, Space, Spelling, Style},
    laws::{Forms, causality, every, splice},
    output::Output,
};

/// A conversation in which every output comes twice: large, and later again with one row changed.
fn conversation(api: Api) -> Conversation {
    let call = |output: Output, changed| {
        let lines = if output == Output::FileRead { 900 } else { 500 };
        let content = Content { shape: Shape::Large(output), seed: 5, lines, changed };
        Call { tool: 0, content, spelling: Spelling::Plain }
    };
    let exchange = |pair: &[Output], changed| {
        Exchange::Calls(pair.iter().map(|output| call(*output, changed)).collect())
    };
    let mut exchanges: Vec<_> = Output::ALL.chunks(3).map(|some| exchange(some, usize::MAX)).collect();
    exchanges.push(Exchange::Talk("What about the ship lantern 4711 in harbour?".to_owned()));
    exchanges.extend(Output::ALL.chunks(4).map(|some| exchange(some, 40)));
    let style = Style { space: Space::Dense, escapes: Escapes::Minimal, order: 1 };
    Conversation { api, style, tools: 2, odd: false, exchanges }
}

#[test]
fn every_law_holds_where_parts_of_every_kind_are_set_aside() {
    let mut aside = BTreeMap::new();
    for &api in Api::ALL {
        let bodies = generate::bodies(&conversation(api));
        for retrieval in [Retrieval::ServerTool, Retrieval::File] {
            let options = crate::options(retrieval);
            let compared = causality(&real, api, &bodies, &options);
            let compared = compared.unwrap_or_else(|violation| panic!("{api} with {retrieval}: {violation}"));
            assert!(compared.edits > 10, "{api} with {retrieval}: {compared:?}");
            let last = bodies.last().unwrap();
            let run = splice(&real, api, last, retrieval, &options).and_then(|run| {
                every(&run, &options, &Forms::default())?;
                Ok(run)
            });
            let run = run.unwrap_or_else(|violation| panic!("{api} with {retrieval}: {violation}"));
            let elided = run.answer.edited.iter().filter(|edited| edited.steps.contains(&Transform::Elision));
            let referred =
                run.answer.edited.iter().filter(|edited| edited.steps.contains(&Transform::Reference));
            aside.insert(
                (api.as_str(), retrieval.as_str()),
                (elided.count(), referred.count(), run.answer.originals.len()),
            );
        }
    }
    println!("{aside:?}");
    // Otherwise the laws were not put to the test.
    let tested = |api: &str, retrieval| aside[&(api, retrieval)].0 >= 6 && aside[&(api, retrieval)].1 >= 3;
    assert!(tested("openai", "server-tool") && tested("openai", "file"), "{aside:?}");
    assert!(tested("anthropic", "server-tool") && tested("anthropic", "file"), "{aside:?}");
}

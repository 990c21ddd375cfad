//! Conversations built from the input: causality turn by turn, and every law on the last request.
#![no_main]

use headroom_core::{Api, CompressOptions};
use headroom_tests::{
    engine::real,
    generate::{Call, Content, Conversation, Escapes, Exchange, Shape, Space, Spelling, Style, bodies},
    laws::{Forms, Run, causality, every},
};
use libfuzzer_sys::{
    arbitrary::{Result, Unstructured},
    fuzz_target,
};

fuzz_target!(|data: &[u8]| {
    let Ok(conversation) = conversation(&mut Unstructured::new(data)) else { return };
    let bodies = bodies(&conversation);
    let options = CompressOptions::new();
    causality(&real, conversation.api, &bodies, &options).unwrap_or_else(|violation| panic!("{violation}"));
    if let Some(last) = bodies.last() {
        let run = Run::new(&*real(), conversation.api, last, &options)
            .unwrap_or_else(|violation| panic!("{violation}"));
        every(&run, &options, &Forms::default()).unwrap_or_else(|violation| panic!("{violation}"));
    }
});

fn conversation(input: &mut Unstructured<'_>) -> Result<Conversation> {
    let style = Style {
        space: *input.choose(&[Space::Dense, Space::Spaced, Space::Lines])?,
        escapes: *input.choose(&[Escapes::Minimal, Escapes::Ascii, Escapes::Odd])?,
        order: input.arbitrary()?,
    };
    let (api, tools, odd) = (*input.choose(Api::ALL)?, input.int_in_range(0..=3)?, input.arbitrary()?);
    let mut exchanges = Vec::new();
    while exchanges.len() < 6 && !input.is_empty() {
        exchanges.push(if input.ratio(1, 5)? {
            Exchange::Talk(input.arbitrary()?)
        } else {
            let calls = input.int_in_range(1..=3)?;
            Exchange::Calls((0..calls).map(|_| call(input)).collect::<Result<_>>()?)
        });
    }
    Ok(Conversation { api, style, tools, odd, exchanges })
}

fn call(input: &mut Unstructured<'_>) -> Result<Call> {
    let content = Content {
        shape: *input.choose(Shape::ALL)?,
        seed: input.int_in_range(0..=3)?,
        lines: input.int_in_range(0..=160)?,
        changed: input.int_in_range(0..=320)?,
    };
    let spellings = [
        Spelling::Plain,
        Spelling::Part,
        Spelling::Parts,
        Spelling::Failed,
        Spelling::Halved,
        Spelling::Doubled,
        Spelling::Other,
    ];
    Ok(Call { tool: input.int_in_range(0..=3)?, content, spelling: *input.choose(&spellings)? })
}

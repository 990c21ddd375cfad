use headroom_core::Api;
use proptest::prelude::*;

use super::{Content, Escapes, Shape, Space, Style};
use crate::output::Output;

/// How a tool result is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// A string, if the API has that.
    Plain,
    /// One text part.
    Part,
    /// Two text parts with a part in between that is not text.
    Parts,
    /// An error result.
    Failed,
    /// The text ends in half of a surrogate pair.
    Halved,
    /// A deciding key occurs twice.
    Doubled,
    /// Another kind of tool result, if the API has several.
    Other,
}

/// A call and its result.
#[derive(Clone, Debug)]
pub struct Call {
    /// The index of the tool.
    pub tool: usize,
    /// The result.
    pub content: Content,
    /// The encoding of the result.
    pub spelling: Spelling,
}

/// One exchange between user and model.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// The user says something and the model answers.
    Talk(String),
    /// The model calls tools and gets results.
    Calls(Vec<Call>),
}

/// A conversation without a wire format.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The wire format.
    pub api: Api,
    /// The spelling of the JSON.
    pub style: Style,
    /// The number of tools that the head declares.
    pub tools: usize,
    /// Whether to add unknown fields, unknown blocks and odd numbers everywhere.
    pub odd: bool,
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
}

/// Generates conversations of all APIs.
pub fn conversations() -> impl Strategy<Value = Conversation> {
    let style = (
        prop::sample::select(vec![Space::Dense, Space::Dense, Space::Spaced, Space::Lines]),
        prop::sample::select(vec![Escapes::Minimal, Escapes::Minimal, Escapes::Ascii, Escapes::Odd]),
        any::<u64>(),
    )
        .prop_map(|(space, escapes, order)| Style { space, escapes, order });
    let exchanges = prop::collection::vec(exchange(), 1..6);
    (prop::sample::select(Api::ALL.to_vec()), style, 0..4_usize, any::<bool>(), exchanges)
        .prop_map(|(api, style, tools, odd, exchanges)| Conversation { api, style, tools, odd, exchanges })
}

fn exchange() -> impl Strategy<Value = Exchange> {
    prop_oneof![
        1 => "[ -~é\n]{0,80}".prop_map(Exchange::Talk),
        5 => prop::collection::vec(call(), 1..4).prop_map(Exchange::Calls),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let spelling = prop_oneof![
        6 => Just(Spelling::Plain),
        4 => Just(Spelling::Part),
        2 => Just(Spelling::Parts),
        1 => Just(Spelling::Failed),
        1 => Just(Spelling::Halved),
        1 => Just(Spelling::Doubled),
        2 => Just(Spelling::Other),
    ];
    (0..4_usize, content(), spelling).prop_map(|(tool, content, spelling)| Call { tool, content, spelling })
}

/// Uses few seeds, so that outputs repeat: whole, longer or shorter, or with one line changed.
fn content() -> impl Strategy<Value = Content> {
    let small = prop_oneof![1..6_usize, 20..120_usize];
    let small = (prop::sample::select(Shape::ALL.to_vec()), small);
    let large = prop::sample::select(Output::ALL.to_vec()).prop_map(Shape::Large);
    let shape = prop_oneof![5 => small, 1 => (large, 60..900_usize)];
    (shape, 0..3_u64, 0..240_usize).prop_map(|((shape, lines), seed, changed)| Content {
        shape,
        seed,
        lines,
        changed,
    })
}

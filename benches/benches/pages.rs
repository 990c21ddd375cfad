//! The engine on fresh web pages and prose, from which parts are set aside: the counting of tokens included, which
//! takes most of the time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use divan::{Bencher, black_box, counter::BytesCount};
use headroom_core::{Api, CompressOptions, Engine, Retrieval};
use headroom_tests::ask::Ask;
use serde_json::json;

/// Paragraphs of a page or a document: sizes that show a step that is not linear.
const PARAGRAPHS: [usize; 4] = [20, 200, 2_000, 20_000];

fn main() {
    divan::main();
}

/// A paragraph of some sentences that no other has.
fn paragraph(number: usize) -> String {
    let places = ["harbour", "reef", "tower", "island", "village", "cliff"];
    let place = places[number % places.len()];
    let sentences = (0..6).map(|n| {
        let hour = (number * 7 + n * 5) % 24;
        format!("At {hour} o'clock the keeper of the {place} wrote down wind {n} and tide {number} for the board. ")
    });
    sentences.collect()
}

fn document(paragraphs: usize) -> String {
    (0..paragraphs).map(|n| format!("## Day {n}\n\n{}\n\n", paragraph(n))).collect()
}

/// A page as they are: for each paragraph several times as much around it.
fn page(paragraphs: usize) -> String {
    let link = |n: usize| {
        format!(
            "<li class=\"menu-item menu-item-{n}\"><a class=\"menu-link\" href=\"https://example.org/section/{n}?from=menu&amp;at={n}\" data-track='{{\"id\":{n}}}'>Section {n}</a></li>\n"
        )
    };
    let block = |n: usize| {
        format!(
            "<div class=\"block block--text\" id=\"b{n}\" data-component=\"text\"><h2 class=\"block__title\">Day {n}</h2>\
             <p class=\"block__text\">{}</p></div>\n<script>window.slots=window.slots||[];slots.push({{id:{n},sizes:[[300,250],[728,90]],refresh:30}});</script>\n",
            paragraph(n)
        )
    };
    let menu: String = (0..paragraphs).map(link).collect();
    let blocks: String = (0..paragraphs).map(block).collect();
    format!(
        "<!DOCTYPE html><html><head><title>Days</title></head><body><nav><ul>{menu}</ul></nav><main>{blocks}</main></body></html>"
    )
}

fn of(bencher: Bencher<'_, '_>, text: &str, question: &str) {
    let ask =
        Ask { question, tool: "fetch", arguments: json!({"url": "https://example.org/"}), result: text };
    let body = ask.body(Api::Anthropic);
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    bencher
        .counter(BytesCount::new(body.len()))
        .with_inputs(Engine::new)
        .bench_refs(|engine| engine.compress(Api::Anthropic, black_box(&body), &options));
}

#[divan::bench(args = PARAGRAPHS, sample_count = 10)]
fn html(bencher: Bencher<'_, '_>, paragraphs: usize) {
    of(bencher, &page(paragraphs), "Look at it.");
}

#[divan::bench(args = PARAGRAPHS, sample_count = 10)]
fn prose(bencher: Bencher<'_, '_>, paragraphs: usize) {
    of(bencher, &document(paragraphs), "When did the keeper of the reef write down tide 77?");
}

//! The demonstration as text of 80 columns.

use std::fmt::Write as _;

use headroom_core::{Action, Transform};

use super::{Demo, DemoBlock, what};
use crate::output::{Count, Paint};

const COLUMNS: usize = 80;
/// How many changed results are shown in full enough to see the change.
const EXAMPLES: usize = 3;
const LINES_BEFORE: usize = 4;
const LINES_AFTER: usize = 8;

pub(super) fn render(demo: &Demo, paint: Paint) -> String {
    let mut text = String::from(
        "A small recorded conversation, as an agent sends it again with each turn, and\n\
         what the provider would get instead. No key, no network; nothing is stored.\n\n",
    );
    totals(demo, paint, &mut text);
    table(demo, paint, &mut text);
    for (number, block) in examples(demo) {
        example(number, block, paint, &mut text);
    }
    retrieved(demo, paint, &mut text);
    text.push_str(
        "\nBetween epochs, what was sent once stays the same in later turns, so that the\n\
         provider's cache keeps hitting. Prompts, answers, errors and instructions are\n\
         never edited.\n\n\
         Yours:  headroom wrap claude                 run an agent through it\n        \
         headroom simulate ~/.claude/projects what your sessions would have cost\n        \
         headroom inspect --diff request.json a request of your own\n",
    );
    text
}

fn count(number: usize) -> String {
    Count(number as u64).to_string()
}

fn totals(demo: &Demo, paint: Paint, text: &mut String) {
    let (before, after) = demo.tokens();
    let less = before.saturating_sub(after) * 100 / before.max(1);
    let _ = writeln!(
        text,
        "Before  {:>7} bytes  {:>7} tokens of tool results",
        count(demo.bytes.0),
        count(before)
    );
    let less = paint.good(&format!("{less} % less"));
    let _ = writeln!(text, "After   {:>7} bytes  {:>7} tokens  {less}\n", count(demo.bytes.1), count(after));
}

/// One line for each tool result.
fn table(demo: &Demo, paint: Paint, text: &mut String) {
    let title =
        format!("{:>2}  {:22}{:>7}{:>7}  {}", "#", "result of", "before", "after", "what happens, and why");
    text.push_str(&paint.bold(&title));
    text.push('\n');
    for (number, block) in demo.blocks.iter().enumerate() {
        let tokens = |tokens: Option<usize>| tokens.map_or_else(|| "-".to_owned(), count);
        let line = format!(
            "{:>2}  {:22}{:>7}{:>7}  {}",
            number + 1,
            cut(&block.call, 21),
            tokens(block.report.tokens_before),
            tokens(block.report.tokens_after),
            cut(&what(&block.report), COLUMNS - 42)
        );
        text.push_str(&if is_edited(block) { line } else { paint.dim(&line) });
        text.push('\n');
    }
}

fn is_edited(block: &DemoBlock) -> bool {
    matches!(block.report.action, Action::Edited(_))
}

/// The results that show most: those that shrank most, each by other means.
fn examples(demo: &Demo) -> Vec<(usize, &DemoBlock)> {
    let mut edited: Vec<_> = demo.blocks.iter().enumerate().filter(|(_, block)| is_edited(block)).collect();
    edited.sort_by_key(|(_, block)| std::cmp::Reverse(block.before.len().saturating_sub(block.after.len())));
    let steps = |block: &DemoBlock| match &block.report.action {
        Action::Edited(steps) => steps.clone(),
        _ => Vec::<Transform>::new(),
    };
    let mut shown: Vec<(usize, &DemoBlock)> = Vec::new();
    for (number, block) in edited {
        let is_new = shown.iter().all(|(_, other)| steps(other) != steps(block));
        if is_new && shown.len() < EXAMPLES {
            shown.push((number, block));
        }
    }
    shown.sort_by_key(|(number, _)| *number);
    shown
}

fn example(number: usize, block: &DemoBlock, paint: Paint, text: &mut String) {
    let title = format!("\n{}. {}", number + 1, cut(&block.call, COLUMNS - 6));
    text.push_str(&paint.bold(&title));
    text.push('\n');
    excerpt("-", &block.before, LINES_BEFORE, |line| paint.bad(line), text);
    excerpt("+", &block.after, LINES_AFTER, |line| paint.good(line), text);
}

/// The first lines, and how many more there are.
fn excerpt(mark: &str, content: &str, most: usize, painted: impl Fn(&str) -> String, text: &mut String) {
    let lines: Vec<&str> = content.lines().collect();
    for line in lines.iter().take(most) {
        // Markers and the heads of tables are shown whole, because they are what changed.
        let shown = if line.contains("[headroom:") || line.starts_with('[') {
            wrapped(line, COLUMNS - 2)
        } else {
            vec![cut(line, COLUMNS - 2)]
        };
        for part in shown {
            text.push_str(&painted(&format!("{mark} {part}")));
            text.push('\n');
        }
    }
    if let more @ 1.. = lines.len().saturating_sub(most) {
        text.push_str(&painted(&format!("{mark} ... {} more lines", count(more))));
        text.push('\n');
    }
}

fn retrieved(demo: &Demo, paint: Paint, text: &mut String) {
    let Some(retrieved) = &demo.retrieved else { return };
    text.push('\n');
    text.push_str(&paint.bold("What was left out, the model fetches when it needs it:"));
    let _ = writeln!(text, "\n> {}", cut(&format!("headroom_retrieve {}", retrieved.arguments), COLUMNS - 2));
    for line in retrieved.answer.lines().take(LINES_AFTER) {
        let _ = writeln!(text, "< {}", cut(line, COLUMNS - 2));
    }
}

/// A line in pieces of at most so many columns, cut at spaces where that is possible.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in line.split(' ') {
        let word = cut(word, columns - 2);
        let Some(last) = pieces.last_mut() else { continue };
        let has_room = last.chars().count() + 1 + word.chars().count() <= columns;
        match (last.trim().is_empty(), has_room) {
            (true, _) => last.push_str(&word),
            (false, true) => {
                last.push(' ');
                last.push_str(&word);
            }
            (false, false) => pieces.push(format!("  {word}")),
        }
    }
    pieces
}

/// A line of at most so many columns, without characters that control a terminal.
fn cut(line: &str, columns: usize) -> String {
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.chars().count() <= columns {
        return plain;
    }
    let kept: String = plain.chars().take(columns.saturating_sub(3)).collect();
    format!("{kept}...")
}

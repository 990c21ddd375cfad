use headroom_core::{Action, BlockReport};

use crate::{
    blocks::reason,
    output::{self, Count, Paint},
};

const TITLES: [&str; 6] = ["where", "tool", "kind", "before", "after", "what"];
/// Columns of numbers, which are aligned right.
const NUMBERS: [usize; 2] = [3, 4];

/// Renders a table with one line per block.
pub(super) fn render(blocks: &[BlockReport], paint: Paint) -> String {
    let rows: Vec<[String; 6]> = blocks.iter().map(row).collect();
    let widths: Vec<usize> = (0..TITLES.len()).map(|column| width(column, &rows)).collect();
    let mut text = paint.bold(&line(&TITLES.map(str::to_owned), &widths));
    text.push('\n');
    for (block, row) in blocks.iter().zip(&rows) {
        let line = line(row, &widths);
        text.push_str(&match &block.action {
            Action::Edited(_) => line,
            _ => paint.dim(&line),
        });
        text.push('\n');
    }
    text
}

fn row(block: &BlockReport) -> [String; 6] {
    let tokens =
        |tokens: Option<usize>| tokens.map_or_else(|| "-".to_owned(), |n| Count(n as u64).to_string());
    let what = match &block.action {
        Action::Kept(reason) => format!("kept: {}", reason::of_block(*reason)),
        Action::Edited(steps) => {
            let names: Vec<String> = steps.iter().map(|step| step.as_str().replace('_', " ")).collect();
            names.join(", ")
        }
        _ => String::new(),
    };
    // A name may contain anything, including line ends.
    let name = |name: &str| output::content(name).replace('\n', "\\n").replace('\t', "\\t");
    [
        name(&block.path),
        name(block.tool.as_deref().unwrap_or("-")),
        block.kind.to_string(),
        tokens(block.tokens_before),
        tokens(block.tokens_after),
        what,
    ]
}

fn width(column: usize, rows: &[[String; 6]]) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
    cells.chain(TITLES.get(column).map(|title| title.len())).max().unwrap_or_default()
}

fn line(cells: &[String; 6], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        if column > 0 {
            line.push_str("  ");
        }
        line.push_str(&if NUMBERS.contains(&column) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:width$}")
        });
    }
    line.trim_end().to_owned()
}

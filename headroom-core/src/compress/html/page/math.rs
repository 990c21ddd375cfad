//! Formulas in MathML: `x^(2)`, `x_(12)`, `(1)/(2)`, `√(2)`.

/// An element whose children are written with signs between them.
#[derive(Clone, Copy, Debug)]
struct OpenFormula {
    /// What is written before and after each child.
    signs: &'static [(&'static str, &'static str)],
    /// How many elements are open around its children.
    depth: usize,
    children: usize,
}

/// The open elements of a formula.
#[derive(Debug, Default)]
pub(super) struct Formula {
    /// How many elements are open, from `math` on.
    depth: usize,
    open: Vec<OpenFormula>,
}

impl Formula {
    /// Opens an element; returns what is written before it.
    pub(super) fn enter(&mut self, name: &str, is_empty: bool) -> &'static str {
        if self.depth == 0 && !name.eq_ignore_ascii_case("math") {
            return "";
        }
        let parent = self.open.last_mut().filter(|open| open.depth == self.depth);
        let sign = parent.map_or("", |parent| {
            parent.children += 1;
            parent.signs.get(parent.children - 1).map_or("", |(before, _)| before)
        });
        if !is_empty {
            self.depth += 1;
            if let Some(signs) = signs(name) {
                self.open.push(OpenFormula { signs, depth: self.depth, children: 0 });
            }
        }
        sign
    }

    /// Closes an element; returns what is written behind it.
    pub(super) fn leave(&mut self) -> &'static str {
        if self.depth == 0 {
            return "";
        }
        if self.open.last().is_some_and(|open| open.depth == self.depth) {
            self.open.pop();
        }
        self.depth -= 1;
        let parent = self.open.last().filter(|open| open.depth == self.depth);
        let sign = parent.and_then(|parent| parent.signs.get(parent.children.checked_sub(1)?));
        sign.map_or("", |(_, behind)| behind)
    }

    /// Ends the formula: its elements do not span blocks.
    pub(super) fn end(&mut self) {
        self.depth = 0;
        self.open.clear();
    }
}

fn signs(name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    const ALL: [(&str, &[(&str, &str)]); 8] = [
        ("mfrac", &[("(", ")"), ("/(", ")")]),
        ("mover", &[("", ""), ("^(", ")")]),
        ("msqrt", &[("√(", ")")]),
        ("msub", &[("", ""), ("_(", ")")]),
        ("msubsup", &[("", ""), ("_(", ")"), ("^(", ")")]),
        ("msup", &[("", ""), ("^(", ")")]),
        ("munder", &[("", ""), ("_(", ")")]),
        ("munderover", &[("", ""), ("_(", ")"), ("^(", ")")]),
    ];
    ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, signs)| *signs)
}

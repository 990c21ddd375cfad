//! Writes the tree of a formula on one line.

use super::MathNode;

use crate::compress::html::element::is_one_of;

/// Signs that a fraction may stand next to without parentheses around it.
const LOOSE: &str = "+-−±∓=≠<>≤≥≈≡∼≃∝→←↔⇒⇔∈∉⊂⊆∪∩∧∨·⋅×*,;:.()[]{}|‖⟨⟩∑∏∫!";
/// Variants of letters that are other signs.
const VARIANTS: [&str; 6] =
    ["double-struck", "fraktur", "bold-fraktur", "script", "bold-script", "monospace"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PieceKind {
    /// A name or number.
    Name,
    Number,
    Operator,
    /// Words, or an operator that is one.
    Word,
    Fraction,
    /// What has scripts, or any other thing that is one operand.
    Operand,
    /// Several things next to each other.
    Group,
    Space,
}

#[derive(Clone, Debug)]
struct Piece {
    text: String,
    kind: PieceKind,
}

/// Returns the formula; `None` if it has anything without a form on one line.
pub(super) fn write(nodes: &[MathNode<'_>]) -> Option<String> {
    let text = Writer { nodes }.piece(0)?.text;
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

struct Writer<'a, 'p> {
    nodes: &'a [MathNode<'p>],
}

impl Writer<'_, '_> {
    fn piece(&self, node: usize) -> Option<Piece> {
        let MathNode { tag, children, text } = self.nodes.get(node)?;
        let name = tag.name.to_ascii_lowercase();
        let is_token = matches!(name.as_str(), "mi" | "mn" | "mo" | "ms" | "mtext");
        if is_token && !children.is_empty() || !is_token && !text.is_empty() {
            return None;
        }
        match name.as_str() {
            "mi" | "mn" | "mo" | "mtext" => {
                let is_variant = tag.raw("mathvariant").is_some_and(|variant| is_one_of(variant, &VARIANTS));
                (!is_variant).then(|| token(&name, text))
            }
            "math" | "mrow" | "mstyle" | "mpadded" | "merror" | "mtd" => self.row(children),
            "mspace" | "mphantom" => Some(Piece { text: " ".to_owned(), kind: PieceKind::Space }),
            "none" => Some(Piece { text: String::new(), kind: PieceKind::Group }),
            "mfrac" => self.fraction(node),
            "msqrt" => self.root("√", children),
            "mroot" => {
                let [base, index] = children.as_slice() else { return None };
                self.root(&format!("√[{}]", self.piece(*index)?.text), &[*base])
            }
            "menclose" => {
                let is_root = tag.raw("notation").is_none_or(|notation| notation.trim() == "radical");
                is_root.then(|| self.root("√", children))?
            }
            "msub" | "msup" | "msubsup" => self.scripts(&name, children, false),
            "munder" | "mover" | "munderover" => self.scripts(&name, children, true),
            "mmultiscripts" => self.multiscripts(children),
            "mfenced" => self.fenced(node),
            "mtable" => self.table(children),
            "semantics" => self.semantics(children),
            _ => None,
        }
    }

    fn row(&self, children: &[usize]) -> Option<Piece> {
        let pieces: Vec<Piece> = children.iter().map(|child| self.piece(*child)).collect::<Option<_>>()?;
        let pieces: Vec<Piece> = pieces.into_iter().filter(|piece| !piece.text.is_empty()).collect();
        if let [piece] = pieces.as_slice() {
            return Some(piece.clone());
        }
        let mut out = String::new();
        for (at, piece) in pieces.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| pieces.get(at));
            let next = pieces.get(at + 1);
            let text = match piece.kind {
                PieceKind::Fraction if [before, next].into_iter().flatten().any(|piece| !is_loose(piece)) => {
                    format!("({})", piece.text)
                }
                PieceKind::Operator => invisible(piece, &out, next),
                _ => piece.text.clone(),
            };
            if before.is_some_and(|before| has_space(before, piece, &out, &text)) {
                out.push(' ');
            }
            out.push_str(&text);
        }
        Some(Piece { text: out, kind: PieceKind::Group })
    }

    fn fraction(&self, node: usize) -> Option<Piece> {
        let MathNode { tag, children, .. } = self.nodes.get(node)?;
        let [above, below] = children.as_slice() else { return None };
        // Without a line it is a pair of numbers, such as a binomial coefficient.
        let has_line = tag.raw("linethickness").is_none_or(|width| !width.trim().starts_with('0'));
        let text =
            has_line.then_some(format!("({})/({})", self.piece(*above)?.text, self.piece(*below)?.text))?;
        Some(Piece { text, kind: PieceKind::Fraction })
    }

    fn root(&self, sign: &str, children: &[usize]) -> Option<Piece> {
        Some(Piece { text: format!("{sign}({})", self.row(children)?.text), kind: PieceKind::Operand })
    }

    fn base(&self, node: usize) -> Option<Piece> {
        let mut piece = self.piece(node)?;
        if piece.text.trim().is_empty() {
            piece.text = "{}".to_owned();
        } else if matches!(piece.kind, PieceKind::Fraction | PieceKind::Operand | PieceKind::Group)
            && !is_fenced(&piece.text)
        {
            piece.text = format!("({})", piece.text);
        }
        Some(piece)
    }

    /// Writes scripts beside a base, or under and over it.
    fn scripts(&self, name: &str, children: &[usize], is_stacked: bool) -> Option<Piece> {
        let (base, below, above) = match (name, children) {
            ("msub" | "munder", [base, below]) => (*base, Some(*below), None),
            ("msup" | "mover", [base, above]) => (*base, None, Some(*above)),
            ("msubsup" | "munderover", [base, below, above]) => (*base, Some(*below), Some(*above)),
            _ => return None,
        };
        let base = self.base(base)?;
        let is_operator = matches!(base.kind, PieceKind::Operator | PieceKind::Word)
            || base.kind == PieceKind::Name && base.text.chars().count() > 1;
        let mut text = base.text;
        for (sign, script) in [("_", below), ("^", above)] {
            let Some(script) = script else { continue };
            let script = self.piece(script)?;
            let script_text = script.text.trim();
            // What stands over a letter is no exponent, unless it is a sign such as a bar.
            if is_stacked && !is_operator && script.kind != PieceKind::Operator {
                return None;
            }
            if sign == "^" && !is_stacked && !script_text.is_empty() && script_text.chars().all(is_prime) {
                text.push_str(script_text);
            } else if !script_text.is_empty() {
                text.push_str(&format!("{sign}({script_text})"));
            }
        }
        let kind = if is_operator { PieceKind::Word } else { PieceKind::Operand };
        Some(Piece { text, kind })
    }

    fn multiscripts(&self, children: &[usize]) -> Option<Piece> {
        let (base, scripts) = children.split_first()?;
        let is_break = |node: &usize| {
            self.nodes.get(*node).is_some_and(|node| node.tag.name.eq_ignore_ascii_case("mprescripts"))
        };
        let at = scripts.iter().position(is_break).unwrap_or(scripts.len());
        let (behind, before) = scripts.split_at_checked(at)?;
        let before = before.get(1..).unwrap_or_default();
        let pairs = |scripts: &[usize]| {
            let mut text = String::new();
            for (at, script) in scripts.iter().enumerate() {
                let script = self.piece(*script)?.text;
                if !script.trim().is_empty() {
                    text.push_str(&format!("{}({})", if at % 2 == 0 { "_" } else { "^" }, script.trim()));
                }
            }
            matches!(scripts.len(), 0 | 2).then_some(text)
        };
        let (before, behind) = (pairs(before)?, pairs(behind)?);
        let before = if before.is_empty() { before } else { format!("{{}}{before}") };
        Some(Piece { text: format!("{before}{}{behind}", self.base(*base)?.text), kind: PieceKind::Operand })
    }

    fn fenced(&self, node: usize) -> Option<Piece> {
        let MathNode { tag, children, .. } = self.nodes.get(node)?;
        let separators: Vec<char> =
            tag.raw("separators").unwrap_or(",").chars().filter(|c| !c.is_whitespace()).collect();
        let mut text = tag.raw("open").unwrap_or("(").to_owned();
        for (at, child) in children.iter().enumerate() {
            if let Some(before) = at.checked_sub(1) {
                text.extend(separators.get(before).or(separators.last()));
            }
            text.push_str(&self.piece(*child)?.text);
        }
        text.push_str(tag.raw("close").unwrap_or(")"));
        (!text.contains('&')).then_some(Piece { text, kind: PieceKind::Operand })
    }

    /// Writes the rows of a matrix: `[1, 2; 3, 4]`.
    fn table(&self, rows: &[usize]) -> Option<Piece> {
        let mut lines = Vec::new();
        for row in rows {
            let row = self.nodes.get(*row).filter(|row| row.tag.name.eq_ignore_ascii_case("mtr"))?;
            let mut cells = Vec::new();
            for cell in &row.children {
                let tag = &self.nodes.get(*cell)?.tag;
                let spans = ["rowspan", "columnspan"].iter().any(|name| tag.raw(name).is_some());
                let text = self.piece(*cell)?.text;
                let is_plain = tag.name.eq_ignore_ascii_case("mtd") && !spans && !text.contains([',', ';']);
                cells.push(is_plain.then_some(text)?);
            }
            lines.push(cells.join(", "));
        }
        Some(Piece { text: format!("[{}]", lines.join("; ")), kind: PieceKind::Operand })
    }

    /// Writes the formula that the annotations repeat.
    fn semantics(&self, children: &[usize]) -> Option<Piece> {
        let first = self.nodes.get(*children.first()?)?;
        if first.tag.name.eq_ignore_ascii_case("annotation") {
            return Some(Piece { text: first.text.clone(), kind: PieceKind::Group });
        }
        self.piece(*children.first()?)
    }
}

fn token(name: &str, text: &str) -> Piece {
    let kind = match name {
        "mn" => PieceKind::Number,
        "mi" => PieceKind::Name,
        "mo" if !text.chars().any(char::is_alphabetic) => PieceKind::Operator,
        _ => PieceKind::Word,
    };
    Piece { text: text.to_owned(), kind }
}

fn is_prime(c: char) -> bool {
    matches!(c, '\'' | '′' | '″' | '‴')
}

/// Whether a fraction may stand next to this without parentheses around it.
fn is_loose(piece: &Piece) -> bool {
    match piece.kind {
        PieceKind::Operator => piece.text.chars().all(|c| LOOSE.contains(c)),
        // A number before a fraction makes a mixed number of it.
        PieceKind::Space | PieceKind::Number => true,
        _ => false,
    }
}

/// Returns the text of an operator, also of one that is not seen.
fn invisible(piece: &Piece, before: &str, next: Option<&Piece>) -> String {
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let between =
        is_digit(before.chars().next_back()) && is_digit(next.and_then(|next| next.text.chars().next()));
    match piece.text.as_str() {
        "\u{2061}" => String::new(),
        "\u{2062}" => if between { "·" } else { "" }.to_owned(),
        "\u{2063}" => if between { "," } else { "" }.to_owned(),
        "\u{2064}" => "+".to_owned(),
        text => text.to_owned(),
    }
}

/// Whether white space separates two pieces.
fn has_space(before: &Piece, piece: &Piece, out: &str, text: &str) -> bool {
    let touch = out.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == ')')
        && text.chars().next().is_some_and(char::is_alphanumeric);
    let is_word = |piece: &Piece| {
        piece.kind == PieceKind::Word || piece.kind == PieceKind::Name && piece.text.chars().count() > 1
    };
    let is_mixed = before.kind == PieceKind::Number && piece.kind == PieceKind::Fraction;
    is_mixed || (is_word(before) || is_word(piece) || before.text == "\u{2061}") && touch
}

/// Whether the first parenthesis of a text closes at its end.
fn is_fenced(text: &str) -> bool {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return depth == 0 && at > 0 && at + c.len_utf8() == text.len();
        }
    }
    false
}

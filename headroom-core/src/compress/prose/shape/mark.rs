//! The marks that items of lists and numbered clauses start with.

/// Bytes of a mark.
const MAX_MARK: usize = 12;
const CLAUSES: [&str; 7] = ["Art.", "Article", "Chapter", "Clause", "Rule", "Sec.", "Section"];

/// What an item starts with. Items with the same mark and indentation are siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compress::prose) enum Mark {
    Bullet(char),
    /// `1.`, `2)`, `1.2`: so many numbers, with a bracket or not.
    Number(u8, bool),
    /// `a)`, `(a)`, `A.`: in brackets or not, upper case or not.
    Letter(bool, bool),
    /// `ii.`, `(ii)`
    Roman(bool),
    /// `(1)`
    InBrackets,
    /// `[1]`
    Reference,
    /// `§ 5`, `Article 5`
    Clause,
}

impl Mark {
    /// Returns the mark of a line without indentation, if it has one.
    pub(in crate::compress::prose) fn of(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once([' ', '\t'])?;
        if rest.trim().is_empty() {
            return None;
        }
        let mut chars = word.chars();
        match (chars.next(), chars.next()) {
            (Some(bullet @ ('-' | '*' | '+' | '•' | '·' | '‣' | '◦' | '▪' | 'o' | '–')), None) => {
                return Some(Self::Bullet(bullet));
            }
            (Some('§'), _) => return Some(Self::Clause),
            _ => {}
        }
        if word.len() > MAX_MARK {
            return None;
        }
        if let Some(inner) = within(word, '(', ')') {
            return if is_number(inner) { Some(Self::InBrackets) } else { letter(inner, true) };
        }
        if let Some(inner) = within(word, '[', ']') {
            return inner.contains(|c: char| c.is_ascii_digit()).then_some(Self::Reference);
        }
        if CLAUSES.contains(&word) {
            return rest.starts_with(|c: char| c.is_ascii_digit()).then_some(Self::Clause);
        }
        let bare = word.strip_suffix(['.', ')']);
        if let Some(mark) = bare.and_then(|bare| letter(bare, false)) {
            return Some(mark);
        }
        let parts = bare.unwrap_or(word).split('.');
        let count = parts.clone().count();
        let is_numbers = parts.clone().all(is_number) && (bare.is_some() || count > 1);
        is_numbers.then(|| Self::Number(u8::try_from(count).unwrap_or(u8::MAX), word.ends_with(')')))
    }

    /// Whether this numbers or names what it marks, so that text below without indentation may belong to it.
    pub(in crate::compress::prose) const fn is_number(self) -> bool {
        !matches!(self, Self::Bullet(_))
    }
}

fn within(word: &str, open: char, close: char) -> Option<&str> {
    word.strip_prefix(open)?.strip_suffix(close)
}

fn is_number(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn letter(text: &str, in_brackets: bool) -> Option<Mark> {
    if (1..=5).contains(&text.len()) && text.chars().all(|c| matches!(c, 'i' | 'v' | 'x')) {
        return Some(Mark::Roman(in_brackets));
    }
    let mut chars = text.chars();
    let letter = chars.next().filter(|c| c.is_alphabetic())?;
    chars.next().is_none().then_some(Mark::Letter(in_brackets, letter.is_uppercase()))
}

use crate::rng::Rng;

/// A JSON value with a controlled spelling.
#[derive(Clone, Debug)]
pub enum Raw {
    /// A text, spelled according to the style.
    Text(String),
    /// A token, written verbatim.
    Token(String),
    /// An array.
    Array(Vec<Raw>),
    /// An object. Keys may repeat.
    Object(Vec<(String, Raw)>),
}

impl Raw {
    /// Creates a text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Creates a token that is written verbatim.
    #[must_use]
    pub fn token(token: impl Into<String>) -> Self {
        Self::Token(token.into())
    }

    /// Creates an object with these members.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Adds a member to the object.
    #[must_use]
    pub fn and(mut self, key: &str, value: Self) -> Self {
        if let Self::Object(members) = &mut self {
            members.push((key.to_owned(), value));
        }
        self
    }
}

/// White space between tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// No white space.
    Dense,
    /// One space after commas and colons.
    Spaced,
    /// Lines, tabs and carriage returns around every token.
    Lines,
}

/// How texts are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// As little as possible.
    Minimal,
    /// Everything beyond ASCII as `\u`, in lower case.
    Ascii,
    /// The solidus, and some letters that need none, with `\u` in upper case.
    Odd,
}

/// How a value is spelled.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The white space.
    pub space: Space,
    /// The escapes.
    pub escapes: Escapes,
    /// Determines the order of keys. The same keys are always in the same order.
    pub order: u64,
}

impl Style {
    /// Writes a value as bytes.
    #[must_use]
    pub fn spell(&self, value: &Raw) -> String {
        let mut out = String::new();
        self.value(value, &mut out);
        out
    }

    fn value(&self, value: &Raw, out: &mut String) {
        match value {
            Raw::Text(text) => self.text(text, out),
            Raw::Token(token) => out.push_str(token),
            Raw::Array(items) => {
                self.list('[', ']', items, out, |item, out| self.value(item, out));
            }
            Raw::Object(members) => {
                let mut members: Vec<&(String, Raw)> = members.iter().collect();
                // By key, so that an additional key does not reorder the others.
                let place = |key: &str| {
                    key.bytes().fold(self.order, |seed, byte| Rng::new(seed ^ u64::from(byte)).bits())
                };
                members.sort_by_cached_key(|(key, _)| place(key));
                self.list('{', '}', &members, out, |(key, value), out| {
                    Self { escapes: Escapes::Minimal, ..*self }.text(key, out);
                    out.push_str(if self.space == Space::Lines { " :\t" } else { ":" });
                    if self.space == Space::Spaced {
                        out.push(' ');
                    }
                    self.value(value, out);
                });
            }
        }
    }

    fn list<T>(
        &self,
        open: char,
        close: char,
        items: &[T],
        out: &mut String,
        each: impl Fn(&T, &mut String),
    ) {
        out.push(open);
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                out.push_str(if self.space == Space::Spaced { ", " } else { "," });
            }
            if self.space == Space::Lines {
                out.push_str("\r\n\t");
            }
            each(item, out);
        }
        if self.space == Space::Lines {
            out.push('\n');
        }
        out.push(close);
    }

    fn text(&self, text: &str, out: &mut String) {
        out.push('"');
        for (n, letter) in text.chars().enumerate() {
            let odd = self.escapes == Escapes::Odd;
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' if !(odd && n % 5 == 0) => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '/' if odd => out.push_str("\\/"),
                letter if letter < ' ' || letter == '\u{7f}' || (odd && n % 11 == 3) => {
                    self.unit(letter, out);
                }
                letter if !letter.is_ascii() && self.escapes != Escapes::Minimal => self.unit(letter, out),
                letter => out.push(letter),
            }
        }
        out.push('"');
    }

    fn unit(&self, letter: char, out: &mut String) {
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let upper = self.escapes == Escapes::Odd;
            out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
        }
    }
}

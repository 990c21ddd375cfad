use std::fmt;

/// The number of an item in an ordered list, as a browser shows it: `3.`, `c.`, `iv.`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compress::html) struct ItemNumber {
    pub(super) value: i32,
    pub(super) style: NumberStyle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberStyle {
    Digits,
    Letters { capital: bool },
    Roman { capital: bool },
}

impl NumberStyle {
    /// Reads the attribute `type` of a list.
    pub(super) fn from_attribute(value: Option<&str>) -> Self {
        match value.map(str::trim) {
            Some("a") => Self::Letters { capital: false },
            Some("A") => Self::Letters { capital: true },
            Some("i") => Self::Roman { capital: false },
            Some("I") => Self::Roman { capital: true },
            _ => Self::Digits,
        }
    }
}

impl fmt::Display for ItemNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, capital) = match self.style {
            NumberStyle::Letters { capital } => (letters(self.value), capital),
            NumberStyle::Roman { capital } => (roman(self.value), capital),
            NumberStyle::Digits => (None, false),
        };
        match text {
            Some(text) if capital => write!(f, "{}.", text.to_ascii_uppercase()),
            Some(text) => write!(f, "{text}."),
            None => write!(f, "{}.", self.value),
        }
    }
}

/// Writes 1 as `a`, 26 as `z`, 27 as `aa`.
fn letters(value: i32) -> Option<String> {
    let mut left = u32::try_from(value).ok().filter(|left| *left > 0)?;
    let mut text = String::new();
    while left > 0 {
        let letter = u8::try_from((left - 1) % 26).ok()?;
        text.insert(0, char::from(b'a' + letter));
        left = (left - 1) / 26;
    }
    Some(text)
}

fn roman(value: i32) -> Option<String> {
    const VALUES: [(i32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut left = (1..=3999).contains(&value).then_some(value)?;
    let mut text = String::new();
    for (value, letters) in VALUES {
        while left >= value {
            text.push_str(letters);
            left -= value;
        }
    }
    Some(text)
}

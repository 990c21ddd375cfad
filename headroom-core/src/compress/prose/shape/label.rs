//! Lines that start with who speaks or what is told: `CAROL: yes`, `[10:31] <bob> yes`, `License: MIT`, `**Note** yes`.

/// Bytes of a label.
const MAX_LABEL: usize = 40;
const MAX_WORDS: usize = 5;

/// Returns the label of a line without indentation; the empty string if it starts with a time only.
pub(in crate::compress::prose) fn label(line: &str) -> Option<&str> {
    if let Some(label) = bold(line) {
        return Some(label);
    }
    let (line, has_time) = match behind_time(line) {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let line = line.trim_start_matches(['*', '_', '`']);
    if let Some((name, rest)) = line.strip_prefix('<').and_then(|rest| rest.split_once('>'))
        && name.len() <= MAX_LABEL
        && rest.starts_with(' ')
        && !name.contains(['/', '=', '@', ':'])
    {
        return Some(name.trim_start_matches(['@', '+', ' ']));
    }
    let at = line.bytes().take(MAX_LABEL + 1).position(|byte| byte == b':');
    let name = at.and_then(|at| line.get(..at)).filter(|name| is_label(name));
    let rest = at.and_then(|at| line.get(at + 1..)).unwrap_or_default().trim_start_matches(['*', '_', '`']);
    match name {
        Some(name) if rest.is_empty() || rest.starts_with([' ', '\t']) => {
            Some(name.trim_end_matches(['*', '_', '`']))
        }
        _ if has_time => Some(""),
        _ => None,
    }
}

fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " .-_'’()/&@#+*`,\"".contains(c);
    name.starts_with(char::is_alphanumeric)
        && name.chars().all(plain)
        && name.split_whitespace().count() <= MAX_WORDS
}

/// Returns the text in bold that starts a line with more text.
fn bold(line: &str) -> Option<&str> {
    let (label, rest) = line.strip_prefix("**")?.split_once("**")?;
    (!label.is_empty() && label.len() <= MAX_LABEL * 2 && !rest.trim().is_empty()).then_some(label)
}

/// Returns what follows a time or a note in brackets at the start of a line.
fn behind_time(line: &str) -> Option<&str> {
    let close = match line.chars().next()? {
        '[' => Some(']'),
        '(' => Some(')'),
        _ => None,
    };
    let (time, rest) = match close {
        Some(close) => line.split_once(close)?,
        None => line.split_once(' ')?,
    };
    let digits = time.bytes().filter(u8::is_ascii_digit).count();
    let is_time = time.len() <= MAX_LABEL && digits >= 3 && time.contains([':', '-', '/']);
    let rest = rest.trim_start_matches([' ', '-', '–', ',']);
    (is_time
        && (close.is_some() || time.bytes().all(|byte| !byte.is_ascii_alphabetic() || b"TZ".contains(&byte))))
    .then_some(rest)
}

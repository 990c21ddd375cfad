//! Parses the lines of listings: paths, names under the heading of their directory, branches of a drawn tree.

use crate::text::{
    lines,
    path::{directory, is_path},
};

/// The kind of a line in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListingLine<'t> {
    /// A path with its directory, as `find`, `fd`, `git ls-files` and `git status` print it.
    Path(&'t str),
    /// A name whose directory is given by the lines above.
    Name(&'t str),
    /// A name in a drawn tree, with its depth.
    Branch(usize, &'t str),
    /// `directory:`, above the names in it.
    Heading(&'t str),
    Blank,
    Other,
}

/// Maximum length of a path.
const MAX_PATH: usize = 400;

impl<'t> ListingLine<'t> {
    pub(crate) fn parse(line: &'t str) -> Self {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.trim().is_empty() {
            return Self::Blank;
        }
        if line.len() > MAX_PATH {
            return Self::Other;
        }
        if let Some((depth, name)) = branch(line) {
            return Self::Branch(depth, name);
        }
        if let Some(name) = line.strip_prefix(' ').filter(|name| is_name(name)) {
            return Self::Name(name);
        }
        if let Some(heading) = line.strip_suffix(':').filter(|path| *path == "." || is_path(path)) {
            return Self::Heading(heading);
        }
        let path = status(line).unwrap_or(line);
        if directory(path).is_some() && is_path(path) {
            Self::Path(path)
        } else if is_name(path) {
            Self::Name(path)
        } else {
            Self::Other
        }
    }
}

/// Whether this may be the name of a file or a directory, rather than words of a sentence or code.
pub(crate) fn is_name(name: &str) -> bool {
    let odd = |c: char| {
        matches!(
            c,
            '(' | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | ';'
                | ','
                | '"'
                | '\''
                | '<'
                | '>'
                | '|'
                | '='
                | ':'
                | '&'
                | '!'
                | '?'
        ) || c.is_whitespace()
            || c.is_control()
    };
    let body = name.strip_suffix(['/', '*', '@']).unwrap_or(name);
    !body.is_empty()
        && !body.contains(odd)
        && !body.contains(['/', '\\'])
        && body.contains(char::is_alphanumeric)
}

/// Returns the path in a line of `git status`, long or short.
fn status(line: &str) -> Option<&str> {
    let path = if let Some(rest) = line.strip_prefix('\t') {
        rest.split_once(":   ").map_or(rest, |(_, path)| path.trim_start())
    } else {
        let marks = line.as_bytes().get(..3)?;
        let fits =
            |mark: &u8| matches!(mark, b' ' | b'M' | b'A' | b'D' | b'R' | b'C' | b'U' | b'T' | b'?' | b'!');
        let is_status =
            marks.last() == Some(&b' ') && marks.iter().all(fits) && marks.iter().any(|mark| *mark != b' ');
        line.get(3..).filter(|_| is_status)?
    };
    Some(path.rsplit_once(" -> ").map_or(path, |(_, path)| path))
}

/// Returns the depth of a branch in a drawn tree, counted from one, and its name.
pub(crate) fn branch(line: &str) -> Option<(usize, &str)> {
    if !line.starts_with(['│', '├', '└', '|', '`', ' ', '+', '\\']) {
        return None;
    }
    // Nearly all lines lack these, and most of them start with spaces.
    memchr::memchr2(b'-', 0xe2, line.as_bytes())?;
    let (at, arm) = ["── ", "-- "].iter().filter_map(|arm| Some((line.find(arm)?, arm))).min()?;
    let prefix = line.get(..at)?;
    let fits = |c: char| matches!(c, '│' | '├' | '└' | '|' | '`' | ' ' | '\u{a0}' | '+' | '\\');
    let corner = prefix.chars().next_back().is_some_and(|c| matches!(c, '├' | '└' | '|' | '`' | '+' | '\\'));
    (prefix.chars().all(fits) && corner)
        .then(|| Some((prefix.chars().count() / 4 + 1, line.get(at + arm.len()..)?)))
        .flatten()
}

/// Returns the percentage of lines that are paths or names.
pub(crate) fn share(text: &str) -> u32 {
    let (mut fit, mut all) = (0_u64, 0_u64);
    for line in lines::split(text) {
        match ListingLine::parse(line) {
            ListingLine::Blank => continue,
            ListingLine::Other => {}
            ListingLine::Path(_)
            | ListingLine::Name(_)
            | ListingLine::Branch(..)
            | ListingLine::Heading(_) => fit += 1,
        }
        all += 1;
    }
    u32::try_from(fit * 100 / all.max(1)).unwrap_or(100)
}

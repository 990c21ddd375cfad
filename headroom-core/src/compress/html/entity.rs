//! Decodes character references: `&amp;`, `&#8217;`, `&#x2019;`.

use std::borrow::Cow;

use memchr::memchr;

/// Names of the characters from U+00A0 on, in order (HTML 4.01, §24.2).
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn \
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde \
    Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde \
    Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
    egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";
/// Names of the characters from U+0391 on, in order; `-` where a character has no name.
const GREEK: &str = "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma \
    Tau Upsilon Phi Chi Psi Omega - - - - - - - alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu \
    xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega";
/// The remaining names of HTML 4.01, and others that web pages use.
const OTHERS: [(&str, char); 147] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("AMP", '&'),
    ("LT", '<'),
    ("GT", '>'),
    ("QUOT", '"'),
    ("COPY", '©'),
    ("REG", '®'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("hellip", '…'),
    ("bull", '•'),
    ("dagger", '†'),
    ("Dagger", '‡'),
    ("permil", '‰'),
    ("prime", '′'),
    ("Prime", '″'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("oline", '‾'),
    ("frasl", '⁄'),
    ("euro", '€'),
    ("trade", '™'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("harr", '↔'),
    ("crarr", '↵'),
    ("rArr", '⇒'),
    ("hArr", '⇔'),
    ("forall", '∀'),
    ("part", '∂'),
    ("exist", '∃'),
    ("empty", '∅'),
    ("nabla", '∇'),
    ("isin", '∈'),
    ("notin", '∉'),
    ("prod", '∏'),
    ("sum", '∑'),
    ("minus", '−'),
    ("radic", '√'),
    ("infin", '∞'),
    ("cap", '∩'),
    ("cup", '∪'),
    ("int", '∫'),
    ("asymp", '≈'),
    ("ne", '≠'),
    ("equiv", '≡'),
    ("le", '≤'),
    ("ge", '≥'),
    ("sub", '⊂'),
    ("sup", '⊃'),
    ("loz", '◊'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
    ("Yuml", 'Ÿ'),
    ("circ", 'ˆ'),
    ("tilde", '˜'),
    ("check", '✓'),
    ("Hat", '^'),
    ("alefsym", 'ℵ'),
    ("and", '∧'),
    ("ang", '∠'),
    ("ast", '*'),
    ("bsol", '\\'),
    ("clubs", '♣'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("cong", '≅'),
    ("dArr", '⇓'),
    ("dash", '‐'),
    ("diams", '♦'),
    ("dollar", '$'),
    ("equals", '='),
    ("excl", '!'),
    ("grave", '`'),
    ("half", '½'),
    ("hearts", '♥'),
    ("hyphen", '‐'),
    ("image", 'ℑ'),
    ("lArr", '⇐'),
    ("lang", '⟨'),
    ("lbrace", '{'),
    ("lbrack", '['),
    ("lceil", '⌈'),
    ("lcub", '{'),
    ("lfloor", '⌊'),
    ("lowast", '∗'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lrm", '\u{200e}'),
    ("lsqb", '['),
    ("ni", '∋'),
    ("nsub", '⊄'),
    ("num", '#'),
    ("oplus", '⊕'),
    ("or", '∨'),
    ("otimes", '⊗'),
    ("percnt", '%'),
    ("period", '.'),
    ("perp", '⊥'),
    ("piv", 'ϖ'),
    ("plus", '+'),
    ("prop", '∝'),
    ("quest", '?'),
    ("rang", '⟩'),
    ("rbrace", '}'),
    ("rbrack", ']'),
    ("rceil", '⌉'),
    ("rcub", '}'),
    ("real", 'ℜ'),
    ("rfloor", '⌋'),
    ("rlm", '\u{200f}'),
    ("rpar", ')'),
    ("rsqb", ']'),
    ("sdot", '⋅'),
    ("semi", ';'),
    ("sim", '∼'),
    ("sol", '/'),
    ("spades", '♠'),
    ("sube", '⊆'),
    ("supe", '⊇'),
    ("there4", '∴'),
    ("thetasym", 'ϑ'),
    ("uArr", '⇑'),
    ("upsih", 'ϒ'),
    ("verbar", '|'),
    ("vert", '|'),
    ("weierp", '℘'),
];
/// The characters of Windows-1252 for the numbers 128 to 159, as browsers decode them.
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
/// The longest name or number between `&` and `;`.
const LONGEST: usize = 10;

/// Decodes the character references in a text. Unknown names are left alone.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut next = Some(first);
    while let Some(at) = next {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let (c, length) = reference(rest).unwrap_or(('&', 1));
        out.push(c);
        rest = rest.get(length..).unwrap_or_default();
        next = memchr(b'&', rest.as_bytes());
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Decodes the reference after an `&`; returns the character and the reference's length in bytes.
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    let body = text.get(1..)?;
    let end = body.bytes().take(LONGEST + 1).position(|byte| byte == b';')?;
    let name = body.get(..end)?;
    let c = match name.strip_prefix('#') {
        Some(number) => number_of(number)?,
        None => named(name)?,
    };
    Some((c, end + 2))
}

fn number_of(digits: &str) -> Option<char> {
    let hex = digits.strip_prefix(['x', 'X']);
    let plain = hex.unwrap_or(digits).bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = match hex {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let number = number.ok().filter(|_| plain)?;
    if (128..160).contains(&number) {
        return WINDOWS.chars().nth(number as usize - 128);
    }
    // Line breaks in the output must be those of the page.
    char::from_u32(number).filter(|c| !c.is_control() || *c == '\t')
}

fn named(name: &str) -> Option<char> {
    if let Some((_, c)) = OTHERS.iter().find(|(known, _)| *known == name) {
        return Some(*c);
    }
    let place = |names: &str| names.split_ascii_whitespace().position(|known| known == name);
    let found = place(LATIN).map(|at| 0xa0 + at).or_else(|| place(GREEK).map(|at| 0x391 + at))?;
    char::from_u32(u32::try_from(found).ok()?).filter(|_| name != "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_characters() {
        for (text, expected) in [
            ("a &amp; b &lt;c&gt;", "a & b <c>"),
            ("&nbsp;&yuml;&szlig;&frac12;", "\u{a0}ÿß½"),
            ("&Alpha;&Omega;&alpha;&sigmaf;&omega;", "ΑΩας\u{3c9}"),
            ("&#8217;&#x2019;&#X41;&#146;", "’’A’"),
            (
                "AT&T &unknown; &; &#; &#x; &#xd800; &#10; &#+5;",
                "AT&T &unknown; &; &#; &#x; &#xd800; &#10; &#+5;",
            ),
            ("&amp;lt; &mdash", "&lt; &mdash"),
            ("&é; ß&", "&é; ß&"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn each_name_is_there_once() {
        let mut names: Vec<&str> = LATIN.split_ascii_whitespace().collect();
        names.extend(GREEK.split_ascii_whitespace().filter(|name| *name != "-"));
        names.extend(OTHERS.iter().map(|(name, _)| *name));
        assert_eq!(LATIN.split_ascii_whitespace().count(), 96);
        assert_eq!(names.len(), 96 + 49 + OTHERS.len());
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

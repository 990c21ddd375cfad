//! The margin of a text: a word that nearly all lines start with, such as `==4711==`.

use super::body::Body;

use crate::tuning::tuning;

/// Drops the margin of each line, if lines behind it are empty and others are indented, so that it is no part of what they
/// say. Its digits may differ: those of a process that another one started do.
pub(super) fn drop_margin(bodies: &mut [Body<'_>]) {
    let Some(first) = bodies.iter().find_map(|body| margin(body.text)) else { return };
    let (mut filled, mut marked, mut empty, mut nested) = (0, 0, 0, 0);
    for body in bodies.iter().filter(|body| !body.is_blank()) {
        filled += 1;
        if let Some(own) = same(body.text, first) {
            marked += 1;
            let rest = body.text.get(own.len()..).unwrap_or_default();
            empty += usize::from(rest.is_empty());
            nested += usize::from(rest.starts_with("  "));
        } else if filled > 2 * tuning().records.lines_per_stray_margin && marked * 2 < filled {
            return;
        }
    }
    if marked * tuning().records.lines_per_stray_margin
        < filled * (tuning().records.lines_per_stray_margin - 1)
        || empty < tuning().records.min_empty_margins
        || nested * tuning().records.lines_per_stray_margin < filled
    {
        return;
    }
    for body in bodies {
        if let Some(own) = same(body.text, first) {
            // A space separates the margin from the line.
            let width = own.len() + usize::from(own.len() < body.text.len());
            *body = body.from(u8::try_from(width).unwrap_or(0));
        }
    }
}

/// Returns the first word of a line, if it is made of signs and digits.
fn margin(text: &str) -> Option<&str> {
    let word = text
        .split(' ')
        .next()
        .filter(|word| !word.is_empty() && word.len() <= tuning().records.max_margin_bytes)?;
    let is_margin = word.starts_with(|c: char| c.is_ascii_punctuation())
        && word.contains(|c: char| c.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_punctuation());
    is_margin.then_some(word)
}

/// Returns the margin of a line if it is this one, but for its digits.
fn same<'l>(text: &'l str, first: &str) -> Option<&'l str> {
    let signs = |word: &str| word.bytes().filter(|byte| !byte.is_ascii_digit()).collect::<Vec<u8>>();
    margin(text).filter(|own| *own == first || signs(own) == signs(first))
}

#[cfg(test)]
mod tests {
    use crate::records::body::bodies;

    #[test]
    fn the_process_before_each_line_is_no_part_of_it() {
        let text = "==41== Invalid write\n==41==    at 0x1: f (a.c:1)\n==41== \n==42== Invalid read\n\
                    ==42==    at 0x2: g (a.c:2)\n==42==    by 0x3: h (a.c:3)\n==41==\n";
        let lines: Vec<&str> = text.lines().collect();
        let bodies = bodies(&lines);
        let texts: Vec<(&str, u32)> = bodies.iter().map(|body| (body.bare(), body.indent())).collect();
        assert_eq!(texts[0], ("Invalid write", 0));
        assert_eq!(texts[1], ("at 0x1: f (a.c:1)", 3));
        assert!(bodies[2].is_blank() && bodies[6].is_blank());
        assert_eq!(texts[3], ("Invalid read", 0));
    }

    #[test]
    fn frames_and_items_have_no_margin() {
        for text in ["#0  main\n#1  start\n#2  x\n", "- 1\n-  2\n- 3\n", "[1] a\n[1]   b\n[1] c\n"] {
            let lines: Vec<&str> = text.lines().collect();
            assert!(bodies(&lines).iter().zip(&lines).all(|(body, line)| body.text == *line), "{text}");
        }
    }
}

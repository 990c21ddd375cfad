//! Recognises output that RTK or lean-ctx, tools that wrap shell commands, already compressed.

use memchr::memmem;

use super::arguments;

const PROGRAMS: [&str; 2] = ["rtk", "lean-ctx"];
/// How these tools mark omitted output, at the start of a line or in a note: the text before the name, the name, and
/// the text after it.
const MARKS: [(&str, &str, &str); 4] =
    [("[", LEAN_CTX, ""), ("[full output", RTK, ""), ("[full diff", RTK, ""), (" hidden", RTK, "recall ")];
const LEAN_CTX: &str = "lean-ctx: ";
const RTK: &str = ": rtk ";

/// Whether one of these tools compressed the text: the call names it, or the text has its mark.
pub(super) fn is_precompressed(text: &str, arguments: Option<&str>) -> bool {
    arguments.is_some_and(|arguments| arguments::run(arguments, &PROGRAMS))
        || [LEAN_CTX, RTK].into_iter().any(|name| {
            // Each name is searched for once, because most texts are long and have neither.
            memmem::find_iter(text.as_bytes(), name).any(|at| is_mark(text, at, name))
        })
}

/// Whether the name at this position is part of a mark.
fn is_mark(text: &str, at: usize, name: &str) -> bool {
    let (Some(front), Some(behind)) = (text.get(..at), text.get(at + name.len()..)) else { return false };
    MARKS
        .iter()
        .any(|(before, of, after)| *of == name && front.ends_with(before) && behind.starts_with(after))
}

#[cfg(test)]
mod tests {
    use super::is_precompressed;

    #[test]
    fn calls_and_marks_tell() {
        for arguments in [
            r#"{"command":"rtk git status"}"#,
            r#"{"command":"cd src && RTK_X=1 /usr/local/bin/rtk ls | head"}"#,
            r#"{"cmd":["lean-ctx","-c","git log"]}"#,
            "rtk read a.rs",
        ] {
            assert!(is_precompressed("", Some(arguments)), "{arguments}");
        }
        for arguments in [r#"{"command":"cat rtk"}"#, r#"{"command":"echo rtk"}"#, r#"{"file":"rtk"}"#] {
            assert!(!is_precompressed("rtk lean-ctx", Some(arguments)), "{arguments}");
        }
        for text in [
            "a\n[full diff: rtk git diff --no-compact]\n",
            "x\n[lean-ctx: full output -> /t (redacted)]",
            "+9 lines hidden: rtk recall 3f2a",
        ] {
            assert!(is_precompressed(text, None), "{text}");
        }
        for text in ["run: rtk gain", "see lean-ctx: docs", " hidden: rtk tee"] {
            assert!(!is_precompressed(text, None), "{text}");
        }
    }
}

//! Output that was made smaller before it came here, by a tool that stands before shell commands: RTK and lean-ctx.

use memchr::memmem;

use super::arguments;

const PROGRAMS: [&str; 2] = ["rtk", "lean-ctx"];
/// How they say that there is more, at the start of a line or of a note in it.
const MARKS: [&str; 4] = ["[lean-ctx: ", "[full output: rtk ", "[full diff: rtk ", " hidden: rtk recall "];

/// Whether one of them had it: the call names it, or the text has its mark.
pub(super) fn is_condensed(text: &str, arguments: Option<&str>) -> bool {
    arguments.is_some_and(|arguments| arguments::run(arguments, &PROGRAMS))
        || MARKS.iter().any(|mark| memmem::find(text.as_bytes(), mark.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::is_condensed;

    #[test]
    fn calls_and_marks_tell() {
        for arguments in [
            r#"{"command":"rtk git status"}"#,
            r#"{"command":"cd src && RTK_X=1 /usr/local/bin/rtk ls | head"}"#,
            r#"{"cmd":["lean-ctx","-c","git log"]}"#,
            "rtk read a.rs",
        ] {
            assert!(is_condensed("", Some(arguments)), "{arguments}");
        }
        for arguments in [r#"{"command":"cat rtk"}"#, r#"{"command":"echo rtk"}"#, r#"{"file":"rtk"}"#] {
            assert!(!is_condensed("rtk lean-ctx", Some(arguments)), "{arguments}");
        }
        for text in
            ["a\n[full diff: rtk git diff --no-compact]\n", "x\n[lean-ctx: full output -> /t (redacted)]"]
        {
            assert!(is_condensed(text, None), "{text}");
        }
    }
}

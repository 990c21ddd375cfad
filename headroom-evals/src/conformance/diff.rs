//! Compares a request with the compressed one, byte by byte.

use headroom_core::Api;

use crate::conformance::{
    json::{self, Json},
    spans,
};

/// A text before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The index of the text among the editable texts of the input.
    pub index: usize,
    /// The decoded text before.
    pub before: String,
    /// The decoded text after.
    pub after: String,
}

/// The differences between two bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The texts that changed, in order.
    pub edits: Vec<Edit>,
    /// The appended tool definition, without the comma.
    pub tool: Option<Vec<u8>>,
    /// How many runs of thinking were removed, oldest first.
    pub thoughts: usize,
}

/// A place at which the output may differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    /// The end of a list of tools.
    Tools,
    /// Thinking up to this byte.
    Thinking(usize),
    /// A text, by its index.
    Text(usize),
}

/// Finds the edits, or the first difference outside editable text.
///
/// # Errors
///
/// Returns a description of the first difference that no edit explains.
pub fn diff(api: Api, input: &[u8], output: &[u8]) -> Result<Diff, String> {
    if input == output {
        return Ok(Diff::default());
    }
    let json = Json::parse(input).ok_or("a body that is not JSON was changed")?;
    Json::parse(output).ok_or("JSON became something else")?;
    let spans = spans::editable(api, &json);
    let mut stops: Vec<(usize, Stop)> =
        spans.iter().enumerate().map(|(n, s)| (s.range.start, Stop::Text(n))).collect();
    stops.extend(spans::tool_list_ends(api, &json).into_iter().map(|end| (end, Stop::Tools)));
    let thoughts = spans::thinking(api, &json);
    stops.extend(thoughts.into_iter().map(|run| (run.start, Stop::Thinking(run.end))));
    stops.sort_unstable();

    let mut found = Diff::default();
    let mut keeps_thinking = false;
    let (mut from, mut to) = (0, 0);
    for (stop, what) in stops {
        same(input, output, &mut from, &mut to, stop)?;
        if let Stop::Thinking(end) = what {
            if output[to..].starts_with(&input[from..end]) {
                keeps_thinking = true;
            } else if keeps_thinking {
                return Err(format!("thinking was removed at byte {from}, and older thinking stayed"));
            } else {
                (from, found.thoughts) = (end, found.thoughts + 1);
            }
        } else if let Stop::Text(index) = what {
            let span = &spans[index];
            let end = json::string_end(output, to).ok_or_else(|| differs(input, output, from, to))?;
            if output[to..end] != input[span.range.clone()] {
                let (after, whole) = json::decode(&output[to..end]);
                if !whole {
                    return Err("an edit wrote half of a surrogate pair".to_owned());
                }
                if after == span.text {
                    return Err(format!("a text was spelled anew without an edit at byte {from}"));
                }
                found.edits.push(Edit { index, before: span.text.clone(), after });
            }
            (from, to) = (span.range.end, end);
        } else if let Some((tool, end)) = appended_tool(output, to) {
            if found.tool.replace(tool).is_some() {
                return Err("the tool was appended twice".to_owned());
            }
            to = end;
        }
    }
    same(input, output, &mut from, &mut to, input.len())?;
    if to == output.len() {
        Ok(found)
    } else {
        Err("the output has bytes behind the input's last".to_owned())
    }
}

fn same(input: &[u8], output: &[u8], from: &mut usize, to: &mut usize, stop: usize) -> Result<(), String> {
    let fixed = &input[*from..stop];
    let found = output.get(*to..*to + fixed.len()).unwrap_or_else(|| &output[*to..]);
    if fixed == found {
        (*from, *to) = (stop, *to + fixed.len());
        return Ok(());
    }
    let n = fixed.iter().zip(found).take_while(|(a, b)| a == b).count();
    Err(differs(input, output, *from + n, *to + n))
}

fn differs(input: &[u8], output: &[u8], from: usize, to: usize) -> String {
    let near = |bytes: &[u8], at: usize| {
        let range = at.saturating_sub(40)..(at + 40).min(bytes.len());
        String::from_utf8_lossy(&bytes[range]).into_owned()
    };
    format!(
        "bytes outside of editable text differ at {from}: `{}` became `{}`",
        near(input, from),
        near(output, to)
    )
}

/// Returns the value at `at`, before a closing bracket, if it names our tool.
fn appended_tool(output: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let rest = output.get(at..)?;
    let comma = usize::from(rest.first() == Some(&b','));
    let (mut depth, mut n) = (0_usize, comma);
    loop {
        match rest.get(n)? {
            b'{' | b'[' => depth += 1,
            b'"' => n = json::string_end(rest, n)? - 1,
            b']' if depth == 0 => break,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return None,
            _ => {}
        }
        n += 1;
    }
    let tool = &rest[comma..n];
    let named = tool.windows(17).any(|window| window == b"headroom_retrieve");
    (named && Json::parse(tool).is_some()).then(|| (tool.to_vec(), at + n))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{ "tools":[{"name":"sh"}],"messages":[{"role":"tool","content":"a\nb\nc"},{"role":"user","content":"hi"}],"n":1e400}"#;

    fn to(from: &str, to: &str) -> Result<Diff, String> {
        diff(Api::OpenAiChat, BODY.as_bytes(), BODY.replace(from, to).as_bytes())
    }

    #[test]
    fn finds_edits_of_results() {
        let found = to(r"a\nb\nc", r"a").unwrap();
        assert_eq!(found.edits, [Edit { index: 0, before: "a\nb\nc".to_owned(), after: "a".to_owned() }]);
    }

    #[test]
    fn refuses_other_changes() {
        for (from, into) in [
            ("{ ", "{"),
            ("hi", "ho"),
            ("1e400", "1e401"),
            ("\"n\"", "\"m\""),
            (r"a\nb", r"\u0061\nb"),
            ("\"sh\"", "\"bash\""),
            ("a\\nb", "\\ud800"),
            ("}],\"n", "},1],\"n"),
            ("400}", "400} "),
        ] {
            assert!(to(from, into).is_err(), "{from} to {into}");
        }
    }

    #[test]
    fn accepts_that_the_oldest_thinking_leaves_before_a_prompt() {
        let thought = |n: u32| format!(r#"{{"type":"thinking","thinking":"{n}","signature":"s"}}"#);
        let said = |thoughts: &str| {
            format!(r#"{{"role":"assistant","content":[{thoughts}{{"type":"text","text":"yes"}}]}}"#)
        };
        let [one, two, new] = [1, 2, 3].map(|n| said(&format!("{}, ", thought(n))));
        let body = |messages: &[&str]| format!(r#"{{"messages":[{}]}}"#, messages.join(","));
        let user = r#"{"role":"user","content":"why?"}"#;
        let before = body(&[user, &one, user, &two, user, &new]);
        let judge = |after: String| diff(Api::Anthropic, before.as_bytes(), after.as_bytes());
        let bare = said("");
        assert_eq!(judge(body(&[user, &bare, user, &bare, user, &new])).unwrap().thoughts, 2);
        assert_eq!(judge(body(&[user, &bare, user, &two, user, &new])).unwrap().thoughts, 1);
        assert!(judge(body(&[user, &one, user, &bare, user, &new])).is_err(), "older thinking stays");
        assert!(judge(body(&[user, &bare, user, &bare, user, &bare])).is_err(), "after the last prompt");
        assert!(judge(body(&[user, &bare, user, &two.replace("yes", "no"), user, &new])).is_err());
        assert!(
            judge(body(&[user, &said(&thought(1)).replace("}{", "},{"), user, &two, user, &new])).is_err()
        );
    }

    #[test]
    fn accepts_one_appended_tool() {
        let tool = r#"{"name":"headroom_retrieve","in":["]",{}]}"#;
        assert_eq!(
            to("\"sh\"}", &format!("\"sh\"}},{tool}")).unwrap().tool.as_deref(),
            Some(tool.as_bytes())
        );
        assert!(to("\"sh\"}", &format!("\"sh\"}},{tool},{tool}")).is_err());
        assert!(to("[{\"name\":\"sh\"", &format!("[{tool},{{\"name\":\"sh\"")).is_err());
        assert!(to("\"sh\"}", r#""sh"},{"name":"other"}"#).is_err());
    }
}

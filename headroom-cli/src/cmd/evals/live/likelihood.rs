//! Measures how probable a model holds the reference answer, which tells more than whether it gives it.
//!
//! A grammar that allows the reference only makes the server write it, and the log-probabilities that come with it are
//! those of the model before the grammar. Servers of llama.cpp do so for Chat Completions; what another server answers is
//! taken only if it wrote exactly the reference.

use headroom_evals::questions::Score;
use serde_json::{Value, json};

/// The answer whose probability is measured; `None` if there is no single one.
pub(super) fn reference(score: &Score) -> Option<&str> {
    match score {
        Score::Words(any) | Score::Judge(any) => any.first().map(String::as_str),
        Score::Number(number) => Some(number.as_str()),
        Score::All(_) => None,
    }
    .filter(|reference| !reference.is_empty())
}

/// The request that makes the server write the reference after this prompt. `limit` is the name of the limit of answers.
pub(super) fn forced(prompt: &[u8], reference: &str, limit: &str) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(prompt).ok()?;
    let members = body.as_object_mut()?;
    if members.contains_key("tools") {
        members.insert("tool_choice".to_owned(), json!("none"));
    }
    // A token has at least one byte, and one more ends the answer.
    members.insert(limit.to_owned(), json!(reference.len() + 2));
    members.insert("grammar".to_owned(), json!(format!("root ::= {}", literal(reference))));
    members.insert("logprobs".to_owned(), json!(true));
    members.insert("top_logprobs".to_owned(), json!(1));
    Some(body)
}

/// A text as a literal of a grammar (GBNF).
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Reads the sum of the log-probabilities of the reference's tokens; `None` if the server wrote something else or gave none.
pub(super) fn read(body: &[u8], reference: &str) -> Option<f64> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let choice = body.get("choices")?.get(0)?;
    if choice.get("message")?.get("content")?.as_str()? != reference {
        return None;
    }
    let (mut written, mut sum) = (Vec::new(), 0.0);
    for token in choice.get("logprobs")?.get("content")?.as_array()? {
        if written.len() == reference.len() {
            break;
        }
        match token.get("bytes").and_then(Value::as_array) {
            Some(bytes) => {
                written.extend(bytes.iter().filter_map(|byte| u8::try_from(byte.as_u64()?).ok()));
            }
            None => written.extend_from_slice(token.get("token")?.as_str()?.as_bytes()),
        }
        sum += token.get("logprob")?.as_f64()?;
    }
    (written == reference.as_bytes() && f64::is_finite(sum)).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_forced_and_its_tokens_are_summed() {
        let body =
            forced(br#"{"messages": [], "tools": [], "max_tokens": 9}"#, "a \"b\"\n", "max_tokens").unwrap();
        assert_eq!(
            (&body["grammar"], &body["tool_choice"], &body["max_tokens"]),
            (&json!("root ::= \"a \\\"b\\\"\\n\""), &json!("none"), &json!(8))
        );
        let token =
            |text: &str, logprob: f64| json!({"token": text, "bytes": text.as_bytes(), "logprob": logprob});
        let answer = |content: &str, tokens: Vec<Value>| {
            json!({"choices": [{"message": {"content": content}, "logprobs": {"content": tokens}}]})
                .to_string()
        };
        let tokens = vec![token("10", -0.5), token("10", -1.5), token("", -9.0)];
        assert_eq!(read(answer("1010", tokens.clone()).as_bytes(), "1010"), Some(-2.0));
        assert_eq!(read(answer("1011", tokens.clone()).as_bytes(), "1010"), None);
        assert_eq!(read(answer("101010", tokens).as_bytes(), "101010"), None, "tokens are missing");
        assert_eq!(
            read(br#"{"choices": [{"message": {"content": "1010"}, "logprobs": null}]}"#, "1010"),
            None
        );
    }

    #[test]
    fn a_score_has_one_reference_or_none() {
        assert_eq!(reference(&Score::Words(vec!["a".into(), "b".into()])), Some("a"));
        assert_eq!(reference(&Score::Number("7".into())), Some("7"));
        assert_eq!(reference(&Score::All(vec!["f".into()])), None);
        assert_eq!(reference(&Score::Judge(Vec::new())), None);
    }
}

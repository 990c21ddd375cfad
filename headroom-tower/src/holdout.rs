//! Chooses the conversations of a control group, which are sent untouched.

/// A conversation, by everything in it before the model's first answer.
///
/// It is the same for every request of a conversation that is sent in full each time, in every process. System prompts
/// do not count, since some change from day to day. Conversations that begin with the same messages are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId(u64);

impl ConversationId {
    pub(crate) const fn from_hash(hash: u64) -> Self {
        Self(hash)
    }

    /// Returns the conversation as a number that tells nothing about its content.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Whether the conversation belongs to a control group of this many per cent. A larger group holds every smaller one.
    ///
    /// Depends on the conversation alone, so it stays so for as long as the conversation lasts, after a restart too.
    #[must_use]
    pub const fn is_held_out(self, percent: u8) -> bool {
        self.0 % 100 < percent as u64
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{Arc, Mutex},
    };

    use bytes::Bytes;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Full};
    use tower::{Layer, ServiceExt, service_fn};

    use crate::{HeadroomBody, HeadroomLayer, RequestReport, SkipReason};

    const PATHS: [&str; 3] = ["/v1/messages", "/v1/chat/completions", "/v1/responses"];

    fn log() -> String {
        (0..400).map(|n| format!("2026-11-20T10:00:00Z INFO order {n} took {} ms\\n", n * 7 % 90)).collect()
    }

    /// The first request of a conversation, or one after a call.
    fn body(path: &str, system: &str, prompt: &str, turns: usize) -> String {
        let log = log();
        let mut items = Vec::new();
        match path {
            "/v1/messages" => {
                items.push(format!(r#"{{"role":"user","content":"{prompt}"}}"#));
                for n in 0..turns {
                    items.push(format!(r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"t{n}","name":"Bash","input":{{"command":"cat log"}}}}]}}"#));
                    items.push(format!(r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{n}","content":"{log}"}}]}}"#));
                }
                format!(
                    r#"{{"model":"m","max_tokens":9,"system":"{system}","tools":[{{"name":"Bash","input_schema":{{"type":"object"}}}}],"messages":[{}]}}"#,
                    items.join(",")
                )
            }
            "/v1/chat/completions" => {
                items.push(format!(r#"{{"role":"system","content":"{system}"}}"#));
                items.push(format!(r#"{{"role":"user","content":"{prompt}"}}"#));
                for n in 0..turns {
                    items.push(format!(r#"{{"role":"assistant","tool_calls":[{{"id":"t{n}","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}}"#));
                    items.push(format!(r#"{{"role":"tool","tool_call_id":"t{n}","content":"{log}"}}"#));
                }
                format!(
                    r#"{{"model":"m","tools":[{{"type":"function","function":{{"name":"Bash","parameters":{{}}}}}}],"messages":[{}]}}"#,
                    items.join(",")
                )
            }
            _ => {
                items.push(format!(
                    r#"{{"role":"user","content":[{{"type":"input_text","text":"{prompt}"}}]}}"#
                ));
                for n in 0..turns {
                    items.push(format!(
                        r#"{{"type":"function_call","call_id":"t{n}","name":"Bash","arguments":"{{}}"}}"#
                    ));
                    items.push(format!(
                        r#"{{"type":"function_call_output","call_id":"t{n}","output":"{log}"}}"#
                    ));
                }
                format!(
                    r#"{{"model":"m","store":false,"instructions":"{system}","tools":[{{"type":"function","name":"Bash","parameters":{{}}}}],"input":[{}]}}"#,
                    items.join(",")
                )
            }
        }
    }

    /// What the provider gets, and the report.
    async fn send(layer: &HeadroomLayer, path: &str, body: &str) -> (Bytes, RequestReport) {
        let sent = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&sent);
        let upstream = service_fn(move |request: Request<HeadroomBody<Full<Bytes>>>| {
            let seen = Arc::clone(&seen);
            async move {
                let (mut parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                *seen.lock().unwrap() =
                    parts.extensions.remove::<RequestReport>().map(|report| (body, report));
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }
        });
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        layer.layer(upstream).oneshot(request).await.unwrap();
        sent.lock().unwrap().take().unwrap()
    }

    #[tokio::test]
    async fn a_share_of_the_conversations_is_sent_untouched_for_their_whole_life() {
        for path in PATHS {
            let layer = HeadroomLayer::new().holdout(20);
            let mut held = 0;
            for n in 0..1_000 {
                let prompt = format!("why do orders of region {n} fail?");
                let (_, first) = send(&layer, path, &body(path, "be brief", &prompt, 0)).await;
                let conversation = first.conversation().unwrap();
                held += usize::from(conversation.is_held_out(20));
                if n > 10 {
                    continue;
                }
                for turns in [1, 2] {
                    // In another process, with another date in the system prompt.
                    let later = body(path, &format!("be brief; today is day {turns}"), &prompt, turns);
                    let (sent, report) = send(&HeadroomLayer::new().holdout(20), path, &later).await;
                    assert_eq!(report.conversation(), Some(conversation), "{path}");
                    let is_held = report.skip_reason() == Some(SkipReason::Holdout);
                    assert_eq!(is_held, conversation.is_held_out(20), "{path} {n}");
                    assert_eq!(sent == later.as_bytes(), is_held, "{path} {n}: {:?}", report.skip_reason());
                }
            }
            assert!((150..=250).contains(&held), "{path}: {held} of 1,000");
        }
    }

    #[tokio::test]
    async fn forms_of_the_same_words_are_the_same_conversation() {
        let layer = HeadroomLayer::new().holdout(50);
        let conversation = async |body: &str| send(&layer, PATHS[0], body).await.1.conversation().unwrap();
        let plain = body(PATHS[0], "s", "why?", 1);
        let list = plain.replace(r#""content":"why?""#, r#""content":[{"type":"text","text":"why?"}]"#);
        let marked = plain.replace(
            r#""content":"why?""#,
            r#""content":[{"type":"text","text":"why?","cache_control":{"type":"ephemeral"}}]"#,
        );
        let other = plain.replace("why?", "how?");
        let same = conversation(&plain).await;
        assert_eq!((conversation(&list).await, conversation(&marked).await), (same, same));
        assert_ne!(conversation(&other).await, same);
        assert!(!same.is_held_out(0) && same.is_held_out(100));
        let from = (0..=100).find(|percent| same.is_held_out(*percent)).unwrap();
        assert!((from..=100).all(|percent| same.is_held_out(percent)), "a larger group holds the smaller");
    }

    #[tokio::test]
    async fn what_the_provider_keeps_is_in_no_group() {
        let layer = HeadroomLayer::new().holdout(100);
        let whole = body(PATHS[2], "s", "why?", 1);
        assert_eq!(send(&layer, PATHS[2], &whole).await.1.skip_reason(), Some(SkipReason::Holdout));
        for kept in [
            whole.replace(r#""store":false"#, r#""store":true"#),
            whole.replace(r#""store":false,"#, ""),
            whole.replace(r#""store":false"#, r#""store":false,"previous_response_id":"resp_1""#),
        ] {
            let (_, report) = send(&layer, PATHS[2], &kept).await;
            assert_eq!(report.conversation(), None, "{kept}");
            assert_ne!(report.skip_reason(), Some(SkipReason::Holdout));
        }
    }

    #[tokio::test]
    async fn without_a_group_nothing_is_told() {
        let (_, report) = send(&HeadroomLayer::new(), PATHS[0], &body(PATHS[0], "s", "why?", 1)).await;
        assert!(report.conversation().is_none() && report.is_rewritten());
    }
}

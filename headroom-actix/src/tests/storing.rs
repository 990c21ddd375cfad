//! Originals are in the store before the inner service runs.

use super::*;

/// A request with a long log, by a client with a retrieval tool.
fn log() -> Vec<u8> {
    let lines = (0..300).map(|n| match n {
        180 => "2026-01-05T10:03:00Z ERROR payments: card declined for order 7731\n".to_owned(),
        n => {
            format!("2026-01-05T10:{:02}:{:02}Z INFO worker: took job {}\n", n / 60, n % 60, n * 7919 % 1000)
        }
    });
    let body = json!({"model": "claude-opus-4-5", "max_tokens": 1024,
    "tools": [{"name": "headroom_retrieve", "input_schema": {"type": "object"}}],
    "messages": [
        {"role": "user", "content": "which payment failed?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "logs", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1",
            "content": lines.collect::<String>()}]},
    ]});
    serde_json::to_vec(&body).unwrap()
}

/// A store that can be made to fail.
#[derive(Clone, Default)]
struct Store {
    contents: Arc<Mutex<HashMap<Handle, Arc<str>>>>,
    fails: bool,
}

#[async_trait]
impl OriginalStore for Store {
    async fn put_many(&self, _: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        actix_web::rt::task::yield_now().await;
        if self.fails {
            return Err(StoreError::unavailable("down"));
        }
        let originals =
            originals.into_iter().map(|original| (original.handle(), original.into_content().into()));
        self.contents.lock().unwrap().extend(originals);
        Ok(())
    }

    async fn get(&self, _: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        Ok(self.contents.lock().unwrap().get(handle).cloned())
    }
}

async fn ask_storing(store: &Store) -> Value {
    let seen = store.clone();
    let handler = move |request: HttpRequest, body: String| {
        let contents = seen.contents.lock().unwrap();
        let resolves = contents.keys().all(|handle| body.contains(&handle.to_string()));
        ready(web::Json(
            json!({"stored": contents.len(), "resolves": resolves, "is": describe(&request, body.len())}),
        ))
    };
    let headroom = Headroom::new().store(store.clone()).retrieval(Retrieval::ClientTool);
    let app = init_service(App::new().wrap(headroom).route("/v1/messages", web::to(handler))).await;
    call_and_read_body_json(&app, post(log()).to_request()).await
}

#[actix_web::test]
async fn what_is_set_aside_is_in_the_store_before_the_inner_service_runs() {
    let answer = ask_storing(&Store::default()).await;
    assert_eq!((&answer["stored"], &answer["resolves"]), (&json!(1), &json!(true)));
    assert_eq!(answer["is"]["rewritten"], true);
}

#[actix_web::test]
async fn if_the_store_fails_the_original_goes_on() {
    let answer = ask_storing(&Store { fails: true, ..Store::default() }).await;
    assert_eq!(answer["stored"], 0);
    assert_eq!(answer["is"]["skipped"], "store_failure");
    assert_eq!(answer["is"]["bytes"], log().len());
    assert_eq!(answer["is"]["length"], log().len().to_string());
}

#[cfg(feature = "plaintext")]
#[actix_web::test]
async fn with_a_spool_the_agent_finds_a_file_where_the_marker_points() {
    let folder = tempfile::tempdir().unwrap();
    let plaintext =
        headroom_tower::headroom_store::PlaintextStore::new(folder.path().join("plaintext")).unwrap();
    let handler = web::post().to(async |body: String| {
        let path = body.split_once("; /").and_then(|(_, rest)| rest.split_once(']')).expect(&body).0;
        std::fs::read_to_string(format!("/{path}")).unwrap()
    });
    let app = App::new().wrap(Headroom::new().plaintext(plaintext)).route("/v1/messages", handler);
    let app = init_service(app).await;
    let mut asked: Value = serde_json::from_slice(&conversation()).unwrap();
    asked["tools"] = json!([{"name": "Read", "input_schema": {}}]);
    let response = call_service(&app, post(asked.to_string()).to_request()).await;
    let original = asked["messages"][2]["content"][0]["content"].as_str().unwrap();
    assert_eq!(read_body(response).await, original);
}

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use headroom_core::{CompressOptions, Engine, Hints, Retrieval};
use headroom_store::{OriginalStore, PlaintextStore, retrieve};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use crate::{
    cmd::savings,
    config::{self, Store},
    ledger::History,
    output::Count,
    proxy::AnyTenantStore,
    store::{self, LOCAL_TENANT},
};

const COMPRESS: &str = "headroom_compress";
const RETRIEVE: &str = "headroom_retrieve";
const STATS: &str = "headroom_stats";

/// Periods, in days, that are summed up if the call names none.
const PERIODS: [u32; 3] = [1, 7, 30];
const MAX_DAYS: u32 = 366;

/// Answers tool calls from the configured store.
pub(super) struct Server {
    /// The store's name.
    place: String,
    store: AnyTenantStore,
    engine: Engine,
    calls: Calls,
    /// `None` if the user has no folder.
    ledger: Option<Arc<Mutex<History>>>,
}

#[derive(Default)]
struct Calls {
    compressed: AtomicU64,
    tokens_before: AtomicU64,
    tokens_after: AtomicU64,
    retrieved: AtomicU64,
}

impl Server {
    pub(super) fn new(store: &Store, plaintext: Option<PlaintextStore>, engine: Engine) -> Self {
        Self {
            place: store.to_string(),
            store: AnyTenantStore::new(store, plaintext),
            engine,
            calls: Calls::default(),
            ledger: config::home().map(|home| Arc::new(Mutex::new(History::in_folder(&home)))),
        }
    }

    async fn call(&self, name: &str, arguments: &JsonObject) -> Result<CallToolResult, ErrorData> {
        match name {
            RETRIEVE => Ok(self.retrieve(arguments).await),
            COMPRESS => Ok(self.compress(arguments).await),
            STATS => Ok(self.stats(arguments).await),
            _ => Err(ErrorData::invalid_params(format!("there is no tool {name:?}"), None)),
        }
    }

    async fn retrieve(&self, arguments: &JsonObject) -> CallToolResult {
        let arguments = Value::Object(arguments.clone()).to_string();
        match retrieve(&self.store, LOCAL_TENANT, &arguments).await {
            Ok(answer) => {
                self.calls.retrieved.fetch_add(1, Ordering::Relaxed);
                text(answer)
            }
            Err(error) => failed(format!("The store cannot answer: {}", store::reason(Some(&error)))),
        }
    }

    async fn compress(&self, arguments: &JsonObject) -> CallToolResult {
        let word = |key: &str| arguments.get(key).and_then(Value::as_str);
        let Some(input) = word("text") else { return failed("The call needs a \"text\".".to_owned()) };
        let hints = |retrieval| {
            let options = CompressOptions::new().retrieval(retrieval).tenant(LOCAL_TENANT);
            let hints = Hints::new().options(options);
            let hints = word("tool").map_or(hints.clone(), |tool| hints.tool(tool));
            word("query").map_or(hints.clone(), |query| hints.query(query))
        };
        // The caller has the retrieval tool: it is served alongside this one.
        let mut outcome = self.engine.compress_text(input, &hints(Retrieval::ClientTool));
        if !outcome.originals.is_empty() {
            let originals = std::mem::take(&mut outcome.originals);
            if self.store.put_many(LOCAL_TENANT, originals).await.is_err() {
                outcome = self.engine.compress_text(input, &hints(Retrieval::Disabled));
            }
        }
        let tokens = |tokens: Option<usize>| tokens.unwrap_or_default() as u64;
        self.calls.compressed.fetch_add(1, Ordering::Relaxed);
        self.calls.tokens_before.fetch_add(tokens(outcome.report.tokens_before), Ordering::Relaxed);
        self.calls.tokens_after.fetch_add(tokens(outcome.report.tokens_after), Ordering::Relaxed);
        text(outcome.text.unwrap_or_else(|| input.to_owned()))
    }

    async fn stats(&self, arguments: &JsonObject) -> CallToolResult {
        let days = match arguments.get("days") {
            None => None,
            Some(days) => match days.as_u64().and_then(|days| u32::try_from(days).ok()) {
                Some(days) if (1..=MAX_DAYS).contains(&days) => Some(days),
                _ => return failed(format!("\"days\" is a whole number from 1 to {MAX_DAYS}.")),
            },
        };
        let periods = days.map_or_else(|| PERIODS.to_vec(), |days| vec![days]);
        let saved = match &self.ledger {
            Some(ledger) => {
                let ledger = Arc::clone(ledger);
                let read = tokio::task::spawn_blocking(move || savings::in_periods(&ledger, &periods));
                match read.await {
                    Ok(Ok(text)) => text,
                    Ok(Err(error)) => return failed(format!("The ledger cannot be read: {error}.")),
                    Err(_) => return failed("The ledger cannot be read.".to_owned()),
                }
            }
            None => String::new(),
        };
        text(format!("{saved}{}", self.own_calls()))
    }

    fn own_calls(&self) -> String {
        let count = |number: &AtomicU64| Count(number.load(Ordering::Relaxed));
        format!(
            "By this server since it started, not in these sums: {} texts compressed, {} -> {} tokens; {} retrieved.\n\
             Kept in {}.\n",
            count(&self.calls.compressed),
            count(&self.calls.tokens_before),
            count(&self.calls.tokens_after),
            count(&self.calls.retrieved),
            self.place
        )
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("headroom", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "Texts may hold markers such as [headroom:k3v4q2x7m5tzabcd ...]: parts that were omitted and are \
                 kept. headroom_retrieve shows them.",
            )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        Ok(self.call(&request.name, &arguments).await?.into())
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools().into_iter().find(|tool| tool.name == name)
    }
}

fn tools() -> Vec<Tool> {
    let string = |description: &str| json!({"type": "string", "description": description});
    let tool = |name, description, properties: Value, required: &[&str]| {
        let schema = json!({"type": "object", "properties": properties, "required": required});
        let schema = schema.as_object().cloned().unwrap_or_default();
        Tool::new(name, description, Arc::new(schema))
    };
    let closed = ToolAnnotations::new().destructive(false).idempotent(true).open_world(false);
    vec![
        tool(
            RETRIEVE,
            "Shows what a [headroom:HASH ...] marker stands for. For a part of it give lines or rows (\"120-180\"), a \
             JSON path, or a query (words or a regex).",
            json!({
                "hash": string("The letters after [headroom: in the marker"),
                "lines": string("Only these lines, as in 120-180"),
                "rows": string("Only these rows of a JSON array or of JSON lines"),
                "path": string("Only the JSON value at this path, as in logs[3].message"),
                "query": string("Only what these words or this regular expression find"),
            }),
            &["hash"],
        )
        .with_annotations(closed.clone().read_only(true)),
        tool(
            COMPRESS,
            "Makes a long text (output of a tool, a log, JSON) smaller. Markers replace the parts that it omits; \
             headroom_retrieve shows them.",
            json!({
                "text": string("The text"),
                "tool": string("The tool that produced the text"),
                "query": string("What to look for in the text; matching parts are kept"),
            }),
            &["text"],
        )
        .with_annotations(closed.clone()),
        tool(
            STATS,
            "Reports what Headroom saved the user: dollars at cache prices and tokens, today, in 7 and in 30 days, from its \
             ledger of what the providers counted.",
            json!({"days": {"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "description": "Number of days, including today"}}),
            &[],
        )
        .with_annotations(closed.read_only(true)),
    ]
}

fn text(text: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

fn failed(message: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}

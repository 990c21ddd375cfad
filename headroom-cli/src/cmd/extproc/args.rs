use std::net::Ipv4Addr;

use headroom_core::{Retrieval, Tier};

use crate::config::{
    CacheHints, Classifier, Epochs, FilePath, Listen, Log, OriginalsDir, Prose, Settings, Store,
};

pub(crate) const EXAMPLES: &str = "\
Envoy sends requests to this service before it forwards them (the filter `ext_proc`), and forwards what comes back. The paths \
of LLM APIs, and JSON bodies on other paths that look like one, are rewritten as `headroom proxy` rewrites them; all else goes on \
as it came. Answers of models are never touched: the service ends its part of an exchange once the request is done.

The filter needs `request_header_mode: SEND` and one of these body modes:
  BUFFERED               Envoy holds the whole body, and refuses with 413 what is longer than its buffer
                         (per_connection_buffer_limit_bytes, 1 MiB by default: raise it to 32 MiB)
  FULL_DUPLEX_STREAMED   bodies of any length; those over 32 MiB go on unchanged. Needs request_trailer_mode: SEND
In other modes requests pass unchanged, and a warning says so. In BUFFERED mode, set `message_timeout` to some seconds: the default \
of 200 ms is less than a long new result may take on a busy machine, and what is late counts as failed.

What happens while this service cannot be reached is up to Envoy: with `failure_mode_allow: true` and BUFFERED bodies, requests go on \
as they came; otherwise they are answered with 500, or 504 after a timeout. In FULL_DUPLEX_STREAMED mode, Envoy keeps no copy of \
what it sends here, and requests with a body fail without the service whatever is set. A request that goes on as it came in the \
middle of a conversation is a miss of the provider's prompt cache.

How the model retrieves what is elided (`--retrieval`): `server-tool`, the default of the proxy, is not possible, because the model's \
calls are in the answers. `off`, the default here, elides nothing; lossless forms and references remain. `client-tool` elides \
where the client brings a `headroom_retrieve`, as agents with `headroom mcp` do, which must read the same --store. `file` is for agents \
on this machine alone: the service cannot see where a request came from. `headroom retrieve` prints any original of the store.

Epochs are off unless a flag, a variable or the configuration file turns them on: should the provider refuse a request after one, \
the proxy sends it again, and this service does not see that. `holdout` and `drop_tools` have no effect here, and there is \
no ledger, because the provider's token counts are in the answers.

If other machines can reach the --listen address, every call needs the token of `headroom proxy` as `x-headroom-token` \
(`initial_metadata` of the filter's `grpc_service`). Where Envoy cannot send it, --no-token lets everybody in who can reach the \
address: close it to all but Envoy. Nobody can read originals without the token.

On the same address: grpc.health.v1.Health for probes; GET /livez and /readyz; with the token GET /metrics and /v1/retrieve/HASH.

Examples:
  Beside an Envoy on this machine, with the configuration in deploy/envoy/envoy.yaml:
    headroom extproc
  For agents that have the tools of `headroom mcp`:
    headroom extproc --retrieval client-tool
  Several of them, with a store that they share with MCP servers and proxies:
    HEADROOM_STORE=rediss://:PASSWORD@HOST:6379 \\
      headroom extproc --listen 0.0.0.0:8789 --token-file ./token --retrieval client-tool

Exit status: 0 ended by a signal, 1 cannot listen or start, 2 wrong usage or configuration.";

/// Beside the proxy's and the MCP server's.
const PORT: u16 = 8789;

#[derive(Debug, clap::Args)]
pub(crate) struct ExtprocArgs {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8789]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<Listen>,
    /// Let in every caller that can reach the address, without the token
    #[arg(long)]
    pub(super) no_token: bool,
    /// File with the token [default: `token` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom, which is made]
    #[arg(long, value_name = "FILE")]
    token_file: Option<FilePath>,
    /// File with the certificate for TLS, in PEM; needs --tls-key; read again when it changes [default: none]
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<FilePath>,
    /// File with the private key of --tls-cert, in PEM [default: none]
    #[arg(long, value_name = "FILE")]
    tls_key: Option<FilePath>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    tier: Option<Tier>,
    /// Whether old results and old thinking may leave at new prompts: on or off [default: off]
    #[arg(long, value_name = "on|off")]
    epochs: Option<Epochs>,
    /// How the model retrieves elided content: client-tool, file or off [default: off]
    #[arg(long)]
    retrieval: Option<Retrieval>,
    /// Where originals are stored: a folder, memory, or a Redis or Valkey server [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory|URL")]
    store: Option<Store>,
    /// Folder of plain-text originals, for `--retrieval file` [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    originals_dir: Option<OriginalsDir>,
    /// Name under which everything is stored, in place of a hash of the client's credential [default: none]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Settings for the provider's cache that are added to requests with none of their own: breakpoint, system-split and prompt-cache-key [default: none]
    #[arg(long, value_name = "HINT,...")]
    cache_hints: Option<CacheHints>,
    /// Classifier for texts whose structure is ambiguous: magika or off [default: magika]
    #[arg(long, value_name = "NAME")]
    classifier: Option<Classifier>,
    /// Model that prunes words from prose: a folder, or the name of a model fetched by `headroom model pull` [default: off]
    #[arg(long, value_name = "FOLDER|NAME|off")]
    prose_model: Option<Prose>,
    /// What to log to standard error: off, error, warn, info (a line per rewritten request) or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<Log>,
    /// Seconds that open requests have to finish after SIGINT or SIGTERM [default: 10]
    #[arg(long, value_name = "SECONDS")]
    drain_seconds: Option<u32>,
    /// Megabytes that request bodies may take at a time; further ones wait [default: 1024]
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    max_buffered_mb: Option<u32>,
}

impl ExtprocArgs {
    pub(super) fn listen(&self) -> Listen {
        self.listen.unwrap_or_else(|| Listen::new((Ipv4Addr::LOCALHOST, PORT).into()))
    }

    /// The settings that these flags share with the configuration.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            token_file: self.token_file.clone(),
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            tier: self.tier,
            epochs: self.epochs,
            retrieval: self.retrieval,
            store: self.store.clone(),
            originals_dir: self.originals_dir.clone(),
            tenant: self.tenant.clone(),
            cache_hints: self.cache_hints.clone(),
            classifier: self.classifier,
            prose_model: self.prose_model.clone(),
            log: self.log,
            drain_seconds: self.drain_seconds,
            max_buffered_mb: self.max_buffered_mb,
            ..Settings::default()
        }
    }
}

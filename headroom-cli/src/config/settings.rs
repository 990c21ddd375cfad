//! The settings of one source, and how each source is read.

use std::{error::Error, fs, io, path::Path};

use clap::{
    Args, FromArgMatches,
    error::{ContextKind, ContextValue},
};
use headroom_core::{Retrieval, Tier};
use serde::Deserialize;

use super::{
    Base, CacheHints, Classifier, ConfigError, Epochs, FilePath, Holdout, Listen, Log, LogFormat,
    ModelRuntime, OriginalsDir, Origins, PREFIX, Prose, Store, ToolNames,
};

/// The settings of one source: flags, environment or file.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Address to listen on; port 0 picks a free one; if other machines can reach it, every request needs the token [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<Listen>,
    /// Upstream for every API
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Option<Base>,
    /// Upstream of the Anthropic API [default: https://api.anthropic.com]
    #[arg(long, value_name = "URL")]
    pub(crate) anthropic_upstream: Option<Base>,
    /// Upstream of the OpenAI API [default: https://api.openai.com]
    #[arg(long, value_name = "URL")]
    pub(crate) openai_upstream: Option<Base>,
    /// Upstream of the Gemini API [default: https://generativelanguage.googleapis.com]
    #[arg(long, value_name = "URL")]
    pub(crate) gemini_upstream: Option<Base>,
    /// Upstream of Amazon Bedrock, such as https://bedrock-runtime.us-east-1.amazonaws.com [default: with --bedrock-sign, that of AWS_REGION]
    #[arg(long, value_name = "URL")]
    pub(crate) bedrock_upstream: Option<Base>,
    /// Sign requests to Bedrock with the AWS credentials of the environment; anyone who can reach the proxy can use
    /// them
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) bedrock_sign: Option<bool>,
    /// Upstream of Vertex AI, such as https://us-east5-aiplatform.googleapis.com
    #[arg(long, value_name = "URL")]
    pub(crate) vertex_upstream: Option<Base>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// Whether old results and old thinking may leave at new prompts, where rewriting the earlier content is expected to be
    /// more than repaid: on or off [default: on]
    #[arg(long, value_name = "on|off")]
    pub(crate) epochs: Option<Epochs>,
    /// Where originals are stored: a folder, memory, or a Redis or Valkey server that several proxies share, such as redis://HOST:6379/0?prefix=TEAM [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory|URL")]
    pub(crate) store: Option<Store>,
    /// How the model retrieves elided content: server-tool, client-tool, file or off [default: server-tool]
    ///
    /// server-tool: by a tool that the proxy adds to requests of agents and answers itself, unseen by the agent.
    /// client-tool: by a `headroom_retrieve` that the agent brings, such as that of `headroom mcp`. file: markers name
    /// plain-text files, which the agent reads with its own tools; for agents on this machine, others get server-tool.
    /// off: nothing is elided.
    #[arg(long)]
    pub(crate) retrieval: Option<Retrieval>,
    /// Folder of plain-text originals, for `--retrieval file`; the agent must be allowed to read it [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) originals_dir: Option<OriginalsDir>,
    /// Classifier for texts whose structure is ambiguous: magika or off [default: magika]
    #[arg(long, value_name = "NAME")]
    pub(crate) classifier: Option<Classifier>,
    /// Model that prunes words from prose: a folder, or the name of a model fetched by `headroom model pull` [default: off]
    #[arg(long, value_name = "FOLDER|NAME|off")]
    pub(crate) prose_model: Option<Prose>,
    /// Runtime of the models: rust, or ONNX Runtime in a library such as /usr/lib/libonnxruntime.so [default: rust]
    #[arg(long, value_name = "rust|LIBRARY")]
    pub(crate) model_runtime: Option<ModelRuntime>,
    /// Threads that a model may use for one text [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) model_threads: Option<u16>,
    /// What to log to standard error: off, error, warn, info (a line per request) or debug [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<Log>,
    /// How records of the log are written: text or json (an object a line) [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Collector of OpenTelemetry to which traces and metrics are sent as OTLP over HTTP, such as http://127.0.0.1:4318;
    /// counts and names, never content; needs a build with the feature `otel` [default: what the variables OTEL_EXPORTER_OTLP_* name]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp_endpoint: Option<Base>,
    /// Seconds that open requests have to finish after SIGINT or SIGTERM [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) drain_seconds: Option<u32>,
    /// Seconds that a connection may stay open without a request [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) idle_seconds: Option<u32>,
    /// Seconds without a byte of a request's body after which the response is 408 [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) body_seconds: Option<u32>,
    /// Seconds without a byte from an upstream after which its response is abandoned [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) answer_seconds: Option<u32>,
    /// Maximum number of client connections; further ones wait [default: 16384]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: Option<u32>,
    /// Maximum number of connections from one other machine; further ones are closed [default: 1024]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections_per_peer: Option<u32>,
    /// Megabytes that request bodies may take at a time; further ones wait [default: 1024]
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_buffered_mb: Option<u32>,
    /// Megabytes of originals that one tenant may store in a week; nothing more is elided for it then [default: none]
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_stored_mb_per_tenant: Option<u32>,
    /// Name under which everything is stored, in place of a hash of the client's credential; everyone who can reach the
    /// proxy then shares it, so set it for one person or one team [default: none]
    #[arg(long, value_name = "NAME", value_parser = non_empty)]
    pub(crate) tenant: Option<String>,
    /// File with the token of the proxy, for replicas that share one [default: `token` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom, which is made]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<FilePath>,
    /// File with the certificate for TLS, in PEM, followed by those that lead to a root; needs --tls-key; read again when it changes [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<FilePath>,
    /// File with the private key of --tls-cert, in PEM [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<FilePath>,
    /// Origins of web pages that may send requests through the proxy, such as https://chat.example; `null` allows every page without one [default: none]
    #[arg(long, value_name = "ORIGIN,...")]
    pub(crate) allow_origins: Option<Origins>,
    /// Whether `headroom dashboard` can show texts of recent requests, which are then held in memory: true or false [default: true]
    #[arg(long, value_name = "BOOL")]
    pub(crate) dashboard_content: Option<bool>,
    /// Tools whose definitions are left out of conversations that begin from now on, such as `WebSearch,mcp__github__*`;
    /// one that the system prompt or another part of the head names stays [default: none]
    #[arg(long, value_name = "NAME,...")]
    pub(crate) drop_tools: Option<ToolNames>,
    /// Settings for the provider's cache that are added to requests with none of their own: breakpoint (automatic caching
    /// by Anthropic), system-split (a breakpoint before the line of the system prompt that tells the date or the session)
    /// and prompt-cache-key (the conversation, for OpenAI) [default: none]
    #[arg(long, value_name = "HINT,...")]
    pub(crate) cache_hints: Option<CacheHints>,
    /// Per cent of the conversations that are sent untouched, for their whole life, so that `headroom savings` can compare [default: 0]
    #[arg(long, value_name = "PERCENT")]
    pub(crate) holdout: Option<Holdout>,
}

impl Settings {
    /// Returns the variable of each setting.
    pub(super) fn variables() -> impl Iterator<Item = String> {
        let flags = Self::augment_args(clap::Command::new("settings"));
        let keys: Vec<_> = flags.get_arguments().map(|flag| flag.get_id().as_str().to_uppercase()).collect();
        keys.into_iter().map(|key| format!("{PREFIX}{key}"))
    }

    /// Parses every variable that is set, by the rules of its flag.
    pub(super) fn from_environment(
        variable: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let flags = Self::augment_args(clap::Command::new("settings").no_binary_name(true));
        let mut settings = Self::default();
        for name in Self::variables() {
            let Some(value) = variable(&name)? else { continue };
            let flag = name.trim_start_matches(PREFIX).to_lowercase().replace('_', "-");
            flags
                .clone()
                .try_get_matches_from([format!("--{flag}={value}")])
                .and_then(|matches| settings.update_from_arg_matches(&matches))
                .map_err(|error| ConfigError::Variable { name, message: message(&error) })?;
        }
        Ok(settings)
    }

    pub(super) fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::File { path: path.to_owned(), source: source.into() })
    }

    pub(super) fn from_optional_file(path: &Path) -> Result<Option<Self>, ConfigError> {
        match Self::from_file(path) {
            Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            result => result.map(Some),
        }
    }
}

fn non_empty(name: &str) -> Result<String, &'static str> {
    if name.is_empty() { Err("a name is needed") } else { Ok(name.to_owned()) }
}

/// Says what a value should be, without naming a flag that the user did not write.
fn message(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            format!("expected {}", values.join(" or "))
        }
        _ => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of an environment with one variable.
    fn with(name: &str, value: &str) -> Result<Settings, String> {
        Settings::from_environment(|asked| Ok((asked == name).then(|| value.to_owned())))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_that_cannot_be_parsed_is_named_with_what_is_expected() {
        for (name, value, message) in [
            ("HEADROOM_TIER", "most", "unknown tier; expected lossless, dedup or recoverable"),
            ("HEADROOM_BEDROCK_SIGN", "perhaps", "expected true or false"),
            ("HEADROOM_IDLE_SECONDS", "0", "0 is not in 1..=4294967295"),
            ("HEADROOM_MODEL_THREADS", "-1", "-1 is not in 0..=65535"),
            ("HEADROOM_MAX_CONNECTIONS", "many", "invalid digit found in string"),
            ("HEADROOM_TENANT", "", "a name is needed"),
            ("HEADROOM_HOLDOUT", "half", "expected a number of per cent from 0 to 100"),
        ] {
            assert_eq!(with(name, value).unwrap_err(), format!("{name}: {message}"), "{value}");
        }
    }

    #[test]
    fn a_variable_sets_its_setting_alone() {
        let settings = with("HEADROOM_BEDROCK_SIGN", "false").unwrap();
        assert_eq!((settings.bedrock_sign, settings.dashboard_content), (Some(false), None));
        let settings = with("HEADROOM_TENANT", "--tier=lossless").unwrap();
        assert_eq!((settings.tenant.as_deref(), settings.tier), (Some("--tier=lossless"), None));
    }

    #[test]
    fn a_variable_that_is_not_set_sets_nothing() {
        assert_eq!(format!("{:?}", with("", "").unwrap()), format!("{:?}", Settings::default()));
    }
}

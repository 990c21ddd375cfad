//! One typed configuration for every entry point.
//!
//! A setting has one name: the flag `--openai-upstream`, the variable `HEADROOM_OPENAI_UPSTREAM` and the file's key
//! `openai_upstream` are the same.

mod listen;
mod models;
mod originals_dir;
mod origins;
pub(crate) mod provider;
mod show;
mod store;
mod upstream;

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use headroom_core::{Retrieval, Tier};
use serde::Deserialize;

pub(crate) use self::{
    listen::{Listen, leads_to},
    models::{Classifier, InvalidName, ModelRuntime, Models, Prose, chain, check_name},
    originals_dir::OriginalsDir,
    origins::Origins,
    show::schema,
    store::{Store, home},
    upstream::{Base, InvalidBase, Upstreams},
};

use crate::output;

const PREFIX: &str = "HEADROOM_";

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
    /// Where originals are stored: a folder, or memory [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory")]
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
    /// Origins of web pages that may send requests through the proxy, such as https://chat.example; `null` allows every page without one [default: none]
    #[arg(long, value_name = "ORIGIN,...")]
    pub(crate) allow_origins: Option<Origins>,
    /// Whether `headroom dashboard` can show texts of recent requests, which are then held in memory: true or false [default: true]
    #[arg(long, value_name = "BOOL")]
    pub(crate) dashboard_content: Option<bool>,
}

/// Every supported variable.
const VARIABLES: [&str; 29] = [
    "HEADROOM_CONFIG",
    "HEADROOM_HOME",
    "HEADROOM_SHARED",
    "HEADROOM_CONTEXT_TOOL",
    "HEADROOM_LISTEN",
    "HEADROOM_UPSTREAM",
    "HEADROOM_ANTHROPIC_UPSTREAM",
    "HEADROOM_OPENAI_UPSTREAM",
    "HEADROOM_GEMINI_UPSTREAM",
    "HEADROOM_BEDROCK_UPSTREAM",
    "HEADROOM_BEDROCK_SIGN",
    "HEADROOM_VERTEX_UPSTREAM",
    "HEADROOM_TIER",
    "HEADROOM_STORE",
    "HEADROOM_RETRIEVAL",
    "HEADROOM_ORIGINALS_DIR",
    "HEADROOM_CLASSIFIER",
    "HEADROOM_PROSE_MODEL",
    "HEADROOM_MODEL_RUNTIME",
    "HEADROOM_MODEL_THREADS",
    "HEADROOM_LOG",
    "HEADROOM_DRAIN_SECONDS",
    "HEADROOM_IDLE_SECONDS",
    "HEADROOM_BODY_SECONDS",
    "HEADROOM_ANSWER_SECONDS",
    "HEADROOM_MAX_CONNECTIONS",
    "HEADROOM_MAX_CONNECTIONS_PER_PEER",
    "HEADROOM_ALLOW_ORIGINS",
    "HEADROOM_DASHBOARD_CONTENT",
];

/// The effective settings of all sources.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: Listen,
    pub(crate) upstreams: Upstreams,
    pub(crate) bedrock_sign: bool,
    pub(crate) tier: Tier,
    pub(crate) store: Store,
    pub(crate) retrieval: Retrieval,
    /// `None` if the user has no folder and none was given.
    pub(crate) originals_dir: Option<OriginalsDir>,
    pub(crate) models: Models,
    pub(crate) log: Log,
    pub(crate) drain: Duration,
    pub(crate) limits: Limits,
    pub(crate) allow_origins: Origins,
    pub(crate) dashboard_content: bool,
}

/// Timeouts and limits for clients and upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For a connection without a request, or a client that does not read its response.
    pub(crate) idle: Duration,
    /// For the next bytes of a request's body.
    pub(crate) body: Duration,
    /// For the next bytes from an upstream.
    pub(crate) answer: Duration,
    pub(crate) connections: usize,
    /// From one machine other than this one.
    pub(crate) connections_per_peer: usize,
}

/// How much the proxy writes to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Log {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

impl FromStr for Log {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "off" => Self::Off,
            "error" => Self::Error,
            "warn" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            _ => return Err("unknown level; expected off, error, warn, info or debug"),
        })
    }
}

/// An invalid setting. Names its place and what is expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("configuration file {}", path.display())]
    File { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{name}: {message}")]
    Variable { name: String, message: String },
    #[error(
        "retrieval file needs a folder that a marker can name: set one with --originals-dir or HEADROOM_ORIGINALS_DIR"
    )]
    NoOriginalsDir,
}

/// Merges the sources, in order of precedence: flags, environment, file, defaults.
pub(crate) fn load(flags: Settings, file: Option<&Path>) -> Result<Config, ConfigError> {
    let environment = Settings::from_environment(variable)?;
    let file = match file.map(Path::to_owned).or_else(|| env::var_os("HEADROOM_CONFIG").map(PathBuf::from)) {
        Some(path) => Settings::from_file(&path)?,
        None => {
            default_file().map_or(Ok(None), |path| Settings::from_optional_file(&path))?.unwrap_or_default()
        }
    };
    let config = Config::from_sources(&[flags, environment, file]);
    if config.retrieval == Retrieval::File && config.originals_dir.is_none() {
        return Err(ConfigError::NoOriginalsDir);
    }
    Ok(config)
}

/// The file to read: the one given, the one that a variable names, or the default, which need not exist.
pub(crate) fn file(given: Option<&Path>) -> Option<PathBuf> {
    given
        .map(Path::to_owned)
        .or_else(|| env::var_os("HEADROOM_CONFIG").map(PathBuf::from))
        .or_else(default_file)
}

/// The set `HEADROOM_*` variables that are unknown. They may be meant for something else, so they are no error.
pub(crate) fn unknown_variables() -> Vec<String> {
    let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(PREFIX) && !VARIABLES.contains(&name.as_str())).collect()
}

/// The known variables that are set.
pub(crate) fn set_variables() -> Vec<(&'static str, String)> {
    VARIABLES.into_iter().filter_map(|name| Some((name, env::var(name).ok()?))).collect()
}

/// Warns of unknown variables.
pub(crate) fn warn_of_unknown_variables() {
    for name in unknown_variables() {
        let known = VARIABLES.join(", ");
        output::note(&format_args!("headroom: unknown variable {name} is ignored; known are {known}"));
    }
}

/// The region that AWS's tools would use.
pub(crate) fn aws_region() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|region| !region.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}

fn default_file() -> Option<PathBuf> {
    // By the XDG specification, an empty or relative path counts as not set.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(directory.join("headroom").join("config.toml"))
}

fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(ConfigError::Variable { name: name.to_owned(), message: "not UTF-8".to_owned() })
        }
    }
}

impl Settings {
    fn from_environment(
        variable: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        fn parse<T: FromStr<Err: fmt::Display>>(
            variable: impl Fn(&str) -> Result<Option<String>, ConfigError>,
            key: &str,
        ) -> Result<Option<T>, ConfigError> {
            let name = format!("{PREFIX}{key}");
            let Some(value) = variable(&name)? else { return Ok(None) };
            value
                .parse()
                .map(Some)
                .map_err(|error: T::Err| ConfigError::Variable { name, message: error.to_string() })
        }
        Ok(Self {
            listen: parse(&variable, "LISTEN")?,
            upstream: parse(&variable, "UPSTREAM")?,
            anthropic_upstream: parse(&variable, "ANTHROPIC_UPSTREAM")?,
            openai_upstream: parse(&variable, "OPENAI_UPSTREAM")?,
            gemini_upstream: parse(&variable, "GEMINI_UPSTREAM")?,
            bedrock_upstream: parse(&variable, "BEDROCK_UPSTREAM")?,
            bedrock_sign: parse(&variable, "BEDROCK_SIGN")?,
            vertex_upstream: parse(&variable, "VERTEX_UPSTREAM")?,
            tier: parse(&variable, "TIER")?,
            store: parse(&variable, "STORE")?,
            retrieval: parse(&variable, "RETRIEVAL")?,
            originals_dir: parse(&variable, "ORIGINALS_DIR")?,
            classifier: parse(&variable, "CLASSIFIER")?,
            prose_model: parse(&variable, "PROSE_MODEL")?,
            model_runtime: parse(&variable, "MODEL_RUNTIME")?,
            model_threads: parse(&variable, "MODEL_THREADS")?,
            log: parse(&variable, "LOG")?,
            drain_seconds: parse(&variable, "DRAIN_SECONDS")?,
            idle_seconds: parse(&variable, "IDLE_SECONDS")?,
            body_seconds: parse(&variable, "BODY_SECONDS")?,
            answer_seconds: parse(&variable, "ANSWER_SECONDS")?,
            max_connections: parse(&variable, "MAX_CONNECTIONS")?,
            max_connections_per_peer: parse(&variable, "MAX_CONNECTIONS_PER_PEER")?,
            allow_origins: parse(&variable, "ALLOW_ORIGINS")?,
            dashboard_content: parse(&variable, "DASHBOARD_CONTENT")?,
        })
    }

    fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::File { path: path.to_owned(), source: Box::new(source) })
    }

    fn from_optional_file(path: &Path) -> Result<Option<Self>, ConfigError> {
        match Self::from_file(path) {
            Err(ConfigError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            result => result.map(Some),
        }
    }
}

impl Config {
    /// Names the retrieval and, for files, their folder.
    pub(crate) fn describe_retrieval(&self) -> String {
        match &self.originals_dir {
            Some(originals_dir) if self.retrieval == Retrieval::File => format!("file in {originals_dir}"),
            _ => self.retrieval.to_string(),
        }
    }

    /// Takes each setting from the first source that has it.
    fn from_sources(sources: &[Settings; 3]) -> Self {
        // Within a source, an API's own upstream overrides the one for all.
        let upstream = |own: fn(&Settings) -> Option<&Base>| {
            first(sources, |source| own(source).or(source.upstream.as_ref()))
        };
        let bedrock_sign = first(sources, |source| source.bedrock_sign.as_ref()).unwrap_or_default();
        let bedrock = upstream(|source| source.bedrock_upstream.as_ref());
        Self {
            bedrock_sign,
            listen: first(sources, |source| source.listen.as_ref()).unwrap_or_default(),
            upstreams: Upstreams {
                anthropic: upstream(|source| source.anthropic_upstream.as_ref()),
                openai: upstream(|source| source.openai_upstream.as_ref()),
                gemini: upstream(|source| source.gemini_upstream.as_ref()),
                bedrock: bedrock.or_else(|| Base::bedrock(&aws_region()?).filter(|_| bedrock_sign)),
                vertex: upstream(|source| source.vertex_upstream.as_ref()),
            }
            .or_default(),
            tier: first(sources, |source| source.tier.as_ref()).unwrap_or_default(),
            store: first(sources, |source| source.store.as_ref()).unwrap_or_else(Store::own),
            retrieval: first(sources, |source| source.retrieval.as_ref()).unwrap_or(Retrieval::ServerTool),
            originals_dir: first(sources, |source| source.originals_dir.as_ref())
                .or_else(|| OriginalsDir::below(&home()?)),
            models: Models {
                classifier: first(sources, |source| source.classifier.as_ref()).unwrap_or_default(),
                prose: first(sources, |source| source.prose_model.as_ref()).unwrap_or_default(),
                runtime: first(sources, |source| source.model_runtime.as_ref()).unwrap_or_default(),
                threads: first(sources, |source| source.model_threads.as_ref()).unwrap_or(1).into(),
            },
            log: first(sources, |source| source.log.as_ref()).unwrap_or_default(),
            drain: Duration::from_secs(
                first(sources, |source| source.drain_seconds.as_ref()).unwrap_or(10).into(),
            ),
            limits: Limits::from_sources(sources),
            allow_origins: first(sources, |source| source.allow_origins.as_ref()).unwrap_or_default(),
            dashboard_content: first(sources, |source| source.dashboard_content.as_ref()).unwrap_or(true),
        }
    }
}

/// The first value among the sources.
fn first<T: Clone>(sources: &[Settings], get: impl Fn(&Settings) -> Option<&T>) -> Option<T> {
    sources.iter().find_map(get).cloned()
}

impl Limits {
    fn from_sources(sources: &[Settings; 3]) -> Self {
        let number = |get: fn(&Settings) -> Option<&u32>, default: u32| {
            first(sources, get).map_or(default, |number| number.max(1))
        };
        let seconds = |get, default| Duration::from_secs(number(get, default).into());
        let count = |get, default| usize::try_from(number(get, default)).unwrap_or(usize::MAX);
        Self {
            // Agents pause for minutes between two requests on one connection and expect it to stay open, as it does at
            // providers.
            idle: seconds(|source| source.idle_seconds.as_ref(), 600),
            body: seconds(|source| source.body_seconds.as_ref(), 60),
            // A model that thinks without streaming is silent for many minutes; streams have pings.
            answer: seconds(|source| source.answer_seconds.as_ref(), 3600),
            connections: count(|source| source.max_connections.as_ref(), 16_384),
            connections_per_peer: count(|source| source.max_connections_per_peer.as_ref(), 1024),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_first_source_that_says_something_holds() {
        let config = Config::from_sources(&[
            source("tier = 'lossless'"),
            source("tier = 'dedup'\nlisten = '127.0.0.1:1'"),
            source("tier = 'recoverable'\nlisten = '127.0.0.1:2'\nlog = 'off'"),
        ]);
        assert_eq!(config.tier, Tier::Lossless);
        assert_eq!(config.listen.to_string(), "127.0.0.1:1");
        assert_eq!(config.log, Log::Off);
        assert_eq!(config.drain, Duration::from_secs(10));
    }

    #[test]
    fn an_upstream_for_all_goes_before_one_of_a_later_source() {
        let config = Config::from_sources(&[
            source("upstream = 'http://all'\nopenai_upstream = 'http://own'"),
            source(""),
            source("anthropic_upstream = 'http://file'"),
        ]);
        assert_eq!(
            config.upstreams.to_string(),
            "anthropic http://all, openai http://own, gemini http://all, bedrock http://all, vertex http://all"
        );
    }

    #[test]
    fn a_variable_that_cannot_be_parsed_is_named() {
        let error =
            Settings::from_environment(|name| Ok((name == "HEADROOM_TIER").then(|| "most".to_owned())));
        assert_eq!(
            error.unwrap_err().to_string(),
            "HEADROOM_TIER: unknown tier; expected lossless, dedup or recoverable"
        );
    }

    #[test]
    fn every_setting_has_its_variable() {
        let mut asked = Vec::new();
        let asked = std::cell::RefCell::new(&mut asked);
        Settings::from_environment(|name| {
            asked.borrow_mut().push(name.to_owned());
            Ok(None)
        })
        .unwrap();
        // Except those that are not settings: paths of the file, the folder and the data, and the context tool of
        // `wrap`.
        assert_eq!(**asked.borrow(), VARIABLES[4..]);
    }
}

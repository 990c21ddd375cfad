//! One typed configuration for every entry point.
//!
//! A setting has one name: the flag `--openai-upstream`, the variable `HEADROOM_OPENAI_UPSTREAM` and the file's key
//! `openai_upstream` are the same.

mod cache_hints;
mod epochs;
mod file_path;
mod holdout;
mod limits;
mod listen;
mod log;
mod models;
mod originals_dir;
mod origins;
pub(crate) mod provider;
mod redis;
mod settings;
mod show;
mod store;
mod tls_files;
mod tool_names;
mod upstream;

use std::{
    env, io,
    path::{Path, PathBuf},
    time::Duration,
};

use headroom_core::{Retrieval, Tier};

pub(crate) use self::{
    cache_hints::CacheHints,
    epochs::Epochs,
    file_path::FilePath,
    holdout::Holdout,
    limits::Limits,
    listen::{Listen, leads_to},
    log::{Log, LogFormat},
    models::{Classifier, InvalidName, ModelRuntime, Models, Prose, check_name},
    originals_dir::OriginalsDir,
    origins::Origins,
    redis::{RedisServer, without_passwords},
    settings::Settings,
    show::schema,
    store::Store,
    tls_files::TlsFiles,
    tool_names::ToolNames,
    upstream::{Base, InvalidBase, Upstreams},
};

pub(crate) use crate::dirs::headroom_home as home;
use crate::{dirs::config_home, output};

const PREFIX: &str = "HEADROOM_";

/// The supported variables that are not settings: the path of the file, the user's folder, that of recorded data, the
/// context tool of `wrap`, and a table of prices.
const OTHER_VARIABLES: [&str; 5] =
    ["HEADROOM_CONFIG", "HEADROOM_HOME", "HEADROOM_SHARED", "HEADROOM_CONTEXT_TOOL", "HEADROOM_PRICES"];

/// The effective settings of all sources.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) listen: Listen,
    pub(crate) upstreams: Upstreams,
    pub(crate) bedrock_sign: bool,
    pub(crate) tier: Tier,
    /// `None` if nothing sets them.
    epochs: Option<Epochs>,
    pub(crate) store: Store,
    pub(crate) retrieval: Retrieval,
    /// Whether a source sets it.
    #[cfg(feature = "envoy")]
    has_retrieval: bool,
    /// `None` if the user has no folder and none was given.
    pub(crate) originals_dir: Option<OriginalsDir>,
    pub(crate) models: Models,
    pub(crate) log: Log,
    pub(crate) log_format: LogFormat,
    /// `None` if only the variables of OpenTelemetry name one.
    pub(crate) otlp_endpoint: Option<Base>,
    pub(crate) drain: Duration,
    pub(crate) limits: Limits,
    /// The name of every client's tenant; `None` if each credential has its own.
    pub(crate) tenant: Option<String>,
    /// `None` for that of the user's folder.
    pub(crate) token_file: Option<FilePath>,
    /// The certificate of the proxy; `None` if it has none.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) allow_origins: Origins,
    pub(crate) dashboard_content: bool,
    /// Tools whose definitions leave.
    pub(crate) drop_tools: ToolNames,
    pub(crate) cache_hints: CacheHints,
    /// The share of the conversations that is sent untouched.
    pub(crate) holdout: Holdout,
}

/// An invalid setting. Names its place and what is expected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("configuration file {}", path.display())]
    File { path: PathBuf, source: InvalidFile },
    #[error("{name}: {message}")]
    Variable { name: String, message: String },
    #[error(
        "retrieval file needs a folder that a marker can name: set one with --originals-dir or HEADROOM_ORIGINALS_DIR"
    )]
    NoOriginalsDir,
    #[error("a certificate needs its key and a key its certificate: set both tls_cert and tls_key, or none")]
    HalfTls,
    #[cfg(feature = "envoy")]
    #[error(
        "retrieval server-tool answers the model's calls, and Envoy shows this service no answers of models: set \
         --retrieval off or client-tool, or file for agents on this machine (HEADROOM_RETRIEVAL, retrieval); \
         `headroom proxy` has server-tool"
    )]
    NoResponses,
}

/// Why a file is not a configuration. The message quotes the line, but no password in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidFile(String);

impl From<toml::de::Error> for InvalidFile {
    fn from(error: toml::de::Error) -> Self {
        Self(without_passwords(&error.to_string()))
    }
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
    let sources = [flags, environment, file];
    if TlsFiles::is_half(&sources) {
        return Err(ConfigError::HalfTls);
    }
    let config = Config::from_sources(&sources);
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
    let known: Vec<_> = variables().collect();
    let names = env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(PREFIX) && !known.contains(name)).collect()
}

/// The known variables that are set.
pub(crate) fn set_variables() -> Vec<(String, String)> {
    variables()
        .filter_map(|name| Some((env::var(&name).ok()?, name)))
        .map(|(value, name)| (name, value))
        .collect()
}

/// Every supported variable.
fn variables() -> impl Iterator<Item = String> {
    OTHER_VARIABLES.into_iter().map(str::to_owned).chain(Settings::variables())
}

/// Warns of unknown variables.
pub(crate) fn warn_of_unknown_variables() {
    for name in unknown_variables() {
        let known = variables().collect::<Vec<_>>().join(", ");
        output::note(&format_args!("headroom: unknown variable {name} is ignored; known are {known}"));
    }
}

/// The region that AWS's tools would use.
pub(crate) fn aws_region() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|region| !region.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}

fn default_file() -> Option<PathBuf> {
    Some(config_home()?.join("headroom").join("config.toml"))
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

impl Config {
    /// Names the retrieval and, for files, their folder.
    pub(crate) fn describe_retrieval(&self) -> String {
        match &self.originals_dir {
            Some(originals_dir) if self.retrieval == Retrieval::File => format!("file in {originals_dir}"),
            _ => self.retrieval.to_string(),
        }
    }

    /// Returns whether old content may leave in requests that this program sends.
    pub(crate) fn epochs(&self) -> Epochs {
        self.epochs.unwrap_or(Epochs::On)
    }

    /// The configuration for requests that somebody else sends. Where thinking is refused after an epoch, this program does
    /// not see that, so there are no epochs unless the user sets them.
    pub(crate) fn for_filter(&self) -> Self {
        Self { epochs: Some(self.epochs.unwrap_or(Epochs::Off)), ..self.clone() }
    }

    /// The configuration of a service that sees no responses. Nothing is elided unless the user says how it is retrieved.
    #[cfg(feature = "envoy")]
    pub(crate) fn without_responses(self) -> Result<Self, ConfigError> {
        let retrieval = if self.has_retrieval { self.retrieval } else { Retrieval::Disabled };
        match retrieval {
            Retrieval::ServerTool => Err(ConfigError::NoResponses),
            retrieval => Ok(Self { retrieval, ..self.for_filter() }),
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
        let retrieval = first(sources, |source| source.retrieval.as_ref());
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
            epochs: first(sources, |source| source.epochs.as_ref()),
            store: first(sources, |source| source.store.as_ref()).unwrap_or_else(Store::own),
            retrieval: retrieval.unwrap_or(Retrieval::ServerTool),
            #[cfg(feature = "envoy")]
            has_retrieval: retrieval.is_some(),
            originals_dir: first(sources, |source| source.originals_dir.as_ref())
                .or_else(|| OriginalsDir::below(&home()?)),
            models: Models {
                classifier: first(sources, |source| source.classifier.as_ref()).unwrap_or_default(),
                prose: first(sources, |source| source.prose_model.as_ref()).unwrap_or_default(),
                runtime: first(sources, |source| source.model_runtime.as_ref()).unwrap_or_default(),
                threads: first(sources, |source| source.model_threads.as_ref()).unwrap_or(1).into(),
            },
            log: first(sources, |source| source.log.as_ref()).unwrap_or_default(),
            log_format: first(sources, |source| source.log_format.as_ref()).unwrap_or_default(),
            otlp_endpoint: first(sources, |source| source.otlp_endpoint.as_ref()),
            drain: Duration::from_secs(
                first(sources, |source| source.drain_seconds.as_ref()).unwrap_or(10).into(),
            ),
            limits: Limits::from_sources(sources),
            tenant: first(sources, |source| source.tenant.as_ref()).filter(|name| !name.is_empty()),
            token_file: first(sources, |source| source.token_file.as_ref()),
            tls: TlsFiles::from_sources(sources),
            allow_origins: first(sources, |source| source.allow_origins.as_ref()).unwrap_or_default(),
            dashboard_content: first(sources, |source| source.dashboard_content.as_ref()).unwrap_or(true),
            cache_hints: first(sources, |source| source.cache_hints.as_ref()).unwrap_or_default(),
            drop_tools: first(sources, |source| source.drop_tools.as_ref()).unwrap_or_default(),
            holdout: first(sources, |source| source.holdout.as_ref()).unwrap_or_default(),
        }
    }
}

/// The first value among the sources.
fn first<T: Clone>(sources: &[Settings], get: impl Fn(&Settings) -> Option<&T>) -> Option<T> {
    sources.iter().find_map(get).cloned()
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
        assert!(config.epochs().is_on() && !config.for_filter().epochs().is_on());
    }

    #[test]
    fn epochs_that_are_set_hold_everywhere() {
        for (text, is_on) in [("epochs = 'on'", true), ("epochs = 'off'", false)] {
            let config = Config::from_sources(&[source(text), source(""), source("")]);
            assert_eq!((config.epochs().is_on(), config.for_filter().epochs().is_on()), (is_on, is_on));
        }
    }

    #[cfg(feature = "envoy")]
    #[test]
    fn without_responses_nothing_is_elided_unless_a_way_is_given_that_needs_none() {
        let config = |text| Config::from_sources(&[source(""), source(text), source("")]).without_responses();
        let retrieval = |text| config(text).map(|config| config.retrieval).ok();
        assert_eq!(retrieval(""), Some(Retrieval::Disabled));
        assert_eq!(retrieval("retrieval = 'client-tool'"), Some(Retrieval::ClientTool));
        assert_eq!(retrieval("retrieval = 'file'"), Some(Retrieval::File));
        let error = config("retrieval = 'server-tool'").unwrap_err().to_string();
        assert!(error.contains("--retrieval off"), "{error}");
        assert!(!config("").unwrap().epochs().is_on());
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
}

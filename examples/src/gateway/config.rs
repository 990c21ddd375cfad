//! The file of the gateway.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use data_encoding::HEXLOWER_PERMISSIVE;
use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::Provider;

/// Everything that the file says.
///
/// # Example
///
/// ```
/// use headroom_examples::gateway::Settings;
///
/// let settings: Settings = "
///     [providers.anthropic]
///     url = 'https://api.anthropic.com'
///
///     [tenants.team-a]
///     key_sha256 = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b' # of: secret
///     requests_per_minute = 60
/// "
/// .parse()?;
/// let (name, tenant) = settings.tenant_of("secret").expect("the key is known");
/// assert_eq!((name, tenant.requests_per_minute), ("team-a", Some(60)));
/// assert!(settings.tenant_of("other").is_none());
/// # Ok::<(), headroom_examples::gateway::Wrong>(())
/// ```
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where clients connect. Changes at a restart only, as `admin`, `allow_origins` and `limits` do.
    #[serde(default = "Settings::default_listen")]
    pub listen: SocketAddr,
    /// Where `/livez` and `/metrics` are; nowhere if unset.
    pub admin: Option<SocketAddr>,
    /// Pages that may send requests, such as `https://chat.example`.
    #[serde(default)]
    pub allow_origins: Vec<String>,
    /// What holds for all tenants together.
    #[serde(default)]
    pub limits: Limits,
    /// Where each provider is. Without an entry its requests are refused.
    pub providers: BTreeMap<Provider, Upstream>,
    /// Who may send requests, by name.
    pub tenants: BTreeMap<String, Tenant>,
    #[serde(skip)]
    names: HashMap<[u8; 32], String>,
}

/// What holds for all tenants together.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The longest request body, in MiB.
    pub max_body_mb: usize,
    /// Seconds without a byte of a request's body.
    pub body_seconds: u64,
    /// Seconds until a provider begins to answer, and between two pieces of its answer.
    pub answer_seconds: u64,
    /// Requests that wait for the head of an answer at a time.
    pub concurrent: usize,
    /// How often a request that may be sent again is sent.
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_body_mb: 64, body_seconds: 60, answer_seconds: 600, concurrent: 256, attempts: 3 }
    }
}

impl Limits {
    /// The longest pause within a request's body.
    #[must_use]
    pub const fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }

    /// The longest pause of a provider.
    #[must_use]
    pub const fn answer(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }
}

/// Where a provider is, and the key that it gets in place of the tenant's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The base URL.
    pub url: String,
    /// The file with the provider's key. Without one, none is sent.
    key_file: Option<PathBuf>,
    #[serde(skip)]
    key: Secret,
}

impl Upstream {
    /// The provider's key; empty if there is none.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key.0
    }
}

/// What one tenant may use. A limit that is not there does not limit.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// The SHA-256 of the key that the tenant shows: `printf %s KEY | sha256sum`.
    key_sha256: String,
    /// Requests a minute; a pause of a minute allows as many at once.
    pub requests_per_minute: Option<u32>,
    /// Tokens of prompts and answers a day, as the providers count them.
    pub tokens_per_day: Option<u64>,
    /// Requests that are answered at a time.
    pub concurrent: Option<u32>,
}

/// Never printed.
#[derive(Default)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

/// Why a file is not a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML, or says what cannot be said.
    #[error("{0}")]
    Text(#[from] toml::de::Error),
    /// The hash of a key is not one.
    #[error("tenant {0}: key_sha256 needs 64 hexadecimal digits; `printf %s KEY | sha256sum` prints them")]
    Hash(String),
    /// Two tenants have one key.
    #[error("tenants {0} and {1} have the same key; give each its own")]
    SharedKey(String, String),
}

impl Settings {
    /// Reads a file, and the files with keys that it names.
    ///
    /// # Errors
    ///
    /// If one cannot be read, or does not say what it should.
    pub fn read(path: &Path) -> Result<Self, Wrong> {
        let mut settings: Self = text(path)?.parse()?;
        for upstream in settings.providers.values_mut() {
            if let Some(file) = &upstream.key_file {
                upstream.key = Secret(text(file)?.trim().to_owned());
            }
        }
        Ok(settings)
    }

    /// The tenant that has this key, and its name.
    #[must_use]
    pub fn tenant_of(&self, key: &str) -> Option<(&str, &Tenant)> {
        // Only hashes are compared, so the time that it takes tells nothing about a key.
        let hash = digest(&SHA256, key.as_bytes());
        let name = self.names.get(hash.as_ref())?;
        Some((name, self.tenants.get(name)?))
    }

    fn default_listen() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 8787))
    }
}

impl std::str::FromStr for Settings {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let mut settings: Self = toml::from_str(text)?;
        for (name, tenant) in &settings.tenants {
            let hash = HEXLOWER_PERMISSIVE.decode(tenant.key_sha256.as_bytes()).ok();
            let hash = hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
            let hash = hash.ok_or_else(|| Wrong::Hash(name.clone()))?;
            if let Some(other) = settings.names.insert(hash, name.clone()) {
                return Err(Wrong::SharedKey(other, name.clone()));
            }
        }
        Ok(settings)
    }
}

fn text(path: &Path) -> Result<String, Wrong> {
    fs::read_to_string(path).map_err(|source| Wrong::File { path: path.to_owned(), source })
}

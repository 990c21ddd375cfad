//! The keys in an agent's own configuration that point it at its provider.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    PersistError,
    text::{Format, unquoted},
};
use crate::{
    cmd::wrap::{
        agent::{Agent, PersistFile},
        plan::{claude, codex, opencode},
    },
    config::{Base, Config, leads_to},
    dirs::{named, user_home, value},
    file,
    proxy::Provider,
};

/// A file and the values that it must have.
pub(super) struct Target {
    pub(super) file: PathBuf,
    pub(super) format: Format,
    /// The current text; `None` if there is no file.
    pub(super) text: Option<String>,
    /// The start of a new file.
    pub(super) start: &'static str,
    /// Keys and their values, in the file's format.
    pub(super) keys: Vec<(Vec<String>, String)>,
    pub(super) notes: Vec<String>,
    proxy: SocketAddr,
}

impl Target {
    /// `None` for an agent that has no such file.
    pub(super) fn for_agent(agent: Agent, config: &Config) -> Result<Option<Self>, PersistError> {
        let Some(kind) = agent.file else { return Ok(None) };
        let place = match kind {
            PersistFile::Claude => claude::user_file().map(|file| (file, Format::Json)),
            PersistFile::Codex => codex::home().map(|home| (home.join("config.toml"), Format::Toml)),
            PersistFile::Opencode => opencode::home().map(|home| (commented(&home), Format::Json)),
            PersistFile::Gemini => user_home().map(|home| (gemini(&home), Format::Env)),
            PersistFile::Aider => user_home().map(|home| (home.join(".aider.conf.yml"), Format::Yaml)),
            PersistFile::Goose => {
                let config = named("XDG_CONFIG_HOME", ".config");
                config.map(|config| (config.join("goose/config.yaml"), Format::Yaml))
            }
        };
        let (file, format) = place.ok_or(PersistError::Home { agent: agent.program() })?;
        let proxy = config.listen.address();
        let mut target =
            Self { file, format, text: None, start: "", keys: Vec::new(), notes: Vec::new(), proxy };
        target.read()?;
        match kind {
            PersistFile::Claude => target.claude(config)?,
            PersistFile::Codex => target.codex(config)?,
            PersistFile::Opencode => target.opencode(config)?,
            PersistFile::Gemini => target.gemini(config)?,
            PersistFile::Aider => target.aider(config)?,
            PersistFile::Goose => target.goose(config)?,
        }
        Ok(Some(target))
    }

    /// Reads the file again.
    pub(super) fn read(&mut self) -> Result<(), PersistError> {
        self.text = file::read(&self.file)
            .map_err(|source| PersistError::Read { path: self.file.clone(), source })?;
        Ok(())
    }

    /// The proxy's address.
    pub(super) fn proxy(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// The text with all keys set.
    pub(super) fn after(&self) -> Option<String> {
        let before = self.text.clone().unwrap_or_else(|| self.start.to_owned());
        self.keys.iter().try_fold(before, |text, (path, value)| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.format.set(&text, &path, value)
        })
    }

    fn claude(&mut self, config: &Config) -> Result<(), PersistError> {
        let name = claude::VARIABLE;
        self.address(config, Provider::Anthropic, &["env", name], name, "")?;
        let settings = self.text.as_deref().and_then(crate::jsonc::parse).unwrap_or_default();
        self.notes.extend(claude::clouds(|name| settings.get("env")?.get(name)?.as_str()));
        Ok(())
    }

    fn codex(&mut self, config: &Config) -> Result<(), PersistError> {
        let address = codex::Address::read();
        let Some(key) = address.key() else {
            return Err(PersistError::Provider { provider: address.provider });
        };
        let url = self.lead(config, Provider::OpenAi, &key.join("."), address.set.as_deref(), "/v1")?;
        self.put(&key, &url);
        Ok(())
    }

    fn opencode(&mut self, config: &Config) -> Result<(), PersistError> {
        // OpenCode adds `$schema` itself if it is missing.
        self.start = "{\n  \"$schema\": \"https://opencode.ai/config.json\"\n}\n";
        for ((name, path), provider) in
            opencode::KNOWN.into_iter().zip([Provider::Anthropic, Provider::OpenAi, Provider::Gemini])
        {
            let key = ["provider", name, "options", "baseURL"];
            let set = self.current(&key)?.map(|url| opencode::expand(&url));
            let url = self.lead(config, provider, &key.join("."), set.as_deref(), path)?;
            self.put(&key, &url);
        }
        self.notes.push("other providers in its configuration are not changed".to_owned());
        Ok(())
    }

    fn gemini(&mut self, config: &Config) -> Result<(), PersistError> {
        let name = "GOOGLE_GEMINI_BASE_URL";
        self.address(config, Provider::Gemini, &[name], name, "")?;
        self.notes.push("in a project with its own .env file, Gemini CLI reads that one instead".to_owned());
        Ok(())
    }

    fn aider(&mut self, config: &Config) -> Result<(), PersistError> {
        self.address(config, Provider::OpenAi, &["openai-api-base"], "OPENAI_API_BASE", "/v1")?;
        let list = ["set-env"];
        let others = self.current(&list)?.filter(|list| !leads_here(list, self.proxy));
        if others.is_some() {
            self.notes.push(format!(
                "set-env in {} has other values; add ANTHROPIC_API_BASE=http://{} to it for Anthropic models",
                self.file.display(),
                self.proxy
            ));
            return Ok(());
        }
        let set = value("ANTHROPIC_API_BASE").or_else(|| value("ANTHROPIC_BASE_URL"));
        let url = self.lead(config, Provider::Anthropic, "ANTHROPIC_API_BASE", set.as_deref(), "")?;
        // Both spellings: LiteLLM has changed more than once which one it reads.
        let variables = format!("[\"ANTHROPIC_API_BASE={url}\", \"ANTHROPIC_BASE_URL={url}\"]");
        self.keys.push((vec!["set-env".to_owned()], variables));
        Ok(())
    }

    fn goose(&mut self, config: &Config) -> Result<(), PersistError> {
        for (name, provider) in [
            ("OPENAI_HOST", Provider::OpenAi),
            ("ANTHROPIC_HOST", Provider::Anthropic),
            ("GOOGLE_HOST", Provider::Gemini),
        ] {
            self.address(config, provider, &[name], name, "")?;
        }
        Ok(())
    }

    /// Sets an address; the file or a variable may hold one already.
    fn address(
        &mut self,
        config: &Config,
        provider: Provider,
        key: &[&str],
        variable: &str,
        path: &str,
    ) -> Result<(), PersistError> {
        let (place, set) = match self.current(key)? {
            Some(set) => (key.join("."), Some(set)),
            None => (format!("the variable {variable}"), value(variable)),
        };
        let url = self.lead(config, provider, &place, set.as_deref(), path)?;
        self.put(key, &url);
        Ok(())
    }

    fn put(&mut self, key: &[&str], url: &str) {
        let key = key.iter().map(|name| (*name).to_owned()).collect();
        self.keys.push((key, self.format.quote(url)));
    }

    /// The current value in the file.
    fn current(&self, key: &[&str]) -> Result<Option<String>, PersistError> {
        let text = self.text.as_deref().unwrap_or_default();
        let value = self.format.get(text, key).map_err(|_| PersistError::Unsafe {
            path: self.file.clone(),
            what: format!("{} must be http://{}", key.join("."), self.proxy),
        })?;
        Ok(value.map(|value| unquoted(&value)).filter(|value| !value.is_empty()))
    }

    /// The URL that leads through the proxy to this address. The proxy must send such requests there, too.
    fn lead(
        &self,
        config: &Config,
        provider: Provider,
        place: &str,
        set: Option<&str>,
        path: &str,
    ) -> Result<String, PersistError> {
        let upstream = config.upstreams.for_provider(provider);
        let path = match set.filter(|url| !leads_to(url, self.proxy)) {
            None => path,
            Some(url) => {
                let base: Base = url
                    .parse()
                    .map_err(|source| PersistError::Upstream { place: place.to_owned(), source })?;
                let Some(same) = upstream.filter(|upstream| **upstream == base) else {
                    return Err(PersistError::Elsewhere {
                        place: place.to_owned(),
                        is: Box::new(base),
                        goes: upstream.map_or_else(String::new, ToString::to_string),
                        setting: provider.as_str(),
                    });
                };
                same.client_path()
            }
        };
        Ok(format!("http://{}{path}", self.proxy))
    }
}

fn leads_here(text: &str, proxy: SocketAddr) -> bool {
    text.contains(&format!("http://{proxy}"))
}

/// The file with comments, if it exists.
fn commented(folder: &Path) -> PathBuf {
    let commented = folder.join("opencode.jsonc");
    if commented.exists() { commented } else { folder.join("opencode.json") }
}

/// The file that Gemini CLI reads if a project has none: the first of these that exists.
fn gemini(home: &Path) -> PathBuf {
    let (own, plain) = (home.join(".gemini/.env"), home.join(".env"));
    if !own.exists() && plain.exists() { plain } else { own }
}

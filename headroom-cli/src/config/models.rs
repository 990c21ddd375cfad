//! Configures the learned models and their runtime.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use headroom_core::{Engine, TokenPruner};
#[cfg(feature = "models")]
use headroom_model::{Kompress, KompressOptions};
use headroom_model::{Magika, ModelError, Runtime};
use serde::Deserialize;

use crate::chain::Chain;

/// The models of one engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    pub(crate) classifier: Classifier,
    pub(crate) prose: Prose,
    pub(crate) runtime: ModelRuntime,
    pub(crate) threads: usize,
}

impl Models {
    /// Builds an engine with the models that can be loaded, and returns why others cannot.
    pub(crate) fn engine(&self) -> (Engine, Vec<String>) {
        let mut builder = Engine::builder();
        let mut failed = Vec::new();
        match self.classifier() {
            Ok(Some(magika)) => builder = builder.classifier(magika),
            Ok(None) => {}
            Err(error) => {
                failed.push(format!("texts are classified by structure alone: {}", Chain(&error)));
            }
        }
        match self.condenser() {
            Ok(Some(kompress)) => builder = builder.token_pruner(kompress),
            Ok(None) => {}
            Err(error) => failed.push(format!("no words are pruned from prose: {}", Chain(&error))),
        }
        (builder.build(), failed)
    }

    pub(crate) fn classifier(&self) -> Result<Option<Magika>, LoadError> {
        if self.classifier == Classifier::Off {
            return Ok(None);
        }
        match self.runtime.to_runtime()? {
            // Loaded with the first text that needs it.
            Runtime::Rust => Ok(Some(Magika::new())),
            runtime => Ok(Some(Magika::with_runtime(runtime)?)),
        }
    }

    #[cfg(feature = "models")]
    pub(crate) fn condenser(&self) -> Result<Option<Arc<dyn TokenPruner>>, LoadError> {
        let Some(folder) = self.prose.folder() else { return Ok(None) };
        let options = KompressOptions::new().runtime(self.runtime.to_runtime()?).threads(self.threads);
        Ok(Some(Arc::new(Kompress::load(folder, &options)?)))
    }

    #[cfg(not(feature = "models"))]
    pub(crate) fn condenser(&self) -> Result<Option<Arc<dyn TokenPruner>>, LoadError> {
        if self.prose.folder().is_some() { Err(LoadError::NotBuilt) } else { Ok(None) }
    }
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[cfg(not(feature = "models"))]
    #[error("this build cannot load models; build one with `--features models`")]
    NotBuilt,
}

/// Classifies texts whose structure is ambiguous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Classifier {
    Off,
    #[default]
    Magika,
}

impl fmt::Display for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::Magika => "magika",
        })
    }
}

impl FromStr for Classifier {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "off" => Ok(Self::Off),
            "magika" => Ok(Self::Magika),
            _ => Err("unknown classifier; expected magika or off"),
        }
    }
}

/// Prunes words from prose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Prose {
    #[default]
    Off,
    /// A model that `headroom model pull` stored in the user's folder.
    Named(String),
    /// A model in a folder.
    Folder(PathBuf),
}

impl Prose {
    /// The folder of the model. For a name and a user without a folder, a path that shows which is missing.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Off => None,
            Self::Named(name) => {
                let home = super::home().unwrap_or_else(|| "$HEADROOM_HOME".into());
                Some(home.join("models").join(name))
            }
            Self::Folder(folder) => Some(folder.clone()),
        }
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Named(name) => f.write_str(name),
            Self::Folder(folder) => folder.display().fmt(f),
        }
    }
}

impl FromStr for Prose {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ if text.contains(['/', '\\']) => Ok(Self::Folder(text.into())),
            _ => check_name(text).map(|name| Self::Named(name.to_owned())),
        }
    }
}

impl TryFrom<String> for Prose {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a model has letters, digits, `.`, `-` and `_` only; a folder is given as a path, such as ./model"
)]
pub(crate) struct InvalidName;

/// Checks the name of a model, which is also the name of its folder.
pub(crate) fn check_name(name: &str) -> Result<&str, InvalidName> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_name = !name.is_empty() && !name.starts_with('.') && name.chars().all(plain);
    is_name.then_some(name).ok_or(InvalidName)
}

/// The runtime of the models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) enum ModelRuntime {
    #[default]
    Rust,
    /// ONNX Runtime, in this library.
    Native(PathBuf),
}

impl ModelRuntime {
    /// Names the runtime, for the user.
    pub(crate) fn describe(&self) -> String {
        self.to_runtime().map_or_else(|error| error.to_string(), |runtime| runtime.to_string())
    }

    fn to_runtime(&self) -> Result<Runtime, LoadError> {
        match self {
            Self::Rust => Ok(Runtime::Rust),
            #[cfg(feature = "models")]
            Self::Native(library) => Ok(Runtime::Native(library.clone())),
            #[cfg(not(feature = "models"))]
            Self::Native(_) => Err(LoadError::NotBuilt),
        }
    }
}

impl fmt::Display for ModelRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust => f.write_str("rust"),
            Self::Native(library) => library.display().fmt(f),
        }
    }
}

impl From<String> for ModelRuntime {
    fn from(text: String) -> Self {
        if text == "rust" { Self::Rust } else { Self::Native(Path::new(&text).to_owned()) }
    }
}

impl FromStr for ModelRuntime {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_folders_are_told_apart() {
        assert_eq!("off".parse(), Ok(Prose::Off));
        assert_eq!("kompress-v2-base".parse(), Ok(Prose::Named("kompress-v2-base".to_owned())));
        for folder in ["./model", "/models/a", "models/a"] {
            assert_eq!(folder.parse(), Ok(Prose::Folder(folder.into())));
        }
        for name in ["", ".", "..", ".hidden", "a b", "é"] {
            assert_eq!(name.parse::<Prose>(), Err(InvalidName), "{name}");
        }
    }

    #[cfg(not(feature = "models"))]
    #[test]
    fn a_build_without_models_says_how_to_get_them() {
        let models = Models { prose: Prose::Folder("/nowhere".into()), ..Models::default() };
        let (engine, failed) = models.engine();
        assert!(!engine.is_costly());
        assert!(failed[0].contains("build one with `--features models`"), "{failed:?}");
        let models = Models { runtime: "/nowhere/lib.so".to_owned().into(), ..Models::default() };
        assert!(models.engine().1[0].contains("--features models"));
    }

    #[cfg(feature = "models")]
    #[test]
    fn a_model_that_cannot_be_loaded_leaves_the_engine_without_it() {
        let models = Models { prose: Prose::Folder("/nowhere".into()), ..Models::default() };
        let (engine, failed) = models.engine();
        assert!(!engine.is_costly());
        assert_eq!(failed.len(), 1);
        assert!(failed[0].starts_with("no words are pruned from prose: cannot read /nowhere/"), "{failed:?}");

        let models = Models { runtime: "/nowhere/lib.so".to_owned().into(), ..Models::default() };
        let (_, failed) = models.engine();
        assert!(
            failed[0].contains("cannot load ONNX Runtime from /nowhere/lib.so: there is no such file"),
            "{failed:?}"
        );
    }
}

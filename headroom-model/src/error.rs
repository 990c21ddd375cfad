use std::{io, path::PathBuf};

/// Why a model cannot be used. Holds nothing of any text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file of the model is missing or cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder has no model, or several and none is named `model.onnx`.
    #[error("{} holds {found} files that end in .onnx; one is needed, or one with the name model.onnx", folder.display())]
    NoModel {
        /// The folder.
        folder: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// `tokenizer.json` is not what the `tokenizers` library reads.
    #[error("cannot use {}: {message}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The runtime does not take the model, or the model is of another kind.
    #[error("the {runtime} runtime cannot use the model {name}: {message}")]
    Model {
        /// What the model is called.
        name: String,
        /// `rust` or `native`.
        runtime: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// ONNX Runtime is not where it should be, or is too old.
    #[error("cannot load ONNX Runtime from {}: {message}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// Why not.
        message: String,
    },
}

use std::{io, path::PathBuf};

/// Error returned when a model cannot be used. Contains no part of any text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A model file is missing or cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The folder has no model, or several of which none is named `model.onnx`.
    #[error("{} holds {found} files that end in .onnx; one is needed, or one with the name model.onnx", folder.display())]
    NoModel {
        /// The folder.
        folder: PathBuf,
        /// How many `.onnx` files it has.
        found: usize,
    },
    /// The `tokenizers` library cannot read `tokenizer.json`.
    #[error("cannot use {}: {message}", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The runtime rejects the model, or its inputs and outputs are not the expected ones.
    #[error("the {runtime} runtime cannot use the model {name}: {message}")]
    Model {
        /// The name of the model.
        name: String,
        /// `rust` or `native`.
        runtime: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// ONNX Runtime is missing at this path, or is too old.
    #[error("cannot load ONNX Runtime from {}: {message}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// The reason.
        message: String,
    },
}

//! Runtimes that execute models.

#[cfg(feature = "native")]
mod native;
mod rust;
#[cfg(test)]
mod tests;

use std::{fmt, path::PathBuf};

use crate::ModelError;

/// The runtime that executes a model.
///
/// # Example
///
/// ```
/// use headroom_model::Runtime;
///
/// assert_eq!(Runtime::default(), Runtime::Rust);
/// assert_eq!(Runtime::default().as_str(), "rust");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Runtime {
    /// Pure Rust, in this binary.
    #[default]
    Rust,
    /// ONNX Runtime 1.18 or newer, from this library (`libonnxruntime.so`). A process can load only one.
    #[cfg(feature = "native")]
    #[cfg_attr(docsrs, doc(cfg(feature = "native")))]
    Native(PathBuf),
}

impl Runtime {
    /// Returns the name used in messages.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Rust => "rust",
            #[cfg(feature = "native")]
            Self::Native(_) => "native",
        }
    }

    /// Loads a model and prepares it to run on this many threads.
    pub(crate) fn open(
        &self,
        name: &str,
        model: Source,
        threads: usize,
    ) -> Result<Box<dyn Session>, ModelError> {
        let failed =
            |message: String| ModelError::Model { name: name.to_owned(), runtime: self.as_str(), message };
        Ok(match self {
            Self::Rust => Box::new(rust::RustSession::open(model, threads).map_err(failed)?),
            #[cfg(feature = "native")]
            Self::Native(library) => {
                native::load(library)?;
                Box::new(native::NativeSession::open(model, threads).map_err(failed)?)
            }
        })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rust => f.write_str("rust"),
            #[cfg(feature = "native")]
            Self::Native(library) => write!(f, "ONNX Runtime in {}", library.display()),
        }
    }
}

/// The source of a model's bytes.
#[derive(Debug)]
pub(crate) enum Source {
    #[cfg_attr(
        all(feature = "kompress", not(feature = "magika")),
        expect(dead_code, reason = "only Magika's is in the binary")
    )]
    Embedded(&'static [u8]),
    #[cfg_attr(
        all(feature = "magika", not(feature = "kompress")),
        expect(dead_code, reason = "only others are files")
    )]
    File(PathBuf),
}

/// Integers in rows of equal length.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    pub(crate) name: &'static str,
    pub(crate) rows: usize,
    pub(crate) values: &'a [i32],
}

impl Input<'_> {
    /// Returns the number of rows and of columns.
    pub(crate) fn shape(&self) -> [usize; 2] {
        [self.rows, self.values.len() / self.rows.max(1)]
    }
}

/// A loaded model.
pub(crate) trait Session: fmt::Debug + Send + Sync {
    /// Runs the model and returns one of its outputs, row by row.
    fn run(&self, inputs: &[Input<'_>], output: &str) -> Result<Vec<f32>, String>;
}

//! ONNX Runtime, from a shared library that is loaded on first use.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{
    session::{Session as OrtSession, SessionInputValue, builder::GraphOptimizationLevel},
    value::{Tensor, TensorElementType, ValueType},
};

use super::{Input, Session, Source};
use crate::ModelError;

/// The library that this process has loaded, if any.
static LOADED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Loads the library.
pub(super) fn load(library: &Path) -> Result<(), ModelError> {
    let failed = |message: String| ModelError::Library { path: library.to_owned(), message };
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(other) = loaded.as_ref() {
        return match other == library {
            true => Ok(()),
            false => Err(failed(format!("this process has loaded {} already", other.display()))),
        };
    }
    // A bare name is left to the system's loader; any other path is a file, resolved against the working directory.
    let is_name = library.components().count() == 1;
    let path = if is_name { library.to_owned() } else { std::path::absolute(library).unwrap_or_default() };
    if !is_name && !path.is_file() {
        return Err(failed("there is no such file".to_owned()));
    }
    headroom_onnxruntime::load(&path).map_err(|error| failed(error.to_string()))?;
    ort::init().with_telemetry(false).commit();
    *loaded = Some(library.to_owned());
    Ok(())
}

pub(super) struct NativeSession {
    /// Behind a lock, since the library's `run` takes the session mutably.
    session: Mutex<OrtSession>,
}

impl NativeSession {
    pub(super) fn open(model: Source, threads: usize) -> Result<Self, String> {
        let open = || -> ort::Result<OrtSession> {
            // Higher levels also round the inputs of products of which only the weights are quantised.
            let mut builder = OrtSession::builder()?
                .with_optimization_level(GraphOptimizationLevel::Level1)?
                .with_intra_threads(threads)?
                .with_intra_op_spinning(false)?;
            match model {
                Source::Embedded(bytes) => builder.commit_from_memory(bytes),
                Source::File(path) => builder.commit_from_file(path),
            }
        };
        Ok(Self { session: Mutex::new(open().map_err(|error| error.to_string())?) })
    }
}

impl Session for NativeSession {
    fn run(&self, inputs: &[Input<'_>], output: &str) -> Result<Vec<f32>, String> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::new();
        for input in inputs {
            let declared = session.inputs().iter().find(|declared| declared.name() == input.name);
            let declared = declared.ok_or_else(|| format!("it has no input {}", input.name))?;
            let is_long = matches!(declared.dtype(), ValueType::Tensor { ty: TensorElementType::Int64, .. });
            let value = if is_long {
                let values: Vec<i64> = input.values.iter().copied().map(i64::from).collect();
                Tensor::from_array((input.shape(), values)).map(SessionInputValue::from)
            } else {
                Tensor::from_array((input.shape(), input.values.to_vec())).map(SessionInputValue::from)
            };
            values.push((input.name, value.map_err(|error| error.to_string())?));
        }
        let outputs = session.run(values).map_err(|error| error.to_string())?;
        let scores = outputs.get(output).ok_or_else(|| format!("it has no output {output}"))?;
        let (_, scores) = scores.try_extract_tensor::<f32>().map_err(|error| error.to_string())?;
        Ok(scores.to_vec())
    }
}

impl fmt::Debug for NativeSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeSession").finish_non_exhaustive()
    }
}

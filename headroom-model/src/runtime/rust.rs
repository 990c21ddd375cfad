//! The pure Rust runtime.

use std::{fmt, sync::Arc};

use rten::{Model, ModelOptions, RunOptions, ThreadPool, ValueOrView};
use rten_tensor::{NdTensor, NdTensorView};

use super::{Input, Session, Source};

pub(super) struct RustSession {
    model: Model,
    pool: Arc<ThreadPool>,
}

impl RustSession {
    pub(super) fn open(model: Source, threads: usize) -> Result<Self, String> {
        let options = ModelOptions::with_all_ops();
        let model = match model {
            Source::Embedded(bytes) => options.load_static_slice(bytes),
            Source::File(path) => options.load_file(path),
        };
        let model = model.map_err(|error| error.to_string())?;
        Ok(Self { model, pool: Arc::new(ThreadPool::with_num_threads(threads)) })
    }
}

impl Session for RustSession {
    fn run(&self, inputs: &[Input<'_>], output: &str) -> Result<Vec<f32>, String> {
        let node = |name: &str| self.model.node_id(name).map_err(|error| error.to_string());
        let mut values = Vec::with_capacity(inputs.len());
        for input in inputs {
            // This runtime has 32-bit integers only, whatever the model declares.
            let view = NdTensorView::from_data(input.shape(), input.values);
            values.push((node(input.name)?, ValueOrView::from(view)));
        }
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let outputs = self.model.run(values, &[node(output)?], Some(options));
        let first = outputs.map_err(|error| error.to_string())?.into_iter().next();
        let tensor: NdTensor<f32, 2> =
            first.ok_or("it gave nothing")?.try_into().map_err(|_| "it gave no table of numbers")?;
        Ok(tensor.into_data())
    }
}

impl fmt::Debug for RustSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustSession").finish_non_exhaustive()
    }
}

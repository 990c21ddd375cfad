//! Everything that knows Python.

mod encode;
mod engine;
mod errors;
mod exchange;
mod messages;
mod options;
mod rebuild;
mod report;
mod results;
mod shape;
mod store;
mod tool;

/// The native part of the package. Its contents are public under `headroom`.
#[pyo3::pymodule]
mod _native {
    #[expect(non_upper_case_globals, reason = "Python's name")]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_export]
    use super::{
        engine::Engine,
        exchange::Exchange,
        messages::{CompressResult, Draft},
        report::{BlockReport, Report},
        results::{RequestResult, TextResult},
        store::{FolderStore, MemoryStore, RedisStore, Store},
        tool::{api_of_path, retrieve_tool},
    };
}

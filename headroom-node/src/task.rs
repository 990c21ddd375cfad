//! Work on Node's thread pool.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use napi::{
    Env, Error, Result, Status, Task,
    bindgen_prelude::{AsyncTask, ToNapiValue, TypeName},
};

/// Work that a thread does, and JavaScript awaits.
pub struct Later<T>(Option<Box<dyn FnOnce() -> Result<T> + Send>>);

impl<T> fmt::Debug for Later<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").finish_non_exhaustive()
    }
}

/// Has a thread of the pool do this.
pub(crate) fn later<T>(work: impl FnOnce() -> Result<T> + Send + 'static) -> AsyncTask<Later<T>>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    AsyncTask::new(Later(Some(Box::new(work))))
}

/// Does this now. A panic must not end the process.
pub(crate) fn now<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(internal()))
}

impl<T> Task for Later<T>
where
    T: ToNapiValue + TypeName + Send + 'static,
{
    type Output = T;
    type JsValue = T;

    fn compute(&mut self) -> Result<T> {
        self.0.take().map_or_else(|| Err(internal()), now)
    }

    fn resolve(&mut self, _: Env, output: T) -> Result<T> {
        Ok(output)
    }
}

fn internal() -> Error {
    Error::new(Status::GenericFailure, "an internal error of headroom")
}

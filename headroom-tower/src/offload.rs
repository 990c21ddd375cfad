use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::AtomicBool,
    task::{Context, Poll},
};

use crate::SkipReason;

/// Work on smaller bodies is done at once: below this it takes less than moving it to another thread and back.
pub(crate) const THRESHOLD: u64 = 32 << 10;
/// Requests that may wait for a thread.
#[cfg(feature = "tokio")]
const MAX_WAITING: usize = 1024;

/// A closure that does the work. It is told when nobody waits for it any more.
pub(crate) type Task<T> = Box<dyn FnOnce(&AtomicBool) -> T + Send>;

/// Where CPU work runs. Clones share their places.
#[derive(Clone, Debug)]
pub(crate) struct Offload {
    pub(crate) threshold: u64,
    #[cfg(feature = "tokio")]
    pool: pool::Pool,
}

impl Offload {
    pub(crate) fn new() -> Self {
        Self {
            threshold: THRESHOLD,
            #[cfg(feature = "tokio")]
            pool: pool::Pool::new(std::thread::available_parallelism().map_or(1, usize::from), MAX_WAITING),
        }
    }

    pub(crate) fn set_max(&mut self, running: usize, waiting: usize) {
        #[cfg(feature = "tokio")]
        {
            self.pool = pool::Pool::new(running, waiting);
        }
        #[cfg(not(feature = "tokio"))]
        let _ = (running, waiting);
    }

    /// Starts the work: at once where it is small or there is no pool, else in the pool.
    pub(crate) fn start<T: Send + 'static>(&self, size: u64, task: Task<T>) -> Work<T> {
        #[cfg(feature = "tokio")]
        if size > self.threshold && tokio::runtime::Handle::try_current().is_ok() {
            return match self.pool.start(task) {
                Some(running) => Work::Pooled(running),
                None => Work::Done(Some(Err(SkipReason::Busy))),
            };
        }
        let _ = size;
        Work::Done(Some(run(task, &AtomicBool::new(false))))
    }
}

/// Work that was started.
pub(crate) enum Work<T> {
    Done(Option<Result<T, SkipReason>>),
    #[cfg(feature = "tokio")]
    Pooled(pool::Pooled<T>),
}

impl<T: Send + 'static> Work<T> {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, SkipReason>> {
        let _ = &cx;
        match self {
            Self::Done(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            #[cfg(feature = "tokio")]
            Self::Pooled(pooled) => pooled.poll(cx),
        }
    }
}

/// A panic in the engine must not take the request down with it.
fn run<T>(task: Task<T>, cancelled: &AtomicBool) -> Result<T, SkipReason> {
    catch_unwind(AssertUnwindSafe(|| task(cancelled))).map_err(|_| SkipReason::Internal)
}

#[cfg(feature = "tokio")]
mod pool {
    use std::{
        fmt,
        future::Future,
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::{Context, Poll, ready},
    };

    use tokio::{
        sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
        task::JoinHandle,
    };

    use super::{Task, run};
    use crate::SkipReason;

    #[derive(Clone)]
    pub(crate) struct Pool {
        running: Arc<Semaphore>,
        waiting: Arc<Semaphore>,
    }

    type Acquire = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

    pub(crate) struct Pooled<T> {
        state: State<T>,
        cancelled: Arc<AtomicBool>,
    }

    enum State<T> {
        Waiting { permit: Acquire, task: Option<Task<T>>, _place: OwnedSemaphorePermit },
        Running(JoinHandle<Result<T, SkipReason>>),
    }

    impl Pool {
        pub(crate) fn new(running: usize, waiting: usize) -> Self {
            let semaphore = |places: usize| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
            Self { running: semaphore(running.max(1)), waiting: semaphore(waiting) }
        }

        /// `None` if neither a thread nor a place to wait is free.
        pub(crate) fn start<T: Send + 'static>(&self, task: Task<T>) -> Option<Pooled<T>> {
            let cancelled = Arc::new(AtomicBool::new(false));
            let state = if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
                spawn(task, permit, &cancelled)
            } else {
                let place = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
                let permit = Box::pin(Arc::clone(&self.running).acquire_owned());
                State::Waiting { permit, task: Some(task), _place: place }
            };
            Some(Pooled { state, cancelled })
        }
    }

    fn spawn<T: Send + 'static>(
        task: Task<T>,
        permit: OwnedSemaphorePermit,
        cancelled: &Arc<AtomicBool>,
    ) -> State<T> {
        let cancelled = Arc::clone(cancelled);
        State::Running(tokio::task::spawn_blocking(move || {
            let result = run(task, &cancelled);
            drop(permit);
            result
        }))
    }

    impl<T: Send + 'static> Pooled<T> {
        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, SkipReason>> {
            loop {
                match &mut self.state {
                    State::Waiting { permit, task, .. } => {
                        let permit = ready!(permit.as_mut().poll(cx));
                        let (Ok(permit), Some(task)) = (permit, task.take()) else {
                            return Poll::Ready(Err(SkipReason::Internal));
                        };
                        self.state = spawn(task, permit, &self.cancelled);
                    }
                    State::Running(handle) => {
                        let joined = ready!(Pin::new(handle).poll(cx));
                        return Poll::Ready(joined.unwrap_or(Err(SkipReason::Internal)));
                    }
                }
            }
        }
    }

    impl<T> Drop for Pooled<T> {
        fn drop(&mut self) {
            self.cancelled.store(true, Ordering::Relaxed);
            if let State::Running(handle) = &self.state {
                handle.abort();
            }
        }
    }

    impl fmt::Debug for Pool {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Pool").field("free", &self.running.available_permits()).finish_non_exhaustive()
        }
    }
}

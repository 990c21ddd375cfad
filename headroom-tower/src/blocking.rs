use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::AtomicBool},
    task::{Context, Poll},
};

use crate::SkipReason;

/// Work on bodies up to this size is done at once: it takes less time than moving it to another thread and back.
pub(crate) const THRESHOLD: u64 = 32 << 10;

/// A closure that does the work. The flag says that nobody waits for it any more.
pub(crate) type Task<T> = Box<dyn FnOnce(&AtomicBool) -> T + Send>;

/// Runs CPU work. Clones share the limit on concurrent tasks.
#[derive(Clone, Debug)]
pub(crate) struct Offload {
    pub(crate) threshold: u64,
    #[cfg(feature = "tokio")]
    pool: pool::BlockingPool,
}

impl Offload {
    pub(crate) fn new() -> Self {
        Self {
            threshold: THRESHOLD,
            #[cfg(feature = "tokio")]
            pool: pool::BlockingPool::new(std::thread::available_parallelism().map_or(1, usize::from)),
        }
    }

    pub(crate) fn set_max(&mut self, running: usize) {
        #[cfg(feature = "tokio")]
        {
            self.pool = pool::BlockingPool::new(running);
        }
        #[cfg(not(feature = "tokio"))]
        let _ = running;
    }

    /// Whether work can leave this thread.
    pub(crate) fn has_pool(&self) -> bool {
        #[cfg(feature = "tokio")]
        return self.threshold < u64::MAX && tokio::runtime::Handle::try_current().is_ok();
        #[cfg(not(feature = "tokio"))]
        false
    }

    /// Starts work on so many bytes: at once if there are few, otherwise as [`start_large`](Self::start_large).
    pub(crate) fn start<T: Send + 'static>(&self, tenant: &Arc<str>, bytes: u64, task: Task<T>) -> Work<T> {
        if bytes > self.threshold { self.start_large(tenant, bytes, task) } else { Work::at_once(task) }
    }

    /// Starts work in the pool when it is the tenant's turn, or at once if there is no pool. The bytes are what the tenant
    /// has had of it then, and do not say how long the work takes.
    pub(crate) fn start_large<T: Send + 'static>(
        &self,
        tenant: &Arc<str>,
        bytes: u64,
        task: Task<T>,
    ) -> Work<T> {
        #[cfg(feature = "tokio")]
        if self.has_pool() {
            return Work::Pooled(self.pool.start(tenant, bytes, task));
        }
        let _ = (tenant, bytes);
        Work::at_once(task)
    }
}

/// Work that was started.
pub(crate) enum Work<T> {
    Done(Option<Result<T, SkipReason>>),
    #[cfg(feature = "tokio")]
    Pooled(pool::PooledTask<T>),
}

impl<T: Send + 'static> Work<T> {
    fn at_once(task: Task<T>) -> Self {
        Self::Done(Some(run(task, &AtomicBool::new(false))))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, SkipReason>> {
        let _ = &cx;
        match self {
            Self::Done(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            #[cfg(feature = "tokio")]
            Self::Pooled(pooled) => pooled.poll(cx),
        }
    }
}

/// Runs a task. A panic in the engine must not fail the request.
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
        thread,
    };

    use tokio::{runtime::Handle, sync::oneshot, task::JoinHandle};

    use super::{Task, run};
    use crate::{
        SkipReason,
        fair::{Acquire, FairSemaphore, Permit},
    };

    #[derive(Clone)]
    pub(crate) struct BlockingPool {
        running: FairSemaphore,
    }

    pub(crate) struct PooledTask<T> {
        state: TaskState<T>,
        cancelled: Arc<AtomicBool>,
    }

    enum TaskState<T> {
        Waiting {
            permit: Acquire,
            task: Option<Task<T>>,
        },
        Running(JoinHandle<Result<T, SkipReason>>),
        /// Beside the pool.
        Preferred(oneshot::Receiver<Result<T, SkipReason>>),
    }

    /// The name of threads that work for tenants from the reserve.
    const PREFERRED: &str = "headroom-prefer";

    impl BlockingPool {
        /// As many tasks as `running` at a time, and as many more for tenants that have none.
        pub(crate) fn new(running: usize) -> Self {
            let running = running.max(1) as u64;
            Self { running: FairSemaphore::new(running, running, 1) }
        }

        pub(crate) fn start<T: Send + 'static>(
            &self,
            tenant: &Arc<str>,
            size: u64,
            task: Task<T>,
        ) -> PooledTask<T> {
            let cancelled = Arc::new(AtomicBool::new(false));
            let state = match self.running.try_acquire(tenant, 1, size) {
                Some(permit) => spawn(task, permit, &cancelled),
                None => {
                    let permit = self.running.acquire(tenant, 1, size);
                    TaskState::Waiting { permit, task: Some(task) }
                }
            };
            PooledTask { state, cancelled }
        }
    }

    fn spawn<T: Send + 'static>(task: Task<T>, permit: Permit, cancelled: &Arc<AtomicBool>) -> TaskState<T> {
        let is_preferred = permit.is_from_reserve();
        let flag = Arc::clone(cancelled);
        let work = move || {
            let result = run(task, &flag);
            drop(permit);
            result
        };
        if is_preferred { prefer(work) } else { TaskState::Running(tokio::task::spawn_blocking(work)) }
    }

    /// Works on a thread of its own. It has the rank of this thread, which a server may have taken from those of the pool, so
    /// that a tenant from the reserve does not wait for what floods the pool.
    fn prefer<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, SkipReason> + Send + 'static,
    ) -> TaskState<T> {
        let (sender, receiver) = oneshot::channel();
        let runtime = Handle::current();
        // Where the machine has no room for another thread, the sender is dropped, which is an error for the receiver.
        let _ = thread::Builder::new().name(PREFERRED.to_owned()).spawn(move || {
            let _runtime = runtime.enter();
            let _ = sender.send(work());
        });
        TaskState::Preferred(receiver)
    }

    impl<T: Send + 'static> PooledTask<T> {
        pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, SkipReason>> {
            loop {
                match &mut self.state {
                    TaskState::Waiting { permit, task } => {
                        let permit = ready!(Pin::new(permit).poll(cx));
                        let Some(task) = task.take() else {
                            return Poll::Ready(Err(SkipReason::Internal));
                        };
                        self.state = spawn(task, permit, &self.cancelled);
                    }
                    TaskState::Running(handle) => {
                        let joined = ready!(Pin::new(handle).poll(cx));
                        // The task catches its own panics: it is lost only if the runtime shuts down.
                        return Poll::Ready(joined.unwrap_or(Err(SkipReason::Internal)));
                    }
                    TaskState::Preferred(receiver) => {
                        let received = ready!(Pin::new(receiver).poll(cx));
                        return Poll::Ready(received.unwrap_or(Err(SkipReason::Internal)));
                    }
                }
            }
        }
    }

    impl<T> Drop for PooledTask<T> {
        fn drop(&mut self) {
            self.cancelled.store(true, Ordering::Relaxed);
            if let TaskState::Running(handle) = &self.state {
                handle.abort();
            }
        }
    }

    impl fmt::Debug for BlockingPool {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("BlockingPool").field("running", &self.running).finish()
        }
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use std::{
        sync::mpsc::{Receiver, Sender, channel},
        thread,
    };

    use super::*;

    fn finish<T: Send + 'static>(mut work: Work<T>) -> impl Future<Output = Result<T, SkipReason>> {
        std::future::poll_fn(move |cx| work.poll(cx))
    }

    fn name() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    /// Work that returns the name of its thread once it may.
    fn blocked() -> (Sender<()>, Task<String>) {
        let (go, wait): (Sender<()>, Receiver<()>) = channel();
        (go, Box::new(move |_| wait.recv().map_or_else(|_| String::new(), |()| name())))
    }

    #[tokio::test]
    async fn a_tenant_that_finds_the_pool_full_works_beside_it() {
        let mut offload = Offload::new();
        offload.set_max(1);
        let [flood, other] = ["flood", "other"].map(Arc::<str>::from);
        let (go, task) = blocked();
        let first = offload.start_large(&flood, 1, task);
        let second = offload.start_large(&flood, 1, Box::new(|_| name()));
        let beside = finish(offload.start_large(&other, 1, Box::new(|_| name()))).await;
        assert_eq!(beside, Ok("headroom-prefer".to_owned()));
        let panics =
            finish(offload.start_large(&other, 1, Box::new(|_| -> () { panic!("on purpose") }))).await;
        assert_eq!(panics, Err(SkipReason::Internal));
        go.send(()).unwrap();
        for work in [first, second] {
            let name = finish(work).await.unwrap();
            assert!(!name.is_empty() && name != "headroom-prefer", "{name}");
        }
    }

    #[tokio::test]
    async fn work_beside_the_pool_is_told_that_nobody_waits() {
        let mut offload = Offload::new();
        offload.set_max(1);
        let (go, task) = blocked();
        let _first = offload.start_large(&Arc::from("flood"), 1, task);
        let (tell, told) = channel();
        let wait = move |cancelled: &AtomicBool| {
            while !cancelled.load(std::sync::atomic::Ordering::Relaxed) {
                thread::yield_now();
            }
            tell.send(()).unwrap();
        };
        drop(offload.start_large(&Arc::from("other"), 1, Box::new(wait)));
        assert!(told.recv_timeout(std::time::Duration::from_secs(20)).is_ok());
        drop(go);
    }
}

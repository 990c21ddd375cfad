//! Bounds the bytes of request bodies in memory.
//!
//! No body passes through because memory is short: its rewritten form must not depend on load. So a body that finds no
//! room waits. Two pools prevent deadlocks. The first holds original bodies: they enter it piece by piece while they
//! are read, and one reader at a time may exceed it, so that some body is always read to its end. The second holds the
//! work on them: a body that was read completely enters it once, for all memory that the work can take, and leaves it
//! when the work is done. The rewritten body then moves to the first pool, if there is room.
//!
//! Tenants take turns, and a quarter of each pool is a reserve for those that hold little: one that floods, or sends slowly,
//! does not take all.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::fair::{Acquire, FairSemaphore, Permit};

/// The default of `max_buffered`: 1 GiB.
const MAX_BUFFERED: u64 = 1 << 30;
/// Bytes per unit. What is smaller does not matter.
const UNIT: u64 = 1 << 10;
/// The part of a pool that is a reserve, and the part that a tenant may hold while it takes from it.
const RESERVE: u64 = 4;
const FIRST: u64 = 8;
/// Memory for the work on a body, in multiples of its decoded size: the body itself and the engine's data.
const WORK: u64 = 4;

/// The pools of memory for bodies. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    bodies: BufferPool,
    work: BufferPool,
    /// Held by the one reader that may exceed the pool of bodies.
    over: Arc<Semaphore>,
}

#[derive(Clone, Debug)]
struct BufferPool(FairSemaphore);

impl Memory {
    pub(crate) fn new(bytes: u64) -> Self {
        Self {
            bodies: BufferPool::new(bytes / 2),
            work: BufferPool::new(bytes / 2),
            over: Arc::new(Semaphore::new(1)),
        }
    }

    /// The same for bodies alone, on which nothing works.
    pub(crate) fn for_bodies(bytes: u64) -> Self {
        Self {
            bodies: BufferPool::of_one(bytes),
            work: BufferPool::new(0),
            over: Arc::new(Semaphore::new(1)),
        }
    }

    /// Creates a meter for a body of this tenant that is to be read.
    pub(crate) fn meter(&self, tenant: &Arc<str>) -> Meter {
        let tenant = Arc::clone(tenant);
        Meter { memory: self.clone(), tenant, paid: 0, held: Held::default(), wait: None }
    }

    /// Waits for room to work on a body of this tenant that decodes to at most this many bytes.
    pub(crate) fn reserve(&self, tenant: &Arc<str>, decoded: u64) -> Reserve {
        let units = self.work.units_of(decoded.saturating_mul(WORK));
        let (memory, tenant) = (self.clone(), Arc::clone(tenant));
        Reserve { wait: memory.work.take(&tenant, units), memory, tenant }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(MAX_BUFFERED)
    }
}

impl BufferPool {
    fn new(bytes: u64) -> Self {
        let units = (bytes / UNIT).max(1);
        let reserve = units / RESERVE;
        Self(FairSemaphore::new(units - reserve, reserve, units / FIRST))
    }

    /// Creates a pool that only one tenant uses, so that none of it is a reserve for others.
    fn of_one(bytes: u64) -> Self {
        let units = (bytes / UNIT).max(1);
        Self(FairSemaphore::new(units, 0, units))
    }

    /// Returns the units for this many bytes. A body that would never fit takes all that one can get.
    fn units_of(&self, bytes: u64) -> u64 {
        bytes.div_ceil(UNIT).min(self.0.most())
    }

    fn try_take(&self, tenant: &Arc<str>, units: u64) -> Option<Permit> {
        self.0.try_acquire(tenant, units, units)
    }

    fn take(&self, tenant: &Arc<str>, units: u64) -> Acquire {
        self.0.acquire(tenant, units, units)
    }
}

/// A body's share of the pools; given back when it is dropped.
#[derive(Debug, Default)]
struct Held {
    permit: Option<Permit>,
    over: Option<OwnedSemaphorePermit>,
}

/// Takes memory for a body piece by piece.
pub(crate) struct Meter {
    memory: Memory,
    tenant: Arc<str>,
    paid: u64,
    held: Held,
    wait: Option<Pin<Box<dyn Future<Output = Paid> + Send>>>,
}

enum Paid {
    Part(Permit),
    Over(OwnedSemaphorePermit),
}

impl Meter {
    /// Waits for room for a body of this many bytes, including those counted before.
    pub(crate) fn poll(&mut self, bytes: u64, cx: &mut Context<'_>) -> Poll<()> {
        while self.held.over.is_none() && self.paid < bytes {
            let units = self.memory.bodies.units_of(bytes - self.paid);
            let paid = match &mut self.wait {
                Some(wait) => ready!(wait.as_mut().poll(cx)),
                None => match self.memory.bodies.try_take(&self.tenant, units) {
                    Some(permit) => Paid::Part(permit),
                    None => {
                        let part = self.memory.bodies.take(&self.tenant, units);
                        let over = Arc::clone(&self.memory.over);
                        self.wait = Some(Box::pin(part_or_over(part, over)));
                        continue;
                    }
                },
            };
            self.wait = None;
            match paid {
                Paid::Part(permit) => {
                    self.paid += permit.units() * UNIT;
                    match &mut self.held.permit {
                        Some(held) => held.merge(permit),
                        None => self.held.permit = Some(permit),
                    }
                }
                Paid::Over(permit) => self.held.over = Some(permit),
            }
        }
        Poll::Ready(())
    }

    /// Ties the memory to the body that was read: it is given back when the body's last clone is dropped.
    pub(crate) fn hold(&mut self, bytes: Bytes) -> Bytes {
        self.wait = None;
        hold(bytes, std::mem::take(&mut self.held))
    }
}

async fn part_or_over(mut part: Acquire, over: Arc<Semaphore>) -> Paid {
    let mut over = pin!(over.acquire_owned());
    std::future::poll_fn(|cx| {
        if let Poll::Ready(permit) = Pin::new(&mut part).poll(cx) {
            return Poll::Ready(Paid::Part(permit));
        }
        match over.as_mut().poll(cx) {
            Poll::Ready(Ok(permit)) => Poll::Ready(Paid::Over(permit)),
            _ => Poll::Pending,
        }
    })
    .await
}

/// The wait for memory to work in.
pub(crate) struct Reserve {
    memory: Memory,
    tenant: Arc<str>,
    wait: Acquire,
}

impl Reserve {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reservation> {
        let permit = ready!(Pin::new(&mut self.wait).poll(cx));
        Poll::Ready(Reservation {
            memory: self.memory.clone(),
            tenant: Arc::clone(&self.tenant),
            permit: Arc::new(Mutex::new(Some(permit))),
        })
    }
}

/// Memory held by work. Clones share it, and the last of them gives it back: an abandoned task still holds its memory.
#[derive(Clone, Debug)]
pub(crate) struct Reservation {
    memory: Memory,
    tenant: Arc<str>,
    permit: Arc<Mutex<Option<Permit>>>,
}

impl Reservation {
    /// Gives back excess memory, once a body's decoded length is known.
    pub(crate) fn shrink_to_work_on(&self, decoded: u64) {
        self.shrink(decoded.saturating_mul(WORK));
    }

    /// Ends the work. Memory for these bytes, and for `others` more that live as long, stays counted.
    pub(crate) fn hold(&self, bytes: Bytes, others: u64) -> Bytes {
        let size = (bytes.len() as u64).saturating_add(others);
        let bodies = &self.memory.bodies;
        // Answers take minutes, and work must not wait for them, as reading can.
        if let Some(permit) = bodies.try_take(&self.tenant, bodies.units_of(size)) {
            self.shrink(0);
            return hold(bytes, permit);
        }
        self.shrink(size);
        hold(bytes, self.clone())
    }

    fn shrink(&self, bytes: u64) {
        let mut permit = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = permit.as_mut() {
            permit.shrink_to(bytes.div_ceil(UNIT));
        }
    }
}

/// Returns bytes that own `held` and drop it with their last clone.
fn hold(bytes: Bytes, held: impl Send + 'static) -> Bytes {
    struct HeldBytes<H>(Bytes, H);

    impl<H> AsRef<[u8]> for HeldBytes<H> {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    if bytes.is_empty() { bytes } else { Bytes::from_owner(HeldBytes(bytes, held)) }
}

//! A semaphore whose waiters take turns by tenant, so that one that floods does not delay the others.
//!
//! Waiters of one tenant are served in their order, and tenants by start-time fair queuing: each has a virtual time that
//! grows with the cost of what it was given, and the waiter of the tenant that has had least goes first. A tenant that comes
//! after a pause starts at the time of now: it has saved nothing up and owes nothing.
//!
//! A part of the capacity is a reserve from which each tenant may have a first share, whatever others hold. It keeps a
//! tenant that takes all it can from making others wait for the end of what it was given.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

#[cfg(test)]
mod tests;

/// How often others may be served from the reserve before a waiter that finds no room, so that one that needs most of the
/// capacity gets it.
const MAX_OVERTAKEN: u32 = 64;

/// Units that tenants share. Clones share them too.
#[derive(Clone)]
pub(crate) struct FairSemaphore(Arc<Mutex<State>>);

struct State {
    /// What all tenants together may hold without the reserve.
    base: u64,
    /// The same with the reserve.
    capacity: u64,
    /// What a tenant may hold while it takes from the reserve.
    first: u64,
    used: u64,
    /// The virtual time: that of the waiter that was served last.
    now: u64,
    next_ticket: u64,
    /// Only tenants that hold or wait for something.
    tenants: HashMap<Arc<str>, Queue>,
    /// The first waiter of each tenant, by its virtual time.
    order: BTreeSet<(u64, u64, Arc<str>)>,
    /// Waiters that were served and have not noticed.
    served: HashMap<u64, Served>,
    overtaken: u32,
}

/// A tenant's waiters.
#[derive(Default)]
struct Queue {
    used: u64,
    /// The virtual time at which the tenant's next waiter may be served.
    next: u64,
    waiting: BTreeMap<u64, Waiter>,
    /// The entry in the order.
    place: Option<(u64, u64)>,
}

/// What a waiter was given.
struct Served {
    units: u64,
    from_reserve: bool,
}

struct Waiter {
    units: u64,
    cost: u64,
    waker: Option<Waker>,
}

impl FairSemaphore {
    /// Creates a semaphore with `base` units, and a reserve of `reserve` more from which no tenant takes once it holds
    /// more than `first`.
    pub(crate) fn new(base: u64, reserve: u64, first: u64) -> Self {
        let base = base.max(1);
        Self(Arc::new(Mutex::new(State {
            base,
            capacity: base.saturating_add(reserve),
            first,
            used: 0,
            now: 0,
            next_ticket: 0,
            tenants: HashMap::new(),
            order: BTreeSet::new(),
            served: HashMap::new(),
            overtaken: 0,
        })))
    }

    /// Waits for units, at most for all but the reserve. `cost` is what the tenant is charged for them.
    pub(crate) fn acquire(&self, tenant: &Arc<str>, units: u64, cost: u64) -> Acquire {
        let mut wakers = Vec::new();
        let mut state = self.lock();
        let units = units.min(state.base);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let waiter = Waiter { units, cost: cost.max(1), waker: None };
        state.tenants.entry(Arc::clone(tenant)).or_default().waiting.insert(ticket, waiter);
        state.queue(tenant);
        state.serve(&mut wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        Acquire { semaphore: self.clone(), tenant: Arc::clone(tenant), ticket: Some(ticket) }
    }

    /// Takes units if there is room and nobody waits for it.
    pub(crate) fn try_acquire(&self, tenant: &Arc<str>, units: u64, cost: u64) -> Option<Permit> {
        let mut acquire = self.acquire(tenant, units, cost);
        acquire.take()
    }

    /// The most that one waiter can get.
    pub(crate) fn most(&self) -> u64 {
        self.lock().base
    }

    fn release(&self, tenant: &Arc<str>, units: u64) {
        if units == 0 {
            return;
        }
        let mut wakers = Vec::new();
        let mut state = self.lock();
        state.give_back(tenant, units);
        state.serve(&mut wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Puts the first waiter of a tenant in its place.
    fn queue(&mut self, tenant: &Arc<str>) {
        let Some(queue) = self.tenants.get_mut(tenant) else { return };
        let first = queue.waiting.first_key_value().map(|(ticket, _)| *ticket);
        let place = first.map(|ticket| match queue.place {
            Some((time, _)) => (time, ticket),
            None => (queue.next.max(self.now), ticket),
        });
        if place == queue.place {
            return;
        }
        if let Some((time, ticket)) = std::mem::replace(&mut queue.place, place) {
            self.order.remove(&(time, ticket, Arc::clone(tenant)));
        }
        if let Some((time, ticket)) = place {
            self.order.insert((time, ticket, Arc::clone(tenant)));
        }
    }

    /// Serves all waiters for whom there is room.
    fn serve(&mut self, wakers: &mut Vec<Waker>) {
        while let Some((_, _, tenant)) = self.next() {
            let Some(queue) = self.tenants.get_mut(&tenant) else { return };
            let (Some((ticket, waiter)), Some((time, _))) = (queue.waiting.pop_first(), queue.place) else {
                return;
            };
            let from_reserve = self.used.saturating_add(waiter.units) > self.base;
            self.used += waiter.units;
            queue.used += waiter.units;
            queue.next = time.saturating_add(waiter.cost);
            queue.place = None;
            self.order.remove(&(time, ticket, Arc::clone(&tenant)));
            self.now = self.now.max(time);
            self.served.insert(ticket, Served { units: waiter.units, from_reserve });
            wakers.extend(waiter.waker);
            self.queue(&tenant);
        }
    }

    /// The next that can be served.
    fn next(&mut self) -> Option<(u64, u64, Arc<str>)> {
        let first = self.order.first()?;
        if self.used.saturating_add(self.units(&first.2)) <= self.base {
            self.overtaken = 0;
            return Some(first.clone());
        }
        if self.overtaken >= MAX_OVERTAKEN || self.used >= self.capacity {
            return None;
        }
        let may_take = |(_, _, tenant): &&(u64, u64, Arc<str>)| {
            let units = self.units(tenant);
            let held = self.tenants.get(tenant).map_or(0, |queue| queue.used);
            held.saturating_add(units) <= self.first && self.used.saturating_add(units) <= self.capacity
        };
        let next = self.order.iter().find(may_take).cloned()?;
        self.overtaken += 1;
        Some(next)
    }

    /// What the first waiter of a tenant waits for.
    fn units(&self, tenant: &str) -> u64 {
        let first = self.tenants.get(tenant).and_then(|queue| queue.waiting.first_key_value());
        first.map_or(0, |(_, waiter)| waiter.units)
    }

    fn give_back(&mut self, tenant: &Arc<str>, units: u64) {
        self.used = self.used.saturating_sub(units);
        if let Some(queue) = self.tenants.get_mut(tenant) {
            queue.used = queue.used.saturating_sub(units);
        }
        self.forget(tenant);
    }

    /// Removes a tenant that holds nothing and waits for nothing.
    fn forget(&mut self, tenant: &str) {
        if self.tenants.get(tenant).is_some_and(|queue| queue.used == 0 && queue.waiting.is_empty()) {
            self.tenants.remove(tenant);
        }
        if self.tenants.is_empty() {
            self.now = 0;
        }
    }
}

/// The wait for units. Whoever drops it leaves the queue.
pub(crate) struct Acquire {
    semaphore: FairSemaphore,
    tenant: Arc<str>,
    /// `None` once it has ended.
    ticket: Option<u64>,
}

impl Acquire {
    fn take(&mut self) -> Option<Permit> {
        let Served { units, from_reserve } = self.semaphore.lock().served.remove(&self.ticket?)?;
        self.ticket = None;
        let (semaphore, tenant) = (self.semaphore.clone(), Arc::clone(&self.tenant));
        Some(Permit { semaphore, tenant, units, from_reserve })
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        let Some(ticket) = self.ticket else { return Poll::Pending };
        let mut state = self.semaphore.lock();
        let waiter = state.tenants.get_mut(&self.tenant).and_then(|queue| queue.waiting.get_mut(&ticket));
        if let Some(waiter) = waiter {
            match &mut waiter.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => waiter.waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        drop(state);
        self.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut wakers = Vec::new();
        let mut state = self.semaphore.lock();
        match state.served.remove(&ticket) {
            Some(served) => state.give_back(&self.tenant, served.units),
            None => {
                if let Some(queue) = state.tenants.get_mut(&self.tenant) {
                    queue.waiting.remove(&ticket);
                }
                state.queue(&self.tenant);
                state.forget(&self.tenant);
            }
        }
        // It may have been the one for whom there was no room.
        state.serve(&mut wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Units that are held; given back when it is dropped.
pub(crate) struct Permit {
    semaphore: FairSemaphore,
    tenant: Arc<str>,
    units: u64,
    from_reserve: bool,
}

impl Permit {
    pub(crate) const fn units(&self) -> u64 {
        self.units
    }

    /// Whether others held all but the reserve when this was given.
    pub(crate) const fn is_from_reserve(&self) -> bool {
        self.from_reserve
    }

    /// Takes over another permit of the same tenant.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.units += std::mem::take(&mut other.units);
    }

    /// Gives back units until this many are left.
    pub(crate) fn shrink_to(&mut self, units: u64) {
        let excess = self.units.saturating_sub(units);
        self.units -= excess;
        self.semaphore.release(&self.tenant, excess);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.semaphore.release(&self.tenant, self.units);
    }
}

impl fmt::Debug for FairSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("FairSemaphore")
            .field("base", &state.base)
            .field("capacity", &state.capacity)
            .field("used", &state.used)
            .field("tenants", &state.tenants.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("units", &self.units).finish_non_exhaustive()
    }
}

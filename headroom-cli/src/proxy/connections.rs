//! Limits the number of connections.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections, in total and by client machine.
///
/// At the total, nothing is accepted until a connection ends: clients wait in the listener's backlog. One machine alone
/// cannot take all of them. Loopback is not counted by address, since everything on this machine shares one.
#[derive(Debug)]
pub(super) struct Connections {
    total: Arc<Semaphore>,
    peers: Arc<Peers>,
    is_full: AtomicBool,
}

#[derive(Debug)]
struct Peers {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's slot, freed when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _total: OwnedSemaphorePermit,
    _peer: Option<PeerPlace>,
}

#[derive(Debug)]
struct PeerPlace {
    peers: Arc<Peers>,
    address: IpAddr,
}

impl Connections {
    pub(super) fn new(limit: usize, limit_per_peer: usize) -> Self {
        Self {
            total: Arc::new(Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS))),
            peers: Arc::new(Peers { limit: limit_per_peer, open: Mutex::default() }),
            is_full: AtomicBool::new(false),
        }
    }

    /// Waits until there is room for another one.
    pub(super) async fn room(&self) -> OwnedSemaphorePermit {
        if let Ok(permit) = Arc::clone(&self.total).try_acquire_owned() {
            self.is_full.store(false, Ordering::Relaxed);
            return permit;
        }
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::warn!("max_connections reached; further connections wait");
        }
        match Arc::clone(&self.total).acquire_owned().await {
            Ok(permit) => permit,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// The slot of a connection from this peer; `None` if its machine has too many.
    pub(super) fn place(&self, room: OwnedSemaphorePermit, peer: SocketAddr) -> Option<Place> {
        let address = peer.ip().to_canonical();
        if address.is_loopback() {
            return Some(Place { _total: room, _peer: None });
        }
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.peers.limit {
            return None;
        }
        *count += 1;
        drop(open);
        let peer = PeerPlace { peers: Arc::clone(&self.peers), address };
        Some(Place { _total: room, _peer: Some(peer) })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_machine_cannot_take_every_place_and_places_come_free_again() {
        let connections = Connections::new(8, 2);
        let from =
            |peer: &'static str| async { connections.place(connections.room().await, peer.parse().unwrap()) };
        let (first, second) = (from("10.0.0.7:1").await, from("[::ffff:10.0.0.7]:2").await);
        assert!(first.is_some() && second.is_some());
        assert!(from("10.0.0.7:3").await.is_none(), "also as an IPv6 address");
        assert!(from("10.0.0.8:1").await.is_some());
        for _ in 0..3 {
            assert!(from("127.0.0.1:1").await.is_some());
        }
        drop(first);
        assert!(from("10.0.0.7:3").await.is_some());
        drop(second);
        assert!(
            connections.peers.open.lock().unwrap().is_empty(),
            "nothing is kept of machines that are gone"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_places_are_taken_the_next_one_waits() {
        let connections = Connections::new(1, 1);
        let place = connections.place(connections.room().await, ([127, 0, 0, 1], 1).into());
        let wait = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(wait, connections.room()).await.is_err());
        drop(place);
        assert!(tokio::time::timeout(wait, connections.room()).await.is_ok());
    }
}

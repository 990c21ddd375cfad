use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use crate::memory::{Memory, Meter};

/// Bounds the bytes of bodies that a gateway holds before the layer reads them, as when a protocol delivers a body in one
/// message. Clones share the bound.
///
/// It is beside the layer's own bound ([`max_buffered`](crate::PromptCompressionLayer::max_buffered)), so what waits for the
/// layer never waits for itself. What finds no room waits; one at a time may exceed the bound, so that something always arrives
/// completely. Without the feature `tokio` nothing waits.
///
/// # Example
///
/// ```
/// use std::{future::poll_fn, task::Poll};
/// use headroom_tower::ArrivalMemory;
///
/// # async fn read() {
/// let mut meter = ArrivalMemory::new(256 << 20).meter();
/// let mut bytes = 0;
/// poll_fn(|cx| meter.poll_room(bytes, cx)).await; // before each piece, with the bytes that are held so far
/// bytes += 16_384;
/// meter.clear(); // once they are not held any more
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ArrivalMemory(Memory);

/// Takes room in an [`ArrivalMemory`], and gives it back when it is dropped.
pub struct ArrivalMeter {
    memory: Memory,
    meter: Meter,
}

impl ArrivalMemory {
    /// Creates a bound of about this many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self(Memory::for_bodies(bytes))
    }

    /// Creates a meter for what arrives on one connection or stream.
    #[must_use]
    pub fn meter(&self) -> ArrivalMeter {
        ArrivalMeter { memory: self.0.clone(), meter: self.0.meter(&Arc::from("")) }
    }
}

impl ArrivalMeter {
    /// Waits for room for this many bytes, including those counted before.
    pub fn poll_room(&mut self, bytes: u64, cx: &mut Context<'_>) -> Poll<()> {
        self.meter.poll(bytes, cx)
    }

    /// Gives back all room.
    pub fn clear(&mut self) {
        self.meter = self.memory.meter(&Arc::from(""));
    }
}

impl fmt::Debug for ArrivalMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrivalMeter").field("memory", &self.memory).finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn has_room(meter: &mut ArrivalMeter, bytes: u64) -> bool {
        poll_fn(|cx| Poll::Ready(meter.poll_room(bytes, cx).is_ready())).await
    }

    #[tokio::test]
    async fn what_finds_no_room_waits_but_one() {
        let memory = ArrivalMemory::new(64 << 10);
        let [mut first, mut second, mut third] = [(); 3].map(|()| memory.meter());
        assert!(has_room(&mut first, 60 << 10).await);
        assert!(has_room(&mut second, 60 << 10).await, "one may exceed the bound");
        assert!(!has_room(&mut third, 60 << 10).await, "but no other");
        first.clear();
        assert!(has_room(&mut third, 60 << 10).await);
        drop((second, third));
        assert!(has_room(&mut first, 64 << 10).await, "all of it was given back");
    }
}

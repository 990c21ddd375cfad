//! Unbounded memory: without tokio nothing can wait.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;

#[derive(Clone, Debug, Default)]
pub(crate) struct Memory;

pub(crate) struct Meter;

pub(crate) struct Reserve;

#[derive(Clone, Debug)]
pub(crate) struct Reservation;

impl Memory {
    pub(crate) fn new(_: u64) -> Self {
        Self
    }

    pub(crate) fn for_bodies(_: u64) -> Self {
        Self
    }

    pub(crate) fn meter(&self, _: &Arc<str>) -> Meter {
        Meter
    }

    pub(crate) fn reserve(&self, _: &Arc<str>, _: u64) -> Reserve {
        Reserve
    }
}

impl Meter {
    pub(crate) fn poll(&mut self, _: u64, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    pub(crate) fn hold(&mut self, bytes: Bytes) -> Bytes {
        bytes
    }
}

impl Reserve {
    pub(crate) fn poll(&mut self, _: &mut Context<'_>) -> Poll<Reservation> {
        Poll::Ready(Reservation)
    }
}

impl Reservation {
    pub(crate) fn shrink_to_work_on(&self, _: u64) {}

    pub(crate) fn hold(&self, bytes: Bytes, _: u64) -> Bytes {
        bytes
    }
}

//! What a request waits for: originals of a conversation that goes on, and new ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};

use divan::{Bencher, counter::ItemsCount};
use headroom_core::Original;
use headroom_store::{DiskStore, OriginalStore};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// About 6 KB, as a log of a hundred lines is.
fn original(n: usize) -> Original {
    let line = |at: usize| {
        let id = (n * 100 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        format!("2026-11-20T10:00:{:02} worker-{} GET /api/items/{id} 200 {} ms\n", at % 60, at % 7, id % 300)
    };
    let content: String = (0..100).map(line).collect();
    Original::new(content)
}

fn batch(first: usize, size: usize) -> Vec<Original> {
    (first..first + size).map(original).collect()
}

fn setup() -> (TempDir, DiskStore, Runtime) {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::new(folder.path());
    (folder, store, Runtime::new().unwrap())
}

#[divan::bench(args = [1, 10, 100])]
fn put_what_is_there(bencher: Bencher<'_, '_>, size: usize) {
    let (_folder, store, runtime) = setup();
    runtime.block_on(store.put_many("a", batch(0, size))).unwrap();
    bencher
        .counter(ItemsCount::new(size))
        .with_inputs(|| batch(0, size))
        .bench_values(|batch| runtime.block_on(store.put_many("a", batch)).unwrap());
}

#[divan::bench(args = [1, 10, 100])]
fn put_new(bencher: Bencher<'_, '_>, size: usize) {
    let (_folder, store, runtime) = setup();
    let next = AtomicUsize::new(0);
    bencher
        .counter(ItemsCount::new(size))
        .with_inputs(|| batch(next.fetch_add(size, Ordering::Relaxed), size))
        .bench_values(|batch| runtime.block_on(store.put_many("a", batch)).unwrap());
}

/// By a process that has not seen them.
#[divan::bench(args = [100])]
fn put_what_another_process_stored(bencher: Bencher<'_, '_>, size: usize) {
    let (folder, store, runtime) = setup();
    runtime.block_on(store.put_many("a", batch(0, size))).unwrap();
    bencher
        .counter(ItemsCount::new(size))
        .with_inputs(|| (DiskStore::new(folder.path()), batch(0, size)))
        .bench_values(|(store, batch)| runtime.block_on(store.put_many("a", batch)).unwrap());
}

#[divan::bench]
fn get(bencher: Bencher<'_, '_>) {
    let (_folder, store, runtime) = setup();
    runtime.block_on(store.put_many("a", batch(0, 1))).unwrap();
    let handle = original(0).handle();
    bencher.bench(|| runtime.block_on(store.get("a", &handle)).unwrap().unwrap());
}

fn main() {
    divan::main();
}

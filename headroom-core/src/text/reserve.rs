//! Reserves capacity by extrapolation. A vector that grows by doubling may leave half of its capacity unused, and holds
//! its elements twice while it grows.

/// Estimates how many more elements follow after `seen` in the first `part` of a `whole`, with a margin.
pub(crate) fn expected(seen: usize, part: usize, whole: usize) -> usize {
    // In 128 bits, because the product of two lengths may not fit into a `usize`.
    let more = seen as u128 * whole.saturating_sub(part) as u128 / part.max(1) as u128;
    usize::try_from(more + more / 16).unwrap_or(seen).max(64)
}

/// Pushes an element. When the vector is full, reserves as many as the rest of the text will have at this rate.
#[inline]
pub(crate) fn push<T>(all: &mut Vec<T>, element: T, pos: usize, length: usize) {
    const SAMPLE: usize = 4096;
    if all.len() == all.capacity() && all.len() >= SAMPLE {
        all.reserve_exact(expected(all.len(), pos, length));
    }
    all.push(element);
}

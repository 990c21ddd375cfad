//! Room for as many elements as there will most likely be, since a vector that doubles may have half of it unused and
//! holds its elements twice while it grows.

/// How many more there will be after `seen` in the first `part` of a `whole`, and some to spare.
pub(crate) fn expected(seen: usize, part: usize, whole: usize) -> usize {
    // In 128 bits, since the product of two lengths may not fit into a `usize`.
    let more = seen as u128 * whole.saturating_sub(part) as u128 / part.max(1) as u128;
    usize::try_from(more + more / 16).unwrap_or(seen).max(64)
}

/// Adds an element, with room for as many as the rest of the text will have if it goes on like this.
#[inline]
pub(crate) fn push<T>(all: &mut Vec<T>, element: T, pos: usize, length: usize) {
    const SAMPLE: usize = 4096;
    if all.len() == all.capacity() && all.len() >= SAMPLE {
        all.reserve_exact(expected(all.len(), pos, length));
    }
    all.push(element);
}

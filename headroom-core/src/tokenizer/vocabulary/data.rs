//! The data that the vocabularies are made of. `data/README.md` says where it comes from.

/// The merges of `o200k_base` and `cl100k_base` by rank: two numbers for each, its parts. A part is a byte, or an earlier
/// merge counted from 256.
pub(super) static O200K: &[u8] = include_bytes!("data/o200k_base.merges");
pub(super) static CL100K: &[u8] = include_bytes!("data/cl100k_base.merges");

/// The classes of the characters from 128 on: for each run of characters the bits of its class, a byte, and its length, a
/// number.
pub(super) static CLASSES: &[u8] = include_bytes!("data/unicode.classes");

/// Takes a number in LEB128 from the start of the data.
pub(super) fn number(data: &mut &[u8]) -> Option<u32> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = data.split_first()?;
        *data = rest;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

/// Returns how many numbers the data has, if it has nothing else.
pub(super) fn numbers(data: &[u8]) -> usize {
    data.iter().filter(|byte| **byte & 0x80 == 0).count()
}

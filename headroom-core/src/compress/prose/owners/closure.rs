//! Completes a selection of units.

use super::Owners;

/// Selections that are tried although they do not fit.
const MAX_TRIES: usize = 4;

impl Owners {
    /// Keeps what stays regardless of its relevance, with what it needs.
    pub(in crate::compress::prose) fn keep_always(&self, kept: &mut [bool]) {
        for (kept, always) in kept.iter_mut().zip(&self.always) {
            *kept |= *always;
        }
        self.close(kept);
    }

    /// Keeps what the kept units need.
    pub(in crate::compress::prose) fn close(&self, kept: &mut [bool]) {
        let mut end = kept.len();
        while end > 0 {
            let mut start = end - 1;
            while start > 0 && self.joined.get(start) == Some(&true) {
                start -= 1;
            }
            if kept.get(start..end).is_some_and(|group| group.contains(&true)) {
                kept.get_mut(start..end).unwrap_or_default().fill(true);
                for owner in (start..end).flat_map(|unit| self.of_unit(unit)) {
                    if let Some(kept) = kept.get_mut(*owner) {
                        *kept = true;
                    }
                }
            }
            end = start;
        }
    }

    /// Keeps units in this order, each with what it needs, while they fit into so many bytes.
    pub(in crate::compress::prose) fn fill(
        &self,
        kept: &mut [bool],
        order: impl Iterator<Item = usize>,
        mut room: usize,
    ) {
        let mut seen: Vec<u32> = vec![0; kept.len()];
        let mut found = Vec::new();
        let mut failed = 0;
        for (number, unit) in (1..).zip(order) {
            match self.needed(unit, kept, (&mut seen, number), &mut found, room) {
                Some(bytes) => {
                    room -= bytes;
                    for unit in &found {
                        if let Some(kept) = kept.get_mut(*unit) {
                            *kept = true;
                        }
                    }
                }
                None => failed += 1,
            }
            if failed >= MAX_TRIES {
                break;
            }
        }
    }

    /// Finds what a unit needs that is not kept, and returns its bytes if they fit.
    fn needed(
        &self,
        unit: usize,
        kept: &[bool],
        (seen, number): (&mut [u32], u32),
        found: &mut Vec<usize>,
        room: usize,
    ) -> Option<usize> {
        found.clear();
        let mut open = vec![unit];
        let mut bytes = 0_usize;
        while let Some(unit) = open.pop() {
            let Some(seen) = seen.get_mut(unit).filter(|seen| **seen != number) else { continue };
            *seen = number;
            if kept.get(unit) != Some(&false) {
                continue;
            }
            bytes += self.bytes.get(unit).copied().unwrap_or_default();
            if bytes > room {
                return None;
            }
            found.push(unit);
            open.extend(self.of_unit(unit));
            if self.joined.get(unit) == Some(&true) {
                open.extend(unit.checked_sub(1));
            }
            if self.joined.get(unit + 1) == Some(&true) {
                open.push(unit + 1);
            }
        }
        Some(bytes)
    }

    fn of_unit(&self, unit: usize) -> &[usize] {
        let from = unit.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(unit).and_then(|end| self.owners.get(from..*end)).unwrap_or_default()
    }
}

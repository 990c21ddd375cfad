//! Finds what says that tests passed.

use crate::{
    records::Structure,
    relevance::{
        features::{LineFeatures, PASSED},
        severity::Severity,
    },
};

/// Marks lines that say that tests passed, and lines to which only such lines belong, as the name of a suite.
pub(super) fn passed(features: &LineFeatures, structure: &Structure<'_>) -> Vec<bool> {
    let mut passed: Vec<bool> = features.rows.iter().map(|row| row.progress == PASSED).collect();
    if !passed.contains(&true) {
        return passed;
    }
    let mut owns = vec![false; passed.len()];
    let mut owns_other = vec![false; passed.len()];
    for line in (0..passed.len()).rev() {
        let is_suite = owns.get(line) == Some(&true) && owns_other.get(line) == Some(&false);
        let is_plain = features.rows.get(line).is_some_and(|row| row.severity == Severity::None);
        let other = owns_other.get(line) == Some(&true);
        let Some(own) = passed.get_mut(line) else { continue };
        *own = *own && !other || is_suite && is_plain;
        let own = *own;
        let Some(owner) = structure.owner(line).filter(|owner| *owner < line) else { continue };
        let marks = if own { &mut owns } else { &mut owns_other };
        if let Some(mark) = marks.get_mut(owner) {
            *mark = true;
        }
    }
    passed
}

//! What may still be spent.

/// A limit in dollars.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    left: Option<f64>,
    /// The highest cost of one arm of a pair so far.
    dearest: f64,
}

impl Budget {
    pub(super) const fn new(dollars: Option<f64>) -> Self {
        Self { left: dollars, dearest: 0.0 }
    }

    pub(super) fn spend(&mut self, dollars: f64) {
        self.dearest = self.dearest.max(dollars);
        self.left = self.left.map(|left| left - dollars);
    }

    /// Whether another pair fits the budget if it costs no more than the most expensive so far.
    pub(super) fn has_room(&self) -> bool {
        self.left.is_none_or(|left| left > 2.0 * self.dearest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_before_it_is_overdrawn() {
        let mut budget = Budget::new(Some(1.0));
        for spent in [0.2, 0.3] {
            assert!(budget.has_room());
            budget.spend(spent);
        }
        assert!(!budget.has_room(), "half is left, and a pair may cost 0.6");
        budget = Budget { left: None, dearest: 9.0 };
        budget.spend(100.0);
        assert!(budget.has_room(), "there is no bound");
    }
}

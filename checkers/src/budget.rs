//! A budget of steps for searches that may be long. Steps, not seconds: a verdict must not depend
//! on how fast the machine is.

/// How many steps a search may take before it says *not judged*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Steps left.
    pub steps: u64,
}

impl Default for Budget {
    /// About a minute of search on one core.
    fn default() -> Self {
        Self { steps: 200_000_000 }
    }
}

impl Budget {
    /// Takes one step; false when there are none left.
    pub fn step(&mut self) -> bool {
        let left = self.steps > 0;
        self.steps = self.steps.saturating_sub(1);
        left
    }
}

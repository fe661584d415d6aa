//! What several checkers need to know about a history, found once.

use histories::History;

/// A history with its indexes.
#[derive(Debug)]
pub struct Facts<'h> {
    history: &'h History,
}

impl<'h> Facts<'h> {
    /// Indexes `history`.
    pub fn new(history: &'h History) -> Self {
        Self { history }
    }

    /// The history itself.
    pub fn history(&self) -> &'h History {
        self.history
    }
}

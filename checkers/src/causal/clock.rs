//! Vector clocks that share what they have in common.
//!
//! ```text
//!   clock of c7      block 0 ─┐   block 3 ──▶ [0 0 5 …]
//!   clock of c8      block 0 ─┴─▶ [4 7 0 …]                 blocks 1 and 2: all zero, not stored
//! ```
//!
//! A clock has one column for each session that writes, and each timeout makes a new session: of
//! 100 000 columns most are 0 or the same in all clocks. So columns stand in blocks, clocks share equal
//! blocks, and a block is copied when one of them changes it.

use std::rc::Rc;

/// Columns in one block.
const BLOCK: usize = 64;

/// What is known of each session that writes: the position of its newest known write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    /// Number and columns of each block that is not all 0, in order.
    blocks: Vec<(u32, Rc<[u32; BLOCK]>)>,
}

impl Clock {
    /// The position of the newest known write of this column's session; 0 if none is known.
    pub(crate) fn get(&self, column: u32) -> u32 {
        let (number, place) = (column / BLOCK as u32, column as usize % BLOCK);
        self.find(number, 0).map_or(0, |at| self.blocks[at].1[place])
    }

    /// Learns of a write.
    pub(super) fn set(&mut self, column: u32, position: u32) {
        let (number, place) = (column / BLOCK as u32, column as usize % BLOCK);
        let at = self.find(number, 0).unwrap_or_else(|at| {
            self.blocks.insert(at, (number, Rc::new([0; BLOCK])));
            at
        });
        Rc::make_mut(&mut self.blocks[at].1)[place] = position;
    }

    /// Learns all that the other knows.
    pub(super) fn join(&mut self, other: &Self) {
        if self.blocks.is_empty() {
            self.blocks.clone_from(&other.blocks);
            return;
        }
        let mut from = 0;
        for (number, theirs) in &other.blocks {
            match self.find(*number, from) {
                Ok(at) => {
                    join(&mut self.blocks[at].1, theirs);
                    from = at + 1;
                }
                Err(at) => {
                    self.blocks.insert(at, (*number, theirs.clone()));
                    from = at + 1;
                }
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
    }

    // The place of a block, which is not before `from`. Most clocks lack no block, or none so far.
    fn find(&self, number: u32, from: usize) -> Result<usize, usize> {
        for guess in [number as usize, from] {
            if self.blocks.get(guess).is_some_and(|(found, _)| *found == number) {
                return Ok(guess);
            }
        }
        let place = self.blocks[from..].binary_search_by_key(&number, |(number, _)| *number);
        place.map(|at| at + from).map_err(|at| at + from)
    }
}

fn join(mine: &mut Rc<[u32; BLOCK]>, theirs: &Rc<[u32; BLOCK]>) {
    if Rc::ptr_eq(mine, theirs) {
        return;
    }
    let pairs = || mine.iter().zip(theirs.iter());
    if pairs().all(|(mine, theirs)| mine >= theirs) {
        return;
    }
    if pairs().all(|(mine, theirs)| mine <= theirs) {
        *mine = theirs.clone();
        return;
    }
    for (mine, theirs) in Rc::make_mut(mine).iter_mut().zip(theirs.iter()) {
        *mine = (*mine).max(*theirs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(known: &[(u32, u32)]) -> Clock {
        let mut clock = Clock::default();
        known.iter().for_each(|(column, position)| clock.set(*column, *position));
        clock
    }

    #[test]
    fn a_joined_clock_knows_what_both_knew_and_changes_neither() {
        let mine = clock(&[(700, 3), (0, 5), (64, 1)]);
        let theirs = clock(&[(1, 2), (0, 4), (65, 9), (90_000, 7)]);
        let mut both = mine.clone();
        both.join(&theirs);
        both.set(0, 6);
        let columns = [0, 1, 64, 65, 66, 700, 90_000, 200_000];
        assert_eq!(columns.map(|column| both.get(column)), [6, 2, 1, 9, 0, 3, 7, 0]);
        assert_eq!(columns.map(|column| mine.get(column)), [5, 0, 1, 0, 0, 3, 0, 0]);
        assert_eq!(columns.map(|column| theirs.get(column)), [4, 2, 0, 9, 0, 0, 7, 0]);
    }
}

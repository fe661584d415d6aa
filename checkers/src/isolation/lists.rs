//! Many short lists of numbers in two flat arrays.
//!
//! ```text
//!   lists [7 9] [] [4]      first 0 2 2 3      items 7 9 4
//! ```

use std::ops::Range;

/// Lists, numbered from 0. Four bytes an item and four a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    first: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Sorts items into `count` lists; within a list they keep their order. `each` must hand out the same
    /// pairs of list and item whenever it is called. O(items + lists).
    pub(crate) fn new(count: usize, each: impl Fn(&mut dyn FnMut(u32, u32))) -> Self {
        let mut first = vec![0_u32; count + 1];
        each(&mut |list, _| first[list as usize + 1] += 1);
        for list in 0..count {
            first[list + 1] += first[list];
        }
        let mut items = vec![0; first[count] as usize];
        let mut next = first.clone();
        each(&mut |list, item| {
            let place = &mut next[list as usize];
            items[*place as usize] = item;
            *place += 1;
        });
        Self { first, items }
    }

    /// Lists that are filled one after another by [`Lists::push_sorted`].
    pub(crate) fn with_capacity(count: usize, items: usize) -> Self {
        let mut first = Vec::with_capacity(count + 1);
        first.push(0);
        Self { first, items: Vec::with_capacity(items) }
    }

    /// Adds a sorted list without its repetitions.
    pub(crate) fn push_sorted(&mut self, scratch: &mut Vec<u32>) {
        scratch.sort_unstable();
        scratch.dedup();
        self.items.append(scratch);
        self.first.push(self.items.len() as u32);
    }

    #[inline]
    pub(crate) fn get(&self, list: usize) -> &[u32] {
        &self.items[self.range(list)]
    }

    /// Where a list stands among all items.
    #[inline]
    pub(crate) fn range(&self, list: usize) -> Range<usize> {
        self.first[list] as usize..self.first[list + 1] as usize
    }

    /// How many items there are in all lists.
    pub(crate) fn item_count(&self) -> usize {
        self.items.len()
    }

    /// Read as who comes after each: every number after those before it. None if they go round in a circle.
    pub(crate) fn topological(&self) -> Option<Vec<u32>> {
        let mut waiting = vec![0_u32; self.len()];
        self.items.iter().for_each(|later| waiting[*later as usize] += 1);
        let is_first = |number: &u32| waiting[*number as usize] == 0;
        let mut order: Vec<u32> = (0..self.len() as u32).filter(is_first).collect();
        let mut next = 0;
        while next < order.len() {
            for later in self.get(order[next] as usize) {
                waiting[*later as usize] -= 1;
                if waiting[*later as usize] == 0 {
                    order.push(*later);
                }
            }
            next += 1;
        }
        (order.len() == self.len()).then_some(order)
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len().saturating_sub(1)
    }
}

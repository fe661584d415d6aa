//! Many short lists of numbers in two flat arrays.
//!
//! ```text
//!   lists [7 9] [] [4]      first 0 2 2 3      items 7 9 4
//! ```

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
        &self.items[self.first[list] as usize..self.first[list + 1] as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.first.len().saturating_sub(1)
    }
}

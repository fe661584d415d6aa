//! Many short lists in one allocation: a list of a million lists costs two vectors, not a million.

/// Many short lists in one allocation.
#[derive(Debug)]
pub(super) struct Groups<T> {
    offsets: Vec<u32>,
    items: Vec<T>,
}

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self { offsets: vec![0], items: Vec::new() }
    }
}

impl<T: Copy> Groups<T> {
    /// Groups pairs of a group's number and an item; the order within a group is kept. Asks for the
    /// pairs twice: once to count, once to place.
    pub(super) fn new<I>(groups: usize, pairs: impl Fn() -> I) -> Self
    where
        I: Iterator<Item = (usize, T)>,
    {
        let mut sizes = vec![0; groups];
        let mut any = None;
        for (group, item) in pairs() {
            sizes[group] += 1;
            any = Some(item);
        }
        let Some(any) = any else { return Self { offsets: vec![0; groups + 1], items: Vec::new() } };
        let mut grouped = Self::with_sizes(sizes.iter().copied(), any);
        let mut next: Vec<u32> = grouped.offsets.clone();
        for (group, item) in pairs() {
            grouped.items[next[group] as usize] = item;
            next[group] += 1;
        }
        grouped
    }

    /// Groups other items for which the sizes are the same, asking for each once.
    pub(super) fn alike<U: Copy>(&self, any: U, pairs: impl Iterator<Item = (usize, U)>) -> Groups<U> {
        let mut items = vec![any; self.items.len()];
        let mut next = self.offsets.clone();
        for (group, item) in pairs {
            items[next[group] as usize] = item;
            next[group] += 1;
        }
        Groups { offsets: self.offsets.clone(), items }
    }

    pub(super) fn with_sizes(sizes: impl Iterator<Item = usize>, fill: T) -> Self {
        let mut offsets = vec![0];
        let mut total = 0;
        for size in sizes {
            total += size;
            offsets.push(u32::try_from(total).expect("more items than 32 bits can number"));
        }
        Self { offsets, items: vec![fill; total] }
    }

    /// Where the items of a group are among all items.
    pub(super) fn range(&self, group: usize) -> std::ops::Range<usize> {
        self.offsets[group] as usize..self.offsets[group + 1] as usize
    }

    pub(super) fn get(&self, group: usize) -> &[T] {
        &self.items[self.range(group)]
    }

    /// Puts each item to its place among all items.
    pub(super) fn put(&mut self, items: &[(usize, T)]) {
        items.iter().for_each(|(place, item)| self.items[*place] = *item);
    }
}

//! Many texts in one allocation.

/// A growable list of byte strings, stored end to end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strings {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Strings {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a list apart as [`Strings::ends`] and [`Strings::bytes`] gave it.
    ///
    /// Returns nothing when the ends do not rise, or the last is not the length of the bytes.
    #[must_use]
    pub fn from_parts(ends: Vec<u32>, bytes: Vec<u8>) -> Option<Self> {
        let rising = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let last = ends.last().copied().unwrap_or(0) as usize;
        (rising && last == bytes.len()).then_some(Self { ends, bytes })
    }

    /// Appends a string.
    ///
    /// # Panics
    /// When the list would hold more than 4 GiB; every caller bounds it far below that.
    pub fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        let end = u32::try_from(self.bytes.len()).expect("a string list stays below 4 GiB");
        self.ends.push(end);
    }

    /// Removes the last string, if there is one.
    pub fn pop(&mut self) {
        if self.ends.pop().is_some() {
            self.bytes.truncate(self.ends.last().copied().unwrap_or(0) as usize);
        }
    }

    /// The string at `index`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// How many strings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + Clone + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Where each string ends in [`Strings::bytes`].
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// All strings, end to end.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of memory behind it.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.ends.capacity() * 4 + self.bytes.capacity()
    }

    /// Removes every string and keeps the memory.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.bytes.clear();
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Strings {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut strings = Self::new();
        values.into_iter().for_each(|value| strings.push(value.as_ref()));
        strings
    }
}

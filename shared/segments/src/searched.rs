//! The searched texts of symbols, end to end, so that one pass finds a needle in all of them.

use memchr::memmem::Finder;

use crate::row::Texts;

/// Stands behind each text, so that nothing is found across two. No UTF-8 text holds it.
const BETWEEN: u8 = 0xff;

/// The searched texts of symbols, by the order in which these were put.
#[derive(Debug, Default)]
pub(crate) struct SearchedTexts {
    texts: Vec<u8>,
    /// Where those of each symbol end.
    ends: Vec<usize>,
}

impl SearchedTexts {
    /// Puts the texts of the next symbol.
    pub(crate) fn push(&mut self, texts_of: Texts, symbol: &[u8]) {
        let texts = &mut self.texts;
        texts_of(symbol, &mut |text| {
            texts.extend_from_slice(text);
            texts.push(BETWEEN);
        });
        self.ends.push(self.texts.len());
    }

    /// Drops all texts, and keeps their memory for others.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.ends.clear();
    }

    /// Puts the numbers of the symbols in whose texts a needle is found into `found`, counted from `first`.
    pub(crate) fn find(&self, finder: &Finder<'_>, first: u32, found: &mut Vec<u32>) {
        let mut start = 0;
        while let Some(place) = self.texts.get(start..).and_then(|rest| finder.find(rest)) {
            let index = self.ends.partition_point(|end| *end <= start + place);
            // An empty needle is found behind the last symbol too, which has no number.
            let (Some(end), Ok(number)) = (self.ends.get(index), u32::try_from(index)) else { break };
            found.push(first.saturating_add(number));
            start = *end;
        }
    }

    /// Bytes of memory.
    pub(crate) fn weight(&self) -> usize {
        self.texts.capacity() + size_of::<usize>() * self.ends.capacity()
    }
}

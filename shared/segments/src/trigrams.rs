//! Which three bytes in a row texts have: what is not among them is in no text, so none has to be read.

use roaring::RoaringBitmap;

use crate::Error;
use crate::bitmap::{deserialize, serialize};
use crate::slices::Slices;

pub(crate) const WHAT: &str = "a set of trigrams";
/// How many there may be.
const ALL: usize = 1 << 24;

/// The trigrams of some texts. A text has all trigrams of whatever is found in it.
#[derive(Debug, PartialEq)]
pub(crate) struct Trigrams(RoaringBitmap);

/// Collects the trigrams of texts.
pub(crate) struct Collector {
    /// A bit for each that there may be: texts have hundreds of bytes for each trigram that is new.
    bits: Vec<u8>,
}

impl Collector {
    pub(crate) fn new() -> Self {
        Self { bits: vec![0; ALL / 8] }
    }

    /// Adds those of a text. What is searched for is never found across two texts, so neither is a trigram.
    pub(crate) fn add(&mut self, text: &[u8]) {
        for trigram in trigrams(text) {
            self.bits[trigram / 8] |= 1 << (trigram % 8);
        }
    }

    pub(crate) fn finish(self) -> Trigrams {
        let mut found = RoaringBitmap::from_lsb0_bytes(0, &self.bits);
        found.optimize();
        Trigrams(found)
    }
}

impl Trigrams {
    /// Those of a column of texts.
    pub(crate) fn of(texts: &Slices) -> Self {
        let mut collector = Collector::new();
        texts.iter().for_each(|text| collector.add(text));
        collector.finish()
    }

    /// Whether a text may contain these bytes. False: none does.
    pub(crate) fn may_contain(&self, needle: &[u8]) -> bool {
        trigrams(needle).all(|trigram| u32::try_from(trigram).is_ok_and(|trigram| self.0.contains(trigram)))
    }

    /// What [`Self::decode`] reads.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serialize(&self.0)
    }

    /// What [`Self::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        deserialize(bytes, WHAT).map(Self)
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        self.0.serialized_size()
    }
}

fn trigrams(text: &[u8]) -> impl Iterator<Item = usize> {
    text.windows(3).map(|bytes| bytes.iter().fold(0, |trigram, byte| trigram << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Trigrams {
        let mut slices = Slices::default();
        for text in texts {
            slices.push(text.as_bytes(), "texts").unwrap();
        }
        let trigrams = Trigrams::of(&slices);
        assert_eq!(Trigrams::decode(&trigrams.encode()).unwrap(), trigrams);
        trigrams
    }

    #[test]
    fn whatever_part_a_text_has_it_may_contain() {
        let text = "{\"name\":\"object 42\",\"größe\":1.5}";
        let trigrams = of(&["", "x", text]);
        for start in 0..text.len() {
            for end in start..=text.len() {
                assert!(trigrams.may_contain(&text.as_bytes()[start..end]), "{start} {end}");
            }
        }
    }

    #[test]
    fn nothing_is_in_two_texts_together() {
        let trigrams = of(&["one", "two"]);
        assert!(!trigrams.may_contain(b"onetwo"));
        assert!(!trigrams.may_contain(b"net"));
        assert!(!trigrams.may_contain(b"onx"));
    }

    #[test]
    fn what_has_no_trigram_may_be_anywhere() {
        let trigrams = of(&[]);
        assert!(trigrams.may_contain(b"ab"));
        assert!(!trigrams.may_contain(b"abc"));
    }
}

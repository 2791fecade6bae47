//! Finding texts inside of texts, of which only fingerprints are known.
//!
//! A sum over as many bytes as the text has runs along what is searched, as Rabin and Karp do it; where it is the one that
//! is sought, the digest decides. Letters of ASCII are the same in both cases, and what is found begins and ends with a word.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::json::Json;

/// The base of sums: FNV's prime, which is odd.
const BASE: u32 = 0x0100_0193;

/// What a text is known again by that cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// How many bytes the text has.
    pub length: u32,
    /// A sum over its bytes, which tells nearly every other text apart.
    pub sum: u32,
    /// The first 128 bits of the SHA-256 of the key and the text, in hexadecimal.
    pub digest: String,
}

impl Fingerprint {
    /// That of a text, whose letters of ASCII may be of either case.
    pub(super) fn of(key: &str, text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let length = u32::try_from(lower.len()).unwrap_or(u32::MAX);
        Self { length, sum: sum(lower.as_bytes()), digest: digest(key, lower.as_bytes()) }
    }

    /// Whether it is that of a text in lower case whose length and sum are the same.
    pub(super) fn is_of(&self, key: &str, lower: &str) -> bool {
        digest(key, lower.as_bytes()) == self.digest
    }
}

fn digest(key: &str, lower: &[u8]) -> String {
    let digest = Sha256::new().chain_update(key.as_bytes()).chain_update(lower).finalize();
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| next(sum, *byte))
}

fn next(sum: u32, byte: u8) -> u32 {
    sum.wrapping_mul(BASE).wrapping_add(u32::from(byte))
}

/// A text that is sought.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    length: usize,
    sum: u32,
    known_by: KnownBy,
}

#[derive(Clone, Debug)]
enum KnownBy {
    Digest {
        key: String,
        digest: String,
    },
    /// In lower case.
    Text(String),
}

impl Sought {
    pub(super) fn keyed(key: &str, fingerprint: &Fingerprint) -> Self {
        let Fingerprint { length, sum, digest } = fingerprint;
        let known_by = KnownBy::Digest { key: key.to_owned(), digest: digest.clone() };
        Self { length: *length as usize, sum: *sum, known_by }
    }

    pub(super) fn text(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        Self { length: lower.len(), sum: sum(lower.as_bytes()), known_by: KnownBy::Text(lower) }
    }

    fn is(&self, lower: &[u8]) -> bool {
        match &self.known_by {
            KnownBy::Digest { key, digest: known } => digest(key, lower) == *known,
            KnownBy::Text(text) => text.as_bytes() == lower,
        }
    }
}

/// Texts that are sought, each with what takes its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(BTreeMap<usize, Vec<(Sought, String)>>);

impl Patterns {
    pub(super) fn add(&mut self, sought: Sought, replacement: &str) {
        if sought.length > 0 {
            self.0.entry(sought.length).or_default().push((sought, replacement.to_owned()));
        }
    }

    /// A text without what is sought; none where nothing of it is in there.
    pub(super) fn replaced(&self, text: &str) -> Option<String> {
        let lower = text.to_ascii_lowercase();
        let mut found: Vec<(usize, usize, &str)> = Vec::new();
        for (length, sought) in &self.0 {
            find(lower.as_bytes(), *length, sought, &mut found);
        }
        if found.is_empty() {
            return None;
        }
        // Of two that begin at the same place the longer one counts.
        found.sort_by_key(|(start, length, _)| (*start, std::cmp::Reverse(*length)));
        let (mut without, mut end) = (String::with_capacity(text.len()), 0);
        for (start, length, replacement) in found {
            if start < end {
                continue;
            }
            // What was found is whole characters, so both places are between two.
            without.push_str(text.get(end..start)?);
            without.push_str(replacement);
            end = start + length;
        }
        without.push_str(text.get(end..)?);
        (without != text).then_some(without)
    }

    /// The same of a value: in its texts, in the names of its members, and where a number is what is sought.
    pub(super) fn replaced_in(&self, value: &Json) -> Option<Json> {
        let text = value.as_str();
        // Between the quotes stands what is sought as it is, but for what JSON escapes.
        if !text.contains('\\') && self.replaced(text).is_none() {
            return None;
        }
        let mut without = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((token, after)) = next_token(rest) {
            match token.strip_prefix('"') {
                Some(_) => without.push_str(self.replaced_string(token).as_deref().unwrap_or(token)),
                None => match self.replacement_of(token) {
                    Some(replacement) => without.push_str(Json::from(replacement).as_str()),
                    None => without.push_str(token),
                },
            }
            rest = after;
        }
        // Names of members may stand in another order now.
        Json::parse(&without).filter(|without| without != value)
    }

    /// What takes the place of a text that is sought as a whole.
    fn replacement_of(&self, text: &str) -> Option<&str> {
        let lower = text.to_ascii_lowercase();
        let (_, replacement) = self.0.get(&lower.len())?.iter().find(|(sought, _)| sought.is(lower.as_bytes()))?;
        Some(replacement)
    }

    /// A string of JSON, with its quotes.
    fn replaced_string(&self, token: &str) -> Option<String> {
        let content: String = serde_json::from_str(token).ok()?;
        Some(Json::from(self.replaced(&content)?.as_str()).as_str().to_owned())
    }
}

/// Finds what has one length.
fn find<'a>(lower: &[u8], length: usize, sought: &'a [(Sought, String)], found: &mut Vec<(usize, usize, &'a str)>) {
    if lower.len() < length {
        return;
    }
    // What the first byte counts for in a sum over so many.
    let first_counts = (1..length).fold(1_u32, |power, _| power.wrapping_mul(BASE));
    let mut running = sum(&lower[..length]);
    for start in 0..=lower.len() - length {
        if start > 0 {
            let gone = first_counts.wrapping_mul(u32::from(lower[start - 1]));
            running = next(running.wrapping_sub(gone), lower[start + length - 1]);
        }
        let alike = sought.iter().filter(|(sought, _)| sought.sum == running);
        for (sought, replacement) in alike {
            if is_bounded(lower, start, length) && sought.is(&lower[start..start + length]) {
                found.push((start, length, replacement));
            }
        }
    }
}

/// Whether a part of a text begins and ends where its words do.
fn is_bounded(text: &[u8], start: usize, length: usize) -> bool {
    let end = start + length;
    let joins = |one: usize, other: usize| {
        text.get(one).is_some_and(|byte| is_of_word(*byte)) && text.get(other).is_some_and(|byte| is_of_word(*byte))
    };
    let joins_before = start > 0 && joins(start - 1, start);
    !joins_before && !joins(end - 1, end)
}

/// Letters and digits; outside of ASCII, everything.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// The first token of compact JSON, and what comes behind it: a string, a sign, or what stands between these.
fn next_token(text: &str) -> Option<(&str, &str)> {
    let first = text.chars().next()?;
    let end = match first {
        '"' => {
            let mut is_escaped = false;
            let closing = text.char_indices().skip(1).find(|(_, letter)| {
                let closes = *letter == '"' && !is_escaped;
                is_escaped = *letter == '\\' && !is_escaped;
                closes
            });
            closing.map_or(text.len(), |(place, _)| place + 1)
        }
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => text.find(['{', '}', '[', ']', ',', ':', '"']).unwrap_or(text.len()),
    };
    text.split_at_checked(end)
}

//! What holds of the code as a whole: who may import whom, between crates and between the files of each, and who may ask
//! whom.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arrows;
mod circles;
mod rights;

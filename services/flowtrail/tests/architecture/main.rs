//! What holds of the code as a whole: who may import whom, between crates and between the files of each.

mod arrows;
mod circles;

//! Answers: JSON in one piece or in many, and every refusal.

pub(crate) mod encoding;
pub(crate) mod json;
pub(crate) mod packing;
pub(crate) mod pieces;
pub(crate) mod refusal;

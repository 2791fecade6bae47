//! The flowtrail binary.
fn main() {}

//! The store as its callers see it: compared with a plain list, under readers and writers at once, damaged, and short of memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod against_a_list;
mod by_id;
mod closed;
mod damage;
mod disk;
mod few;
mod following;
mod judged;
mod large;
mod limits;
mod memory;
mod model;
mod scan;
mod simple;
mod together;

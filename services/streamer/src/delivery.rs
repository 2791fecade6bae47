//! Delivery of one integration's events, over its life.
//!
//! [`Keeper`] runs a worker while events are to be delivered; `run` is the worker's loop; `begin`, `gather` and `finish`
//! are its three parts; `verdict` says what an attempt means and `backoff` how long to wait for the next one.

mod backoff;
mod begin;
mod finish;
mod gather;
mod keeper;
mod run;
mod verdict;
mod worker;

pub(crate) use self::keeper::Keeper;

//! Delivery: what the streamer does for one integration, and how it is asked about that.

mod ask;
mod state;

pub use ask::{
    Change, DeadLetters, History, Letter, Letters, Progress, Question, Shown, Status, StatusOf, Test, TestOf, Tested,
};
pub use state::{
    Data, EventPlace, Failure, Guarantee, Guaranteed, Missing, Plan, Recorded, Redrive, Standing, State, Step,
    dead_letter_view,
};

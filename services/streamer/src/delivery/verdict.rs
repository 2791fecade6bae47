//! What an attempt means: what is done, what becomes a dead letter, what is tried again, and when.

use std::time::Duration;

use crate::sink::{Failure, Outcome};

/// What is to be done after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The items that go with the next attempt, by their index in this one.
    pub(crate) again: Vec<usize>,
    /// The items that never arrive, with the reason.
    pub(crate) letters: Vec<(usize, String)>,
    /// How many items never arrive, without anyone knowing which, with the reason.
    pub(crate) unnamed: Option<(usize, String)>,
    /// How many arrived.
    pub(crate) delivered: usize,
    /// What went wrong, the worst of it.
    pub(crate) failure: Option<Failure>,
    /// What comes next.
    pub(crate) next: Next,
}

/// What comes after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: every item is done.
    Done,
    /// Another attempt, after a while.
    Wait {
        /// How long the receiver wants to be left alone.
        asked: Option<Duration>,
    },
    /// Another attempt at once: the receiver is there, and what it refused is no longer part of the batch.
    Again,
    /// Another batch of half the size.
    Split,
    /// Nothing until a person changes something.
    Stop,
}

/// What an attempt with `count` items means.
pub(crate) fn of(outcome: Outcome, count: usize) -> Verdict {
    match outcome {
        Outcome::Delivered => {
            let (again, letters) = (Vec::new(), Vec::new());
            Verdict { again, letters, unnamed: None, delivered: count, failure: None, next: Next::Done }
        }
        Outcome::Failed(failure) => whole(failure, count),
        Outcome::Partly(failures) => partly(failures, count),
        Outcome::SomeRefused { count: refused, status, reason } => {
            let (again, letters) = (Vec::new(), Vec::new());
            let (unnamed, delivered) = (Some((refused, reason.clone())), count.saturating_sub(refused));
            let failure = Some(Failure::Refused { status, reason });
            Verdict { again, letters, unnamed, delivered, failure, next: Next::Done }
        }
    }
}

/// A batch that is too large, or refused for what is in it, is cut in half until it is known which item is to blame.
/// Nothing arrives twice by that: the receiver took none of it.
fn whole(failure: Failure, count: usize) -> Verdict {
    let all = || (0..count).collect();
    let (again, letters, next) = match &failure {
        Failure::TooLarge | Failure::Refused { .. } if count > 1 => (all(), Vec::new(), Next::Split),
        Failure::TooLarge | Failure::Refused { .. } => (Vec::new(), vec![(0, failure.to_string())], Next::Done),
        Failure::Retry { after, .. } => (all(), Vec::new(), Next::Wait { asked: *after }),
        Failure::Untried => (all(), Vec::new(), Next::Wait { asked: None }),
        Failure::Stop { .. } => (all(), Vec::new(), Next::Stop),
    };
    Verdict { again, letters, unnamed: None, delivered: 0, failure: Some(failure), next }
}

fn partly(failures: Vec<(usize, Failure)>, count: usize) -> Verdict {
    let delivered = count.saturating_sub(failures.len());
    let (mut again, mut letters, mut worst, mut next) = (Vec::new(), Vec::new(), None, Next::Done);
    for (index, failure) in failures {
        next = match (&failure, next) {
            (Failure::TooLarge | Failure::Refused { .. }, next) => {
                letters.push((index, failure.to_string()));
                worst.get_or_insert(failure);
                next
            }
            // What a person must mend outweighs what passes by itself: waiting would not help the rest either.
            (Failure::Stop { .. }, _) => {
                again.push(index);
                worst = Some(failure);
                Next::Stop
            }
            (Failure::Retry { .. } | Failure::Untried, Next::Stop) => {
                again.push(index);
                Next::Stop
            }
            (Failure::Retry { after, .. }, next) => {
                let asked = [*after, asked_before(next)].into_iter().flatten().max();
                again.push(index);
                worst = Some(failure);
                Next::Wait { asked }
            }
            // It waits for what it waits for; for an item that is refused, there is nothing to wait for.
            (Failure::Untried, next) => {
                again.push(index);
                if matches!(next, Next::Done) { Next::Again } else { next }
            }
        };
    }
    // At once only where something was done: what is as it was would be tried without end.
    if next == Next::Again && again.len() == count {
        next = Next::Wait { asked: None };
    }
    Verdict { again, letters, unnamed: None, delivered, failure: worst, next }
}

fn asked_before(next: Next) -> Option<Duration> {
    match next {
        Next::Wait { asked } => asked,
        Next::Done | Next::Again | Next::Split | Next::Stop => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(seconds: Option<u64>) -> Failure {
        Failure::Retry { after: seconds.map(Duration::from_secs), status: Some(503), reason: "busy".to_owned() }
    }

    fn refused() -> Failure {
        Failure::Refused { status: Some(400), reason: "bad".to_owned() }
    }

    fn stop() -> Failure {
        Failure::Stop { status: Some(401), reason: "who are you".to_owned() }
    }

    #[test]
    fn what_arrived_is_done() {
        let verdict = of(Outcome::Delivered, 3);
        assert_eq!((verdict.delivered, verdict.next), (3, Next::Done));
    }

    #[test]
    fn a_batch_that_is_too_large_is_split_and_a_single_item_is_a_dead_letter() {
        for failure in [Failure::TooLarge, refused()] {
            assert_eq!(of(Outcome::Failed(failure.clone()), 2).next, Next::Split);
            let single = of(Outcome::Failed(failure.clone()), 1);
            assert_eq!((single.next, single.letters), (Next::Done, vec![(0, failure.to_string())]));
        }
    }

    #[test]
    fn only_what_did_not_arrive_is_tried_again_after_the_longest_wait_asked_for() {
        let failures = vec![(1, retry(Some(2))), (2, refused()), (3, retry(Some(7))), (4, Failure::Untried)];
        let verdict = of(Outcome::Partly(failures), 6);
        assert_eq!((verdict.again, verdict.delivered), (vec![1, 3, 4], 2));
        assert_eq!(verdict.letters, [(2, "bad".to_owned())]);
        assert_eq!(verdict.next, Next::Wait { asked: Some(Duration::from_secs(7)) });
    }

    #[test]
    fn nothing_is_tried_again_by_itself_when_a_person_must_act() {
        assert_eq!(of(Outcome::Failed(stop()), 5).next, Next::Stop);
        let verdict = of(Outcome::Partly(vec![(0, retry(None)), (1, stop()), (2, Failure::Untried)]), 3);
        assert_eq!((verdict.next, verdict.again), (Next::Stop, vec![0, 1, 2]));
        assert_eq!(verdict.failure, Some(stop()));
    }

    #[test]
    fn what_a_refused_item_held_up_goes_again_at_once_and_without_it() {
        for failures in [
            vec![(0, Failure::Untried), (1, refused()), (2, Failure::Untried)],
            vec![(0, refused()), (1, Failure::Untried), (2, Failure::Untried)],
        ] {
            let verdict = of(Outcome::Partly(failures), 3);
            assert_eq!((verdict.next, verdict.again.len(), verdict.letters.len()), (Next::Again, 2, 1));
        }
        let nothing_done = of(Outcome::Partly(vec![(0, Failure::Untried), (1, Failure::Untried)]), 2);
        assert_eq!(nothing_done.next, Next::Wait { asked: None });
        let verdict = of(Outcome::Partly(vec![(0, Failure::Untried), (1, retry(None))]), 2);
        assert_eq!(verdict.next, Next::Wait { asked: None });
    }

    #[test]
    fn of_refused_items_that_nobody_names_nothing_is_tried_again() {
        let outcome = Outcome::SomeRefused { count: 2, status: Some(200), reason: "two".to_owned() };
        let verdict = of(outcome, 64);
        assert_eq!((verdict.next, verdict.delivered, verdict.again.len()), (Next::Done, 62, 0));
        assert_eq!((verdict.letters.len(), verdict.unnamed), (0, Some((2, "two".to_owned()))));
    }
}

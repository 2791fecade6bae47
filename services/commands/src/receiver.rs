//! Trying a receiver before an integration enters the log: a role that can send asks it for us.

use std::time::Duration;

use bus::{AskError, Bus};
use model::command::Reason;
use model::delivery::{Failure, Guarantee, Question, Test, Tested};
use model::integration::{Created, Event};
use runtime::telemetry::chain;
use tracing::{error, warn};
use vault::Owner;

use crate::refusal::Refusal;

/// How long a test may take; the streamer gives up on a receiver sooner.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// The way to a role that can try receivers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Receiver {
    bus: Bus,
}

impl Receiver {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// Lets a test event be delivered for an integration that is about to be made enabled; tells what the receiver
    /// guarantees. None: nobody is contacted for one that is not.
    ///
    /// # Errors
    /// When the receiver does not take it, or nobody can try.
    pub(crate) async fn takes_a_test(&self, owner: Owner<'_>, events: &[Event]) -> Result<Option<Guarantee>, Refusal> {
        let mut guarantee = None;
        for event in events {
            let Event::Created(Created { platform, config, enabled: true, by: _ }) = event else { continue };
            let (account, id) = (owner.account.clone(), owner.id);
            guarantee = Some(self.try_one(&Test { account, id, platform: *platform, config: config.clone() }).await?);
        }
        Ok(guarantee)
    }

    async fn try_one(&self, test: &Test) -> Result<Guarantee, Refusal> {
        let request = serde_json::to_vec(test).map_err(|failure| Refusal::internal(&failure))?;
        let subject = format!("flowtrail.streamer.{}", Test::PATH);
        let answer =
            self.bus.ask(&subject, request.into(), ANSWERED_WITHIN).await.map_err(|error| unanswered(&error))?;
        match serde_json::from_slice(&answer).map_err(|failure| Refusal::internal(&failure))? {
            Tested::Delivered(guarantee) => Ok(guarantee),
            Tested::BadConfig(text) => Err(Refusal::new(Reason::Invalid, text)),
            Tested::Refused(Failure { reason, .. }) => {
                let message = format!("the test event was not delivered: {reason}");
                Err(Refusal::new(Reason::ReceiverRefuses, message))
            }
        }
    }
}

fn unanswered(error: &AskError) -> Refusal {
    match error {
        AskError::NobodyAnswers { .. } | AskError::TimedOut { .. } | AskError::Disconnected => {
            warn!(%error, "a receiver cannot be tried");
            Refusal::new(Reason::NobodyDelivers, "no streamer is there to try the receiver, try again later")
        }
        AskError::Refused { .. } | AskError::TooLarge { .. } | AskError::Broken { .. } => {
            error!(error = %chain(error), "a receiver cannot be tried");
            Refusal::new(Reason::Internal, "internal error")
        }
    }
}

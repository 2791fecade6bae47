//! Publishing many messages fast: a bounded number is under way, none is forgotten.

use std::collections::VecDeque;
use std::time::Duration;

use tracing::warn;

use crate::publish::Sent;
use crate::{Bus, Outgoing, PublishError, Receipt};

/// With more under way, a server that syncs each message lets acknowledgements time out.
const MAX_IN_FLIGHT: usize = 2048;
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// A pipeline of messages into the log, in the order they are given. Made by [`Bus::publisher`].
///
/// A message that gets no acknowledgement is published again with the same id a few times; it may then stand behind
/// later ones. One without an id is not, since it could be stored twice.
pub struct Publisher {
    bus: Bus,
    in_flight: usize,
    under_way: VecDeque<(Outgoing, Sent)>,
    published: Published,
}

/// What a [`Publisher`] has got into the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Messages that were stored.
    pub stored: u64,
    /// Messages that had been stored before.
    pub duplicates: u64,
}

impl Bus {
    /// A pipeline with at most `in_flight` (1 to 2048) unacknowledged messages.
    #[must_use]
    pub fn publisher(&self, in_flight: usize) -> Publisher {
        let in_flight = in_flight.clamp(1, MAX_IN_FLIGHT);
        Publisher { bus: self.clone(), in_flight, under_way: VecDeque::new(), published: Published::default() }
    }
}

impl Publisher {
    /// Sends a message, after waiting for the oldest one under way when there are too many.
    ///
    /// # Errors
    /// When a message, this one or an earlier, could not be stored in several attempts. What else is under way may be
    /// stored; publish it again with the same ids.
    pub async fn publish(&mut self, message: Outgoing) -> Result<(), PublishError> {
        while self.under_way.len() >= self.in_flight {
            self.settle_oldest().await?;
        }
        match self.bus.send(&message).await {
            Ok(sent) => self.under_way.push_back((message, sent)),
            Err(error) => {
                let receipt = self.again(&message, error).await?;
                self.count(receipt);
            }
        }
        Ok(())
    }

    /// What is acknowledged so far.
    #[must_use]
    pub fn published(&self) -> Published {
        self.published
    }

    /// Waits for everything under way.
    ///
    /// # Errors
    /// Like [`Publisher::publish`].
    pub async fn finish(mut self) -> Result<Published, PublishError> {
        while !self.under_way.is_empty() {
            self.settle_oldest().await?;
        }
        Ok(self.published)
    }

    async fn settle_oldest(&mut self) -> Result<(), PublishError> {
        let Some((message, sent)) = self.under_way.pop_front() else { return Ok(()) };
        let receipt = match self.bus.settle(&message, sent).await {
            Ok(receipt) => receipt,
            Err(error) => self.again(&message, error).await?,
        };
        self.count(receipt);
        Ok(())
    }

    async fn again(&self, message: &Outgoing, mut error: PublishError) -> Result<Receipt, PublishError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 2..=ATTEMPTS {
            if message.message_id.is_none() || !matches!(error, PublishError::Unreachable(_)) {
                break;
            }
            warn!(subject = %message.subject, attempt, "no acknowledgement, publishing again");
            tokio::time::sleep(pause).await;
            pause *= 2;
            match self.bus.publish(message.clone()).await {
                Ok(receipt) => return Ok(receipt),
                Err(next) => error = next,
            }
        }
        Err(error)
    }

    fn count(&mut self, receipt: Receipt) {
        if receipt.duplicate {
            self.published.duplicates += 1;
        } else {
            self.published.stored += 1;
        }
    }
}

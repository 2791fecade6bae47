//! Publishing several messages as one: all are stored, one after the other, or none is.

use async_nats::header::{self, HeaderValue};

use crate::publish::{Sent, Unacknowledged};
use crate::{Bus, Outgoing, PublishError, Receipt};

/// The most messages the broker takes in one batch.
const MAX_BATCH_MESSAGES: usize = 1000;
/// How many messages are under way when a batch is gone through one by one.
const MESSAGES_IN_FLIGHT: usize = 256;

impl Bus {
    /// Publishes up to 1000 messages of one stream: all or nothing.
    ///
    /// A retry of a batch that had gone through is a success. Where only some ids are known already, the broker refuses
    /// the whole; the others are then published one by one. This alone is not atomic, but repeated until
    /// it succeeds it stores every message once.
    ///
    /// # Errors
    /// [`PublishError`]; `Rejected` for too many messages or several streams.
    pub async fn publish_all(&self, mut messages: Vec<Outgoing>) -> Result<Vec<Receipt>, PublishError> {
        if messages.len() < 2 {
            let Some(only) = messages.pop() else { return Ok(Vec::new()) };
            return Ok(vec![self.publish(only).await?]);
        }
        check(&messages)?;
        let sent = self.send_batch(&messages).await?;
        match self.acknowledged(sent).await {
            Ok(ack) => Ok(receipts(&messages, ack.sequence, false)),
            Err(Unacknowledged::WrongLastSequence) => {
                let earlier = self.earlier_batch(&messages).await?;
                earlier.ok_or_else(|| conflict(&messages))
            }
            Err(Unacknowledged::DuplicateInBatch) => match self.earlier_batch(&messages).await? {
                Some(receipts) => Ok(receipts),
                None => self.one_by_one(&messages).await,
            },
            Err(Unacknowledged::Other(error)) => Err(error),
        }
    }

    /// Sends the messages; the broker keeps them apart until the last one commits, and answers that one alone.
    async fn send_batch(&self, messages: &[Outgoing]) -> Result<Sent, PublishError> {
        let limit = self.max_payload();
        let mut ready = Vec::with_capacity(messages.len());
        for message in messages {
            ready.push(message.checked_headers(limit)?);
        }
        self.reachable().await?;
        let batch = self.unique_id();
        let last = messages.len();
        for (index, (message, mut headers)) in messages.iter().zip(ready).enumerate() {
            headers.insert(header::NATS_BATCH_ID, batch.as_str());
            headers.insert(header::NATS_BATCH_SEQUENCE, HeaderValue::from(index + 1));
            let (subject, payload) = (message.subject.to_string(), message.payload.clone());
            if index + 1 == last {
                headers.insert(header::NATS_BATCH_COMMIT, header::NATS_BATCH_COMMIT_FINAL);
                return self.send_raw(subject, headers, payload).await;
            }
            let sent = self.client.publish_with_headers(subject, headers, payload).await;
            sent.map_err(|error| PublishError::Unreachable(error.into()))?;
        }
        Err(PublishError::Rejected("an empty batch".to_owned()))
    }

    /// The receipts of the batch that stands where this one was to go, when it is this one.
    async fn earlier_batch(&self, messages: &[Outgoing]) -> Result<Option<Vec<Receipt>>, PublishError> {
        let expecting = messages.iter().enumerate().find(|(_, message)| message.expected_last.is_some());
        let Some((before, expecting)) = expecting else { return Ok(None) };
        let Some(found) = self.already_stored(expecting).await? else { return Ok(None) };
        // One that was published alone can stand where the ones before it would have no room.
        if found.sequence <= before as u64 {
            return Ok(None);
        }
        let behind = messages.len() - 1 - before;
        let receipts = receipts(messages, found.sequence + behind as u64, true);
        let (Some(message), Some(receipt)) = (messages.last(), receipts.last()) else { return Ok(None) };
        // The first that expects something is where it would be; when the last one is too, so are all between them: a
        // batch is stored whole and without gaps.
        let id = self.fingerprint_at(receipt.position).await;
        let id = id.map_err(|error| PublishError::Unreachable(error.into()))?;
        Ok((id == message.message_id).then_some(receipts))
    }

    async fn one_by_one(&self, messages: &[Outgoing]) -> Result<Vec<Receipt>, PublishError> {
        let mut receipts = Vec::with_capacity(messages.len());
        for some in messages.chunks(MESSAGES_IN_FLIGHT) {
            let mut under_way = Vec::with_capacity(some.len());
            for message in some {
                under_way.push(self.send(message).await?);
            }
            for (message, sent) in some.iter().zip(under_way) {
                receipts.push(self.settle(message, sent).await?);
            }
        }
        Ok(receipts)
    }
}

fn check(messages: &[Outgoing]) -> Result<(), PublishError> {
    if messages.len() > MAX_BATCH_MESSAGES {
        return Err(PublishError::Rejected(format!("{} messages are over {MAX_BATCH_MESSAGES}", messages.len())));
    }
    if messages.windows(2).any(|pair| pair[0].stream() != pair[1].stream()) {
        return Err(PublishError::Rejected("the messages of a batch belong to several streams".to_owned()));
    }
    Ok(())
}

/// A batch lies in the stream without gaps, so the last sequence says them all.
fn receipts(messages: &[Outgoing], last_sequence: u64, duplicate: bool) -> Vec<Receipt> {
    let first = last_sequence + 1 - messages.len() as u64;
    let numbered = messages.iter().zip(first..);
    numbered.map(|(message, sequence)| Receipt { position: message.at(sequence), duplicate }).collect()
}

fn conflict(messages: &[Outgoing]) -> PublishError {
    let expecting = messages.iter().find(|message| message.expected_last.is_some());
    let subject = expecting.or(messages.first()).map(|message| message.subject.to_string());
    PublishError::Conflict { subject: subject.unwrap_or_default() }
}

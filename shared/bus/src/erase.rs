//! Erasing messages of the log: the server overwrites their bytes on its disk.
//!
//! A stream has holes then, which readers pass over as they pass over what retention took.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::stream::DeleteMessageErrorKind;
use model::log::LogPosition;

use crate::{Bus, LoadError};

impl Bus {
    /// Removes a message for good; where there is none, nothing happens.
    ///
    /// # Errors
    /// When the log cannot be reached, or this user may not do that; the message may then be there or not.
    pub async fn erase(&self, position: LogPosition) -> Result<(), LoadError> {
        self.connected().await?;
        let unreachable = |cause: crate::Cause| LoadError::Unreachable(cause);
        let stream = self.jetstream.get_stream_no_info(position.stream.name()).await;
        let stream = stream.map_err(|error| unreachable(error.into()))?;
        match stream.delete_message(position.sequence).await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error.kind()) => Ok(()),
            Err(error) => Err(unreachable(error.into())),
        }
    }
}

/// Whether there was nothing to remove.
pub(crate) fn is_gone(kind: &DeleteMessageErrorKind) -> bool {
    let DeleteMessageErrorKind::JetStream(refusal) = kind else { return false };
    matches!(refusal.error_code(), ErrorCode::SEQUENCE_NOT_FOUND | ErrorCode::NO_MESSAGE_FOUND)
}

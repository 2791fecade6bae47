//! The data of an event as JSON text, whatever its media type.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::media;
use super::parts::{CloudEvent, Malformed};
use crate::json::Json;

/// Data as JSON text: what is no JSON by its media type becomes a JSON string.
pub(super) fn as_json<'a>(bytes: Cow<'a, [u8]>, content_type: Option<&str>) -> Cow<'a, [u8]> {
    if bytes.is_empty() || content_type.is_none_or(media::is_json) {
        return bytes;
    }
    Cow::Owned(as_string(&bytes).as_str().as_bytes().to_vec())
}

/// Bytes as a JSON string: as they stand where they are UTF-8, else in base64.
#[must_use]
pub fn as_string(bytes: &[u8]) -> Json {
    match str::from_utf8(bytes) {
        Ok(text) => Json::from(text),
        Err(_) => Json::from(STANDARD.encode(bytes).as_str()),
    }
}

/// The event, with the media type of its data among its attributes where that is no JSON.
///
/// # Errors
/// When an event of Flowtrail's own has no data.
pub(super) fn complete<'a>(
    mut event: CloudEvent<'a>,
    content_type: Option<Cow<'a, str>>,
) -> Result<CloudEvent<'a>, Malformed> {
    if event.data.is_empty() && !event.is_foreign() {
        return Err(Malformed::attribute("data", "is missing"));
    }
    if let Some(content_type) = content_type.filter(|content_type| !media::is_json(content_type)) {
        event.attributes.push((Cow::Borrowed("datacontenttype"), Json::from(&*content_type)));
    }
    Ok(event)
}

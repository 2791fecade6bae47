//! Records that no strict reader takes as they stand: half a surrogate pair in a text, a number that no double holds.
//! They are put right before they are mapped, as events over HTTP and NATS are.

use std::borrow::Cow;

use memchr::memmem;
use model::json;

use super::draft::{Draft, Mapped, Rejected};

/// How the escapes of both halves begin.
const HALVES: [&[u8]; 2] = [br"\ud", br"\uD"];

/// Maps a record, mended where it has to be, see [`json::mended`].
///
/// # Errors
/// When it is no event all the same, or when its id had to be mended.
pub(super) fn map<'t>(
    text: &'t str,
    mut map: impl for<'a> FnMut(&'a str) -> Result<Mapped<'a>, Rejected>,
) -> Result<Mapped<'t>, Rejected> {
    // In a line that is no JSON, quotes and backslashes are what they are.
    if !text.starts_with('{') {
        return map(text);
    }
    // Looked for first, and not only when the record is refused: a member that cannot be read counts as one that is not
    // there.
    if HALVES.iter().any(|half| memmem::find(text.as_bytes(), half).is_some()) {
        return map_mended(text, &mut map).unwrap_or_else(|| map(text));
    }
    map(text).or_else(|reason| map_mended(text, &mut map).unwrap_or(Err(reason)))
}

/// `None`: there is nothing to mend.
fn map_mended(
    text: &str,
    map: &mut impl for<'a> FnMut(&'a str) -> Result<Mapped<'a>, Rejected>,
) -> Option<Result<Mapped<'static>, Rejected>> {
    let Cow::Owned(mended) = json::mended(text) else { return None };
    Some(map(&mended).map(Mapped::into_owned).and_then(with_own_id))
}

/// A mended record whose id is what it was: U+FFFD would make two ids one.
fn with_own_id(mapped: Mapped<'static>) -> Result<Mapped<'static>, Rejected> {
    match &mapped {
        Mapped::Event(Draft { id, .. }) if id.contains(char::REPLACEMENT_CHARACTER) => {
            Err(Rejected::field("id", "must be a text without half of a surrogate pair"))
        }
        Mapped::Event(_) | Mapped::Skipped(_) => Ok(mapped),
    }
}

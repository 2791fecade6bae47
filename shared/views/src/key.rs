//! Keys: `<account> 00 <kind> <rest>`. Account ids hold no zero byte, so accounts never share a prefix.

use model::log::AccountId;

/// The kind of the keys that hold an account's rows in columns.
const ROWS: u8 = b'r';
/// The kind of the keys that hold who is erased in an account.
pub(crate) const ERASURE: u8 = b'E';

/// The start of all keys of one kind in one account.
pub(crate) fn prefix(account: &AccountId, kind: u8) -> Vec<u8> {
    let mut key = Vec::with_capacity(account.as_str().len() + 32);
    key.extend_from_slice(account.as_str().as_bytes());
    key.push(0);
    key.push(kind);
    key
}

/// A key of one kind in one account.
pub(crate) fn key(account: &AccountId, kind: u8, rest: &[&[u8]]) -> Vec<u8> {
    let mut key = prefix(account, kind);
    for part in rest {
        key.extend_from_slice(part);
    }
    key
}

/// Takes a key apart: account, kind and rest.
pub(crate) fn split(key: &[u8]) -> Option<(&str, u8, &[u8])> {
    let end = key.iter().position(|byte| *byte == 0)?;
    let account = std::str::from_utf8(&key[..end]).ok()?;
    let (kind, rest) = key[end + 1..].split_first()?;
    Some((account, *kind, rest))
}

/// The first key after all that start with `prefix`, which never ends in `FF`.
pub(crate) fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// The name of an account's table of rows in columns.
pub(crate) fn table(account: &AccountId) -> Vec<u8> {
    table_of(account.as_str())
}

/// The same, for an account whose id comes from a key.
pub(crate) fn table_of(account: &str) -> Vec<u8> {
    [account.as_bytes(), &[0, ROWS]].concat()
}

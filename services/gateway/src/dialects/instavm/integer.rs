//! Whole numbers as Pydantic reads them from texts.
//!
//! A text that is a JSON integer is taken as it is. Any other is tidied once: space around it, a plus sign, zeros in
//! front, a fraction of zeros and single underscores go; what is left must be a JSON integer.

/// More digits than this are too many to read.
const MAX_DIGITS: usize = 4300;

/// Why a text is no whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is something else.
    NoInteger,
    /// It starts with more than 4300 digits.
    TooLong,
}

/// The number; one beyond 128 bits becomes the one nearest to it.
///
/// # Errors
/// When it is none.
pub(super) fn parse(text: &str) -> Result<i128, Unreadable> {
    match as_json(text) {
        Err(Unreadable::NoInteger) => {}
        read => return read,
    }
    let tidied = tidied(text).ok_or(Unreadable::NoInteger)?;
    // So long only after tidying, it is not called too long any more.
    as_json(&tidied).map_err(|_| Unreadable::NoInteger)
}

fn as_json(text: &str) -> Result<i128, Unreadable> {
    let (digits, nearest) = text.strip_prefix('-').map_or((text, i128::MAX), |digits| (digits, i128::MIN));
    if digits == "0" {
        return Ok(0);
    }
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 || digits.starts_with('0') {
        return Err(Unreadable::NoInteger);
    }
    // Digits are counted before what follows them is looked at.
    if length > MAX_DIGITS {
        return Err(Unreadable::TooLong);
    }
    if length < digits.len() {
        return Err(Unreadable::NoInteger);
    }
    Ok(text.parse().unwrap_or(nearest))
}

fn tidied(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, number) = match text.as_bytes() {
        [b'+', b'-', ..] | [b'-', b'-' | b'+', ..] => return None,
        [b'+', ..] => ("", &text[1..]),
        [b'-', ..] => ("-", &text[1..]),
        _ => ("", text),
    };
    let number = without_zeros_in_front(number)?;
    let whole = match number.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => number,
    };
    let are_single = !whole.starts_with('_') && !whole.ends_with('_') && !whole.contains("__");
    Some(if are_single { format!("{sign}{}", whole.replace('_', "")) } else { format!("{sign}{whole}") })
}

/// Leaves out zeros, with underscores between them, unless they are all there is before the end or the point.
/// A minus sign after them counts as the number's start: Pydantic reads `0-1` as -1.
fn without_zeros_in_front(number: &str) -> Option<&str> {
    match number.as_bytes().first()? {
        b'1'..=b'9' | b'-' => return Some(number),
        b'0' => {}
        _ => return None,
    }
    let Some(end) = number.find(|character| !matches!(character, '0' | '_')) else {
        return Some(&number[number.len() - 1..]);
    };
    match number.as_bytes()[end] {
        b'1'..=b'9' | b'-' => Some(&number[end..]),
        b'.' => Some(&number[end - 1..]),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

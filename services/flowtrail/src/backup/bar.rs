//! What a person sees while a backup is made, read or restored: a bar on standard error, where that is a terminal.

use std::borrow::Cow;

use indicatif::{ProgressBar, ProgressStyle};

const WITH_LENGTH: &str = "{prefix:>24} {wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const WITHOUT_LENGTH: &str = "{prefix:>24} {spinner} {bytes}, {bytes_per_sec}";

/// A bar of so many bytes, where that is known.
pub(crate) fn bar(length: Option<u64>) -> ProgressBar {
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = if length.is_some() { WITH_LENGTH } else { WITHOUT_LENGTH };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Names what the bar is at.
pub(crate) fn at(bar: &ProgressBar, name: &str) {
    bar.set_prefix(Cow::Owned(name.to_owned()));
}

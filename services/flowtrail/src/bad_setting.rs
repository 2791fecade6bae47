//! Settings that cannot be used.

use std::fmt;

/// What an error is about that the person who gave the setting can mend. It says the setting's name, and the process ends
/// with exit code 2, as for a flag that there is not.
#[derive(Debug)]
pub(crate) struct BadSetting(pub(crate) &'static str);

impl fmt::Display for BadSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} cannot be used", self.0)
    }
}

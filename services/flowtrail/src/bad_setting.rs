//! Settings that cannot be used.

use std::fmt;

/// What a secret is shown as.
pub(crate) const MASKED: &str = "****";
/// Who may say what a setting is, besides a file.
pub(crate) const COMMAND_LINE: &str = "the command line";
pub(crate) const ENVIRONMENT: &str = "the environment";

/// What an error is about that the person who gave the setting can mend. It says the setting's name, and where that is known
/// its value and who gave it; the process ends with exit code 2, as for a flag that there is not.
#[derive(Clone, Debug)]
pub(crate) struct BadSetting {
    pub(crate) setting: String,
    pub(crate) given: Option<Given>,
}

/// A value, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// As it would stand on the command line; a secret is masked.
    pub(crate) value: String,
    /// `the environment`, or the name of a file.
    pub(crate) origin: String,
}

impl BadSetting {
    /// A setting whose value was read already.
    pub(crate) fn of(setting: &str) -> Self {
        Self { setting: setting.to_owned(), given: None }
    }
}

impl fmt::Display for BadSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, given } = self;
        match given {
            Some(Given { value, origin }) => write!(formatter, "{setting} = {value:?} ({origin}) cannot be used"),
            None => write!(formatter, "{setting} cannot be used"),
        }
    }
}

//! The forms of an export.

use std::ffi::OsStr;
use std::path::Path;

use clap::ValueEnum;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A JSON object a line, and a last line that says that it is whole
    Ndjson,
    /// A line of names, and a line for each
    Csv,
    /// Typed columns
    Parquet,
}

impl Format {
    const ALL: [Self; 3] = [Self::Ndjson, Self::Csv, Self::Parquet];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The one that a file's ending names.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let ending = file.extension().and_then(OsStr::to_str)?;
        Self::ALL.into_iter().find(|format| ending.eq_ignore_ascii_case(format.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_of_a_file_says_its_form() {
        for (file, format) in [
            ("a.csv", Some(Format::Csv)),
            ("b/c.Parquet", Some(Format::Parquet)),
            ("a.ndjson", Some(Format::Ndjson)),
            ("csv", None),
            ("a.csv.gz", None),
        ] {
            assert_eq!(Format::of(Path::new(file)), format, "{file}");
        }
    }
}

//! What an export itself says of its being whole: NDJSON in its last line, CSV in the trailers behind it, Parquet by its
//! footer. A connection that ends well says less: there may be something in between that ends it well in any case.

use memchr::{memchr_iter, memrchr};
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::format::Format;

const COMPLETE: &str = "flowtrail-complete";
const COUNT: &str = "flowtrail-count";
/// What a file of Parquet begins and ends with; before the latter stands the length of its footer, in 4 bytes.
const PARQUET: &[u8; 4] = b"PAR1";

/// What was seen of an export.
pub(super) enum Mark {
    Ndjson(Lines),
    /// So many rows, where it is said that these are all.
    Csv(Option<u64>),
    Parquet(Footer),
}

/// Why an export is not taken for whole.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotWhole {
    #[error("the answer has no last line that says that it is whole; ask again")]
    LastLine,
    #[error("the answer's last line says that it has {said} rows, and it has {found}; ask again")]
    Count { said: u64, found: u64 },
    #[error(
        "the answer has no trailer that says that it is whole; ask again, or for ndjson or parquet where a proxy in between \
         drops trailers"
    )]
    Trailers,
    #[error("the answer has no footer of Parquet; ask again")]
    Footer,
}

impl Mark {
    pub(super) fn of(format: Format) -> Self {
        match format {
            Format::Ndjson => Self::Ndjson(Lines::default()),
            Format::Csv => Self::Csv(None),
            Format::Parquet => Self::Parquet(Footer::default()),
        }
    }

    /// Takes a piece of the answer.
    pub(super) fn see(&mut self, piece: &[u8]) {
        match self {
            Self::Ndjson(lines) => lines.see(piece),
            Self::Csv(_) => {}
            Self::Parquet(footer) => footer.see(piece),
        }
    }

    /// Takes what stands behind the answer.
    pub(super) fn end(&mut self, trailers: Option<&HeaderMap>) {
        let Self::Csv(rows) = self else { return };
        let text = |name| trailers?.get(name)?.to_str().ok();
        *rows = text(COMPLETE).filter(|complete| *complete == "true").and_then(|_| text(COUNT)?.parse().ok());
    }

    /// How many rows it has, where that is said.
    ///
    /// # Errors
    /// When it is not whole.
    pub(super) fn rows(&self) -> Result<Option<u64>, NotWhole> {
        match self {
            Self::Ndjson(lines) => lines.rows().map(Some),
            Self::Csv(rows) => rows.map(Some).ok_or(NotWhole::Trailers),
            Self::Parquet(footer) => {
                if footer.is_there() {
                    Ok(None)
                } else {
                    Err(NotWhole::Footer)
                }
            }
        }
    }
}

/// Lines, of which only the last is kept.
#[derive(Default)]
pub(super) struct Lines {
    count: u64,
    last: Vec<u8>,
    /// What follows the last line break.
    rest: Vec<u8>,
}

#[derive(Deserialize)]
struct LastLine {
    flowtrail: Whole,
}

#[derive(Deserialize)]
struct Whole {
    complete: bool,
    count: u64,
}

impl Lines {
    fn see(&mut self, piece: &[u8]) {
        let Some(end) = memrchr(b'\n', piece) else { return self.rest.extend_from_slice(piece) };
        let (lines, rest) = (&piece[..end], &piece[end + 1..]);
        self.count += 1 + memchr_iter(b'\n', lines).count() as u64;
        match memrchr(b'\n', lines) {
            Some(before) => self.last = lines[before + 1..].to_vec(),
            None => {
                self.last = std::mem::take(&mut self.rest);
                self.last.extend_from_slice(lines);
            }
        }
        self.rest = rest.to_vec();
    }

    fn rows(&self) -> Result<u64, NotWhole> {
        let last: Option<LastLine> = serde_json::from_slice(&self.last).ok().filter(|_| self.rest.is_empty());
        let whole = last.map(|last| last.flowtrail).filter(|whole| whole.complete).ok_or(NotWhole::LastLine)?;
        let found = self.count - 1;
        if whole.count == found { Ok(found) } else { Err(NotWhole::Count { said: whole.count, found }) }
    }
}

/// The end of a file of Parquet.
#[derive(Default)]
pub(super) struct Footer {
    length: u64,
    /// At most eight bytes.
    last: Vec<u8>,
}

impl Footer {
    fn see(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        self.last.extend_from_slice(&piece[piece.len().saturating_sub(8)..]);
        self.last.drain(..self.last.len().saturating_sub(8));
    }

    fn is_there(&self) -> bool {
        let Some((length, end)) = self.last.split_first_chunk::<4>() else { return false };
        let around = 3 * PARQUET.len() as u64;
        end == PARQUET && u64::from(u32::from_le_bytes(*length)) + around <= self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found of a text, however it is cut into pieces.
    fn rows_of(format: Format, text: &[u8]) -> Result<Option<u64>, NotWhole> {
        let found = (1..=text.len().max(1)).map(|length| {
            let mut mark = Mark::of(format);
            text.chunks(length).for_each(|piece| mark.see(piece));
            mark.rows()
        });
        let found: Vec<_> = found.collect();
        assert!(found.windows(2).all(|two| two[0] == two[1]), "{found:?}");
        found.into_iter().next().unwrap()
    }

    #[test]
    fn ndjson_is_whole_by_its_last_line() {
        let rows = |text: &str| rows_of(Format::Ndjson, text.as_bytes());
        let end = r#"{"flowtrail":{"as_of":"FLOWTRAIL_AUDIT:3","complete":true,"count":2}}"#;
        assert_eq!(rows(&format!("{{\"a\":1}}\n{{}}\n{end}\n")), Ok(Some(2)));
        assert_eq!(rows(&format!("{}\n", end.replace('2', "0"))), Ok(Some(0)));
        for broken in ["", "{}\n", "{}\n{}\n", &format!("{{}}\n{{}}\n{end}"), &format!("{{}}\n{{}}\n{end}\n{{")] {
            assert_eq!(rows(broken), Err(NotWhole::LastLine), "{broken}");
        }
        let not_complete = end.replace("true", "false");
        assert_eq!(rows(&format!("{{}}\n{{}}\n{not_complete}\n")), Err(NotWhole::LastLine));
        assert_eq!(rows(&format!("{{}}\n{end}\n")), Err(NotWhole::Count { said: 2, found: 1 }));
    }

    #[test]
    fn csv_is_whole_by_what_stands_behind_it() {
        let rows = |trailers: &[(&'static str, &str)]| {
            let mut mark = Mark::of(Format::Csv);
            mark.see(b"id,time\r\n");
            let trailers = trailers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            mark.end(Some(&trailers.collect()));
            mark.rows()
        };
        assert_eq!(rows(&[(COMPLETE, "true"), (COUNT, "12")]), Ok(Some(12)));
        for trailers in [[].as_slice(), &[(COUNT, "12")], &[(COMPLETE, "false"), (COUNT, "12")]] {
            assert_eq!(rows(trailers), Err(NotWhole::Trailers));
        }
        assert_eq!(Mark::of(Format::Csv).rows(), Err(NotWhole::Trailers));
    }

    #[test]
    fn parquet_is_whole_by_its_footer() {
        let whole = [b"PAR1rows".as_slice(), b"footer", &6_u32.to_le_bytes(), b"PAR1"].concat();
        assert_eq!(rows_of(Format::Parquet, &whole), Ok(None));
        for length in 0..whole.len() {
            assert_eq!(rows_of(Format::Parquet, &whole[..length]), Err(NotWhole::Footer), "{length}");
        }
        let too_long = [b"PAR1".as_slice(), &6_u32.to_le_bytes(), b"PAR1"].concat();
        assert_eq!(rows_of(Format::Parquet, &too_long), Err(NotWhole::Footer));
    }
}

//! Opens a file, or standard input for `-`, and unpacks it: what it is packed with is told by its first bytes.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const BUFFER: usize = 64 * 1024;

/// What stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes of a file as it stands.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if is_standard_input(path) {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

/// How many bytes the files have together, as they stand; `None` when that cannot be known.
pub(super) fn total_length<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Option<u64> {
    let length = |path: &Path| {
        let known = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(known.len())
    };
    paths.into_iter().map(|path| if is_standard_input(path) { None } else { length(path) }).sum()
}

/// Unpacks gzip (also several members in a row) and zstd; anything else is taken as it is.
pub(super) fn unpacked(mut packed: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    packed.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
    let is_packed_with = |magic: &[u8]| head.starts_with(magic);
    let (is_gzip, is_zstd) = (is_packed_with(GZIP), is_packed_with(ZSTD));
    let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(packed));
    if is_gzip {
        return Ok(Box::new(MultiGzDecoder::new(whole)));
    }
    if is_zstd {
        return Ok(Box::new(zstd::Decoder::with_buffer(whole)?));
    }
    Ok(Box::new(whole))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text_of(packed: Vec<u8>) -> String {
        let mut text = String::new();
        unpacked(Cursor::new(packed)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_gzip_and_zstd_read_alike() {
        assert_eq!(text_of(b"{}\n".to_vec()), "{}\n");
        assert_eq!(text_of(gzip("{}\n")), "{}\n");
        assert_eq!(text_of(zstd::encode_all("{}\n".as_bytes(), 1).unwrap()), "{}\n");
    }

    #[test]
    fn packed_files_in_a_row_read_as_one() {
        assert_eq!(text_of([gzip("a\n"), gzip("b\n")].concat()), "a\nb\n");
        let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(text_of([zstd("a\n"), zstd("b\n")].concat()), "a\nb\n");
    }

    #[test]
    fn a_file_shorter_than_the_magic_is_plain() {
        assert_eq!(text_of(Vec::new()), "");
        assert_eq!(text_of(b"7".to_vec()), "7");
    }
}

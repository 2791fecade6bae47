//! Opens a file, or standard input for `-`, and unpacks it: what it is packed with is told by its first bytes.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::archive_table::{self, Unread};

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const XZ: &[u8] = b"\xfd7zXZ\0";
const PARQUET: &[u8] = b"PAR1";
/// Of what is looked at, the last that matters: what a tar archive says of itself.
const TAR_AT: usize = 257;
const TAR: &[u8] = b"ustar";
const HEAD: usize = TAR_AT + TAR.len();
const BUFFER: usize = 64 * 1024;
/// The most memory for unpacking xz, in KiB: `xz -9` takes 65 MiB, and a file may ask for 4 GiB.
const XZ_MEMORY: u32 = 256 * 1024;

/// Why a file gives no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unopened {
    /// The disk or the packed bytes fail.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is a table that gives no events.
    #[error(transparent)]
    Table(#[from] Unread),
    /// It is of a form that is not read here, and this makes it one that is.
    #[error("{is}; {instead}")]
    Form {
        /// What it is.
        is: &'static str,
        /// What to do.
        instead: &'static str,
    },
}

/// Forms that are not read: their first bytes, what they are, what to do.
const UNREAD: [(&[u8], &str, &str); 6] = [
    (b"BZh", "is packed with bzip2", "unpack it on the way: `bzcat FILE | flowtrail import FORMAT -`"),
    (b"PK\x03\x04", "is a zip archive", "unpack it on the way: `unzip -p FILE | flowtrail import FORMAT -`"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive", "unpack it on the way: `7z x -so FILE | flowtrail import FORMAT -`"),
    (b"\x04\x22\x4d\x18", "is packed with LZ4", "unpack it on the way: `lz4cat FILE | flowtrail import FORMAT -`"),
    (b"\xff\xfe", "is UTF-16", UTF_8),
    (b"\xfe\xff", "is UTF-16", UTF_8),
];
const UTF_8: &str = "make it UTF-8 on the way: `iconv -f UTF-16 -t UTF-8 FILE | flowtrail import FORMAT -`";

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

/// Unpacks gzip, zstd and xz, also several such files in a row, and makes lines of archives in Parquet; anything else is
/// taken as it is.
///
/// # Errors
/// When nothing can be read, or what is inside is no text that could be imported.
pub(super) fn unpacked(packed: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>, Unopened> {
    let (head, whole) = with_head(packed)?;
    let is_packed_with = |magic: &[u8]| head.starts_with(magic);
    let bytes: Box<dyn Read + Send> = if is_packed_with(GZIP) {
        Box::new(MultiGzDecoder::new(whole))
    } else if is_packed_with(ZSTD) {
        Box::new(zstd::Decoder::with_buffer(whole)?)
    } else if is_packed_with(XZ) {
        Box::new(XzReader::new_mem_limit(whole, true, XZ_MEMORY))
    } else {
        return text_or_table(&head, whole);
    };
    let (head, bytes) = with_head(bytes)?;
    text_or_table(&head, bytes)
}

fn text_or_table(head: &[u8], bytes: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>, Unopened> {
    if head.starts_with(PARQUET) {
        return Ok(Box::new(archive_table::lines(bytes)?));
    }
    check(head)?;
    Ok(Box::new(bytes))
}

type Whole<R> = BufReader<io::Chain<Cursor<Vec<u8>>, R>>;

/// The first bytes, and all of them again.
fn with_head<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, Whole<R>)> {
    let mut head = Vec::with_capacity(HEAD);
    let read = reader.by_ref().take(HEAD as u64).read_to_end(&mut head);
    // A packed file that is torn within its first bytes still gives those before the tear.
    if head.is_empty() {
        read?;
    }
    Ok((head.clone(), BufReader::with_capacity(BUFFER, Cursor::new(head).chain(reader))))
}

/// Refuses what would only be told of line by line as no UTF-8.
fn check(head: &[u8]) -> Result<(), Unopened> {
    if head.get(TAR_AT..).is_some_and(|rest| rest.starts_with(TAR)) {
        let instead = "unpack it on the way: `tar -xOf FILE | flowtrail import FORMAT -`";
        return Err(Unopened::Form { is: "is a tar archive", instead });
    }
    // Without a byte order mark, every other byte of ASCII text is 0.
    if matches!(head, [0, one, 0, other, ..] | [one, 0, other, 0, ..] if *one != 0 && *other != 0) {
        let instead = "make it UTF-8 on the way: `iconv -f UTF-16LE -t UTF-8 FILE | flowtrail import FORMAT -`";
        return Err(Unopened::Form { is: "is UTF-16", instead });
    }
    let known = UNREAD.iter().find(|(magic, ..)| head.starts_with(magic));
    known.map_or(Ok(()), |(_, is, instead)| Err(Unopened::Form { is, instead }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// `{}` and a line break, as `xz` packs it.
    const XZ_OF_BRACES: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a30100027b7d0a000063a18ae0b503693a0001\
                                1b030b2fb9101fb6f37d010000000004595a";
    /// `a` and `b`, each with a line break, packed by itself.
    const XZ_IN_A_ROW: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a3010001610a00000013473fb8939d45d400011a\
                               02dc2ea57e1fb6f37d010000000004595afd377a585a000004e6d6b4460200210116000000742fe5a30100\
                               01620a00000004544e5d25177e2900011a02dc2ea57e1fb6f37d010000000004595a";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn text_of(packed: Vec<u8>) -> String {
        let mut text = String::new();
        unpacked(Cursor::new(packed)).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn refused(packed: &[u8]) -> String {
        unpacked(Cursor::new(packed.to_vec())).err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_gzip_zstd_and_xz_read_alike() {
        assert_eq!(text_of(b"{}\n".to_vec()), "{}\n");
        assert_eq!(text_of(gzip(b"{}\n")), "{}\n");
        assert_eq!(text_of(zstd::encode_all("{}\n".as_bytes(), 1).unwrap()), "{}\n");
        assert_eq!(text_of(bytes(XZ_OF_BRACES)), "{}\n");
    }

    #[test]
    fn packed_files_in_a_row_read_as_one() {
        assert_eq!(text_of([gzip(b"a\n"), gzip(b"b\n")].concat()), "a\nb\n");
        let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(text_of([zstd("a\n"), zstd("b\n")].concat()), "a\nb\n");
        assert_eq!(text_of(bytes(XZ_IN_A_ROW)), "a\nb\n");
    }

    #[test]
    fn a_file_shorter_than_the_magic_is_plain() {
        assert_eq!(text_of(Vec::new()), "");
        assert_eq!(text_of(b"7".to_vec()), "7");
    }

    #[test]
    fn a_form_that_is_not_read_is_named_once_with_what_to_do() {
        assert_eq!(
            refused(b"BZh91AY&SY"),
            "is packed with bzip2; unpack it on the way: `bzcat FILE | flowtrail import FORMAT -`"
        );
        assert!(refused(b"PK\x03\x04rest").contains("`unzip -p FILE | flowtrail import FORMAT -`"));
        assert!(refused(b"PAR1rest").starts_with("is a Parquet file that is damaged or not whole"));
        let tar = [vec![b'n'; TAR_AT], b"ustar\x0000".to_vec()].concat();
        assert!(refused(&tar).contains("`tar -xOf FILE | flowtrail import FORMAT -`"));
        assert!(refused(&gzip(&tar)).starts_with("is a tar archive; "));
        let utf_16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for text in [[b"\xff\xfe".to_vec(), utf_16.clone()].concat(), utf_16.clone(), gzip(&utf_16)] {
            assert!(refused(&text).starts_with("is UTF-16; make it UTF-8 on the way: `iconv "), "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_of_utf_8_is_no_reason_to_refuse() {
        assert_eq!(text_of(b"\xef\xbb\xbf{}".to_vec()), "\u{feff}{}");
    }
}

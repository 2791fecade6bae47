//! Making the bytes of a batch, off the threads that other tasks wait for.

use std::error::Error;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::sink::Failure;

/// The header holds no time and no name, so the same text always gives the same bytes.
pub(super) async fn gzip(text: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let compress = move || -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
        encoder.write_all(&text)?;
        encoder.finish()
    };
    packed(compress).await
}

/// What `pack` makes of a batch, on a thread of its own.
pub(super) async fn packed<E: Error + Send + 'static>(
    pack: impl FnOnce() -> Result<Vec<u8>, E> + Send + 'static,
) -> Result<Vec<u8>, Failure> {
    match tokio::task::spawn_blocking(pack).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Failure::retry(format!("the batch cannot be compressed: {error}"))),
        Err(_) => Err(Failure::retry("the process is ending")),
    }
}

//! Compression, off the threads that other tasks wait for.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::sink::Failure;

/// The header holds no time and no name, so the same text always gives the same bytes.
pub(super) async fn gzip(text: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let compress = move || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
        encoder.write_all(&text)?;
        encoder.finish()
    };
    match tokio::task::spawn_blocking(compress).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Failure::retry(format!("the batch cannot be compressed: {error}"))),
        Err(_) => Err(Failure::retry("the process is ending")),
    }
}

//! Files and standard input.

use std::io::Read;
use std::path::Path;

use anyhow::Context;

/// The most that is read of standard input, in bytes.
const MOST: u64 = 64 << 20;

/// The text of a file, or of standard input where it is `-`.
pub(crate) fn text(file: &Path) -> anyhow::Result<String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(MOST).read_to_end(&mut bytes).context("read standard input")?;
        bytes
    } else {
        host::read_local(file)?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

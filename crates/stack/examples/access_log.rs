//! Measures what counting an access log costs: `access_log LOG FORMAT`, where `FORMAT` is the text of its `log_format`.
//!
//! All of the log is read, on one thread. Prints one line of JSON; `cargo xtask bench --world logs` reads it.
#![allow(clippy::print_stdout, reason = "the result is printed")]
#![allow(
    clippy::disallowed_methods,
    reason = "a log of any size is read from its start, which no reading does"
)]

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use stack::nginx::logs::{AccessTally, Format, last_time};

const CHUNK: usize = 1 << 20;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(format)) = (arguments.next(), arguments.next()) else {
        return Err(Error::new(ErrorKind::InvalidInput, "usage: access_log LOG FORMAT"));
    };
    let formats = [Format::compile("bench", "default", &format)];
    let mut file = File::open(&path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(CHUNK as u64)))?;
    file.read_to_end(&mut bytes)?;
    let last_s = last_time(&formats, &bytes).ok_or_else(|| Error::other("no line of the log has a time"))?;
    file.seek(SeekFrom::Start(0))?;
    let mut tally = AccessTally::new(&formats, last_s);
    let mut buffer = vec![0; 2 * CHUNK];
    let mut kept = 0;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            break;
        }
        let filled = kept + read;
        let whole = memchr::memrchr(b'\n', &buffer[..filled]).map_or(0, |end| end + 1);
        tally.add(&buffer[..whole]);
        buffer.copy_within(whole..filled, 0);
        kept = filled - whole;
        if kept == buffer.len() {
            return Err(Error::other("a line is longer than 2 MiB"));
        }
    }
    let log = tally.finish(&path);
    println!(
        "{}",
        serde_json::json!({ "requests": log.requests, "unparsed": log.unparsed, "status": log.status, "seconds": log.seconds.len() })
    );
    Ok(())
}

//! An access log as a busy shop writes it, of a given size: combined, with the times of requests behind.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;

/// The `log_format` of its lines.
pub(super) const FORMAT: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time "$upstream_response_time" "$upstream_header_time" $upstream_cache_status"#;

/// Seconds over which its lines are spread: all of them count.
const SECONDS: u64 = 900;
/// About the length of a line, in bytes.
const LINE: u64 = 235;

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
];

/// A log on disk, which goes when this does.
pub(super) struct Log {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) lines: u64,
}

impl Drop for Log {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
    }
}

impl Log {
    pub(super) fn write(bytes: u64) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("narrows-bench-{}.log", std::process::id()));
        let file =
            std::fs::File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
        let mut log = Self { path, bytes: 0, lines: 0 };
        let mut file = BufWriter::with_capacity(1 << 20, file);
        let mut random = Random(1);
        let expected = (bytes / LINE).max(1);
        while log.bytes < bytes {
            let second = (log.lines * SECONDS / expected).min(SECONDS - 1);
            let line = line(&mut random, second);
            file.write_all(line.as_bytes())?;
            log.bytes += line.len() as u64;
            log.lines += 1;
        }
        file.flush()?;
        Ok(log)
    }
}

fn line(random: &mut Random, second: u64) -> String {
    let (minute, second) = (second / 60, second % 60);
    let page = random.below(100).pow(2) / 5;
    let (target, upstream) = match random.below(10) {
        0..4 => (format!("/product/item-{page}/"), true),
        4 => (format!("/?s=word{page}&post_type=product"), true),
        5 => ("/wp-admin/admin-ajax.php".to_owned(), true),
        _ => (format!("/wp-content/themes/shop/assets/{page}.css?ver=6.1.{}", page % 9), false),
    };
    let status = match random.below(200) {
        0 => 502,
        1..4 => 404,
        4..12 => 304,
        _ => 200,
    };
    let milliseconds = if upstream { 20 + random.below(40).pow(2) } else { 0 };
    let (header, cache) =
        if upstream { (format!("0.{:03}", milliseconds / 2 % 1000), "MISS") } else { ("-".to_owned(), "-") };
    let took = format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
    let response = if upstream { took.as_str() } else { "-" };
    let agent = AGENTS.get(random.below(4) as usize).copied().unwrap_or_default();
    format!(
        "203.0.113.{} - - [21/Nov/2026:12:{minute:02}:{second:02} +0000] \"GET {target} HTTP/1.1\" {status} {} \"https://shop.example/\" \"{agent}\" {took} \"{response}\" \"{header}\" {cache}\n",
        random.below(254) + 1,
        500 + random.below(60_000),
    )
}

/// Numbers that are the same every time (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

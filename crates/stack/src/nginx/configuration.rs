//! The configuration of an Nginx as it takes effect: all files in one tree of directives, and what a block inherits.

use serde::{Deserialize, Serialize};

/// The configuration of one Nginx, its includes put where they stand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// The file that the master was started with, such as `/etc/nginx/nginx.conf`.
    pub file: String,
    /// What has to be put before its paths so that they are paths of the host: `/proc/PID/root` for an Nginx in a container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root: String,
    /// The folder that relative paths of logs and documents are taken from.
    pub prefix: String,
    /// The directives outside of all blocks, in order; blocks hold theirs.
    pub directives: Vec<Directive>,
    /// Lines at which Nginx would refuse a file, and includes that could not be read.
    pub problems: Vec<ConfigurationProblem>,
}

/// One directive, secrets in its arguments taken out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Directive {
    /// Its name.
    pub name: String,
    /// Its arguments, without quotes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The file it stands in.
    pub file: String,
    /// Its line, counted from 1.
    pub line: u32,
    /// What stands between its braces; `None` for a directive that ends with `;`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<Vec<Directive>>,
}

/// A line that could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigurationProblem {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
}

impl Directive {
    /// The first argument.
    pub fn first(&self) -> Option<&str> {
        self.arguments.first().map(String::as_str)
    }

    /// All arguments with blanks between.
    pub fn value(&self) -> String {
        self.arguments.join(" ")
    }

    /// The value of an argument of the form `name=value`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether an argument is there, word for word.
    pub fn has(&self, argument: &str) -> bool {
        self.arguments.iter().any(|own| own == argument)
    }

    /// `file:line`, where a person finds it.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The directives in its block; none without one.
    pub fn children(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// A block, and the blocks around it.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// What stands in each block, the innermost last; the first is the file itself.
    levels: Vec<&'a [Directive]>,
    /// The blocks' own directives, the innermost last; the file itself has none.
    blocks: Vec<&'a Directive>,
}

impl<'a> Context<'a> {
    /// The innermost block; `None` for the file itself.
    pub fn block(&self) -> Option<&'a Directive> {
        self.blocks.last().copied()
    }

    /// The blocks around, the innermost last, with the block itself.
    pub fn nesting(&self) -> &[&'a Directive] {
        &self.blocks
    }

    /// The nearest block of a name around, or the block itself: `server` of a location.
    pub fn around(&self, name: &str) -> Option<&'a Directive> {
        self.blocks.iter().rev().copied().find(|block| block.name == name)
    }

    /// The directive that has effect here: the last of the innermost block that has one. Nearly all directives of Nginx
    /// inherit so; those of the rewrite module (`rewrite`, `set`, `return`, `if`) do not, nor does `try_files`.
    pub fn get(&self, name: &str) -> Option<&'a Directive> {
        self.levels.iter().rev().find_map(|level| level.iter().rev().find(|one| one.name == name))
    }

    /// The directive of this very block.
    pub fn own(&self, name: &str) -> Option<&'a Directive> {
        self.levels.last()?.iter().rev().find(|one| one.name == name)
    }

    /// All directives of a name that have effect here, for those that add up (`fastcgi_param`, `add_header`, `access_log`,
    /// `fastcgi_cache_bypass`): those of the innermost block that has any.
    pub fn all(&self, name: &str) -> Vec<&'a Directive> {
        let of = |level: &&'a [Directive]| level.iter().filter(|one| one.name == name).collect::<Vec<_>>();
        self.levels.iter().rev().map(of).find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// The blocks around and the block itself, from the outside.
    pub fn all_blocks(&self) -> &[&'a Directive] {
        &self.blocks
    }

    /// What surrounds a block of this context; `None` where it is none of it.
    pub fn outside(&self, block: &Directive) -> Option<Self> {
        let at = self.blocks.iter().rposition(|one| std::ptr::eq(*one, block))?;
        let levels = self.levels.iter().take(at + 1).copied().collect();
        Some(Self { levels, blocks: self.blocks.iter().take(at).copied().collect() })
    }

    /// The block that a directive with effect here stands in: this one, or one around it.
    #[must_use]
    pub fn home(&self, directive: &Directive) -> Self {
        let holds = |level: &&[Directive]| level.iter().any(|one| std::ptr::eq(one, directive));
        let at = self.levels.iter().rposition(holds).unwrap_or(self.blocks.len());
        Self {
            levels: self.levels.iter().take(at + 1).copied().collect(),
            blocks: self.blocks.iter().take(at).copied().collect(),
        }
    }

    /// The blocks around as `conf::NginxDocument` is asked for them, from the outside: `http`, `server`, `location /`.
    pub fn path(&self) -> Vec<String> {
        let named = |block: &&Directive| match block.name.as_str() {
            "http" | "events" | "server" => block.name.clone(),
            _ => format!("{} {}", block.name, block.value()).trim_end().to_owned(),
        };
        self.blocks.iter().map(named).collect()
    }

    fn inside(&self, block: &'a Directive) -> Self {
        let mut inside = self.clone();
        inside.levels.push(block.children());
        inside.blocks.push(block);
        inside
    }
}

impl Configuration {
    /// Every block with what surrounds it, the file itself first, then each block before those that it holds.
    pub fn contexts(&self) -> Vec<Context<'_>> {
        let file = Context { levels: vec![&self.directives], blocks: vec![] };
        let (mut all, mut pending) = (Vec::new(), vec![file]);
        while let Some(context) = pending.pop() {
            let children = context.levels.last().copied().unwrap_or_default();
            let blocks = children.iter().rev().filter(|one| one.block.is_some());
            pending.extend(blocks.map(|block| context.inside(block)));
            all.push(context);
        }
        all
    }

    /// Every block of one of these names.
    pub fn blocks(&self, names: &[&str]) -> Vec<Context<'_>> {
        let named =
            |context: &Context<'_>| context.block().is_some_and(|block| names.contains(&block.name.as_str()));
        self.contexts().into_iter().filter(named).collect()
    }

    /// The path on the host of a file or folder that a directive names.
    pub fn host_path(&self, path: &str) -> String {
        let prefix = self.prefix.trim_end_matches('/');
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{prefix}/{path}") };
        format!("{}{path}", self.root)
    }

    /// A directive outside of all blocks, such as `worker_processes`.
    pub fn main(&self, name: &str) -> Option<&Directive> {
        self.directives.iter().rev().find(|one| one.name == name)
    }

    /// A directive of the block `events` or `http`, such as `worker_connections`.
    pub fn in_block(&self, block: &str, name: &str) -> Option<&Directive> {
        let mut inside = self.directives.iter().filter(|one| one.name == block).flat_map(Directive::children);
        inside.rfind(|one| one.name == name)
    }
}

/// A size of Nginx (`8k`, `1m`, `10g`) in bytes.
pub fn size_bytes(text: &str) -> Option<u64> {
    let (digits, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A time of Nginx (`60`, `500ms`, `1h 30m`) in seconds.
pub fn time_s(text: &str) -> Option<f64> {
    let (mut total, mut rest, mut any) = (0.0, text.trim(), false);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let number: u32 = number.parse().ok()?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit_s = match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "M" => 2_592_000.0,
            "y" => 31_536_000.0,
            _ => return None,
        };
        total += f64::from(number) * unit_s;
        any = true;
        rest = tail.trim_start();
    }
    any.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(name: &str, arguments: &[&str]) -> Directive {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Directive { name: name.to_owned(), arguments, ..Directive::default() }
    }

    fn block(name: &str, arguments: &[&str], inside: Vec<Directive>) -> Directive {
        Directive { block: Some(inside), ..plain(name, arguments) }
    }

    #[test]
    fn a_block_inherits_what_it_does_not_set_itself() {
        let php = block("location", &["~", "\\.php$"], vec![plain("fastcgi_param", &["A", "1"])]);
        let server = block("server", &[], vec![plain("sendfile", &["off"]), php]);
        let http = vec![
            plain("sendfile", &["on"]),
            plain("gzip", &["on"]),
            plain("fastcgi_param", &["B", "1"]),
            plain("fastcgi_param", &["C", "1"]),
            server,
        ];
        let configuration =
            Configuration { directives: vec![block("http", &[], http)], ..Configuration::default() };
        let names: Vec<_> =
            configuration.contexts().iter().map(|context| context.path().join(" > ")).collect();
        assert_eq!(names, ["", "http", "http > server", "http > server > location ~ \\.php$"]);
        let [location] = &configuration.blocks(&["location"])[..] else { panic!("one location") };
        assert_eq!(location.get("sendfile").and_then(Directive::first), Some("off"));
        assert_eq!(location.get("gzip").and_then(Directive::first), Some("on"));
        assert_eq!(
            location.all("fastcgi_param").len(),
            1,
            "a block with its own has none of those around it"
        );
        assert_eq!(configuration.blocks(&["server"])[0].all("fastcgi_param").len(), 2);
        assert_eq!(configuration.in_block("http", "gzip").and_then(Directive::first), Some("on"));
    }

    #[test]
    fn sizes_and_times_are_read_as_nginx_reads_them() {
        assert_eq!(
            ["8k", "1M", "512", "8kb", ""].map(size_bytes),
            [Some(8192), Some(1 << 20), Some(512), None, None]
        );
        assert_eq!(
            ["60", "500ms", "1h 30m", "1h30m", "2M", "x"].map(time_s),
            [Some(60.0), Some(0.5), Some(5400.0), Some(5400.0), Some(5_184_000.0), None]
        );
    }
}

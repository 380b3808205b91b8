//! A PHP application of thousands of classes whose autoloader Composer writes, in each of its ways.
//!
//! It is laid out as grown applications are: one prefix of PSR-4 maps to several folders, so that a class is looked for in one
//! after the other. Its start page asks for every class, and for some that do not exist, as applications do that look
//! whether an optional package is installed.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::faults::tools::{COMPOSER, PHP, STRACE};
use crate::faults::{Attempt, FaultError, Result};

/// Folders that the prefix maps to; class N lies in folder N mod 6.
pub const FOLDERS: usize = 6;
/// Namespaces below the prefix; class N is in namespace N mod 40.
const NAMESPACES: usize = 40;

/// How many classes an application asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Classes that exist.
    pub classes: usize,
    /// Names that no class has.
    pub absent: usize,
}

impl Size {
    /// A grown application: 2,000 classes, 200 names of optional packages.
    pub const GROWN: Self = Self { classes: 2000, absent: 200 };
}

/// How Composer writes the autoloader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoload {
    /// Every class is looked for in the folders of its prefix.
    Psr4,
    /// A map names the file of every class (`--optimize`); a name that it lacks is looked for in folders.
    Optimized,
    /// The map has every class there is (`--classmap-authoritative`).
    Authoritative,
}

/// The calls that name a path, of one start of the application without OPcache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathCalls {
    /// All of them.
    pub calls: usize,
    /// Those that failed with ENOENT.
    pub missing: usize,
}

/// The application, in a folder.
#[derive(Debug, Clone)]
pub struct ComposerApp {
    root: PathBuf,
    size: Size,
}

impl ComposerApp {
    /// Writes it, with its autoloader as Composer writes it when asked for nothing else.
    pub fn write(root: &Path, size: Size) -> Result<Self> {
        for class in 0..size.classes {
            put(&root.join(file_of(class)), &source_of(class))?;
        }
        let folders: Vec<_> = (0..FOLDERS).map(|folder| format!("\"src{folder}/\"")).collect();
        let folders = folders.join(", ");
        put(
            &root.join("composer.json"),
            &format!(
                "{{\"name\": \"lab/shop\", \"autoload\": {{\"psr-4\": {{\"App\\\\\": [{folders}]}}}}}}\n"
            ),
        )?;
        put(&root.join("public/index.php"), &start_page(size))?;
        let app = Self { root: root.to_owned(), size };
        app.autoload(Autoload::Psr4)?;
        Ok(app)
    }

    /// Has Composer write the autoloader anew. Nothing is fetched.
    pub fn autoload(&self, how: Autoload) -> Result<()> {
        let home = self.root.join(".composer").display().to_string();
        let folder = format!("--working-dir={}", self.root.display());
        let mut words = vec!["dump-autoload", "--quiet", "--no-interaction", &folder];
        match how {
            Autoload::Psr4 => {}
            Autoload::Optimized => words.push("--optimize"),
            Autoload::Authoritative => words.push("--classmap-authoritative"),
        }
        let environment =
            [("COMPOSER_ALLOW_SUPERUSER", "1"), ("COMPOSER_DISABLE_NETWORK", "1"), ("COMPOSER_HOME", &home)];
        COMPOSER.run_with(&environment, &words).map(drop)
    }

    /// The folder with `composer.json`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that a web server serves.
    pub fn document_root(&self) -> PathBuf {
        self.root.join("public")
    }

    /// The start page. It prints `classes=N boot_us=M`, and fails where a class was not found.
    pub fn start_page(&self) -> PathBuf {
        self.document_root().join("index.php")
    }

    /// Starts it once on the command line, without OPcache, and counts the calls that name a path.
    pub fn path_calls(&self) -> Result<PathCalls> {
        let log = self.root.join("calls.strace");
        let (log, page) = (log.display().to_string(), self.start_page().display().to_string());
        let words = ["-f", "-qq", "-e", "trace=file", "-o", &log, PHP.program, "-d", "opcache.enable_cli=0"];
        let printed = STRACE.run(&[&words[..], &[&page]].concat())?;
        let wanted = format!("classes={} ", self.size.classes);
        if !printed.starts_with(&wanted) {
            return Err(FaultError::new(format!("the application printed `{printed}`, not `{wanted}`")));
        }
        let text = std::fs::read_to_string(&log).attempt(|| format!("read {log}"))?;
        let own = format!("\"{}/", self.root.display());
        let calls = text.lines().filter(|line| line.contains(&own));
        Ok(PathCalls {
            calls: calls.clone().count(),
            missing: calls.filter(|line| line.contains("ENOENT")).count(),
        })
    }
}

fn file_of(class: usize) -> String {
    format!("src{}/N{}/C{class}.php", class % FOLDERS, class % NAMESPACES)
}

/// Most classes extend another of their namespace; each has eight methods, so that compiling it costs something.
fn source_of(class: usize) -> String {
    let space = class % NAMESPACES;
    let parent = class.checked_sub(NAMESPACES).filter(|_| !(class / NAMESPACES).is_multiple_of(5));
    let extends = parent.map_or_else(String::new, |parent| format!(" extends C{parent}"));
    let mut text =
        format!("<?php\ndeclare(strict_types=1);\nnamespace App\\N{space};\n\nclass C{class}{extends}\n{{\n");
    for method in 0..8 {
        let _ = writeln!(
            text,
            "    public function m{method}($a, $b = [])\n    {{\n        $x = [];\n        foreach ((array) $b as $q => $v) {{\n            \
             if ($v > {method}) {{\n                $x[$q] = strtoupper((string) $v);\n            }} else {{\n                \
             $x[] = $a . 's{method}';\n            }}\n        }}\n        return $x;\n    }}"
        );
    }
    text.push_str("}\n");
    text
}

fn start_page(size: Size) -> String {
    let Size { classes, absent } = size;
    format!(
        "<?php\n$begin = hrtime(true);\nrequire dirname(__DIR__) . '/vendor/autoload.php';\n$found = 0;\n\
         for ($i = 0; $i < {classes}; $i++) {{\n    $found += (int) class_exists('App\\\\N' . ($i % {NAMESPACES}) . '\\\\C' . $i);\n}}\n\
         for ($i = 0; $i < {absent}; $i++) {{\n    class_exists('App\\\\Optional\\\\Package' . $i);\n}}\n\
         if ($found !== {classes}) {{\n    http_response_code(500);\n}}\n\
         printf(\"classes=%d boot_us=%d\\n\", $found, intdiv(hrtime(true) - $begin, 1000));\n"
    )
}

fn put(path: &Path, text: &str) -> Result<()> {
    let shown = || format!("write {}", path.display());
    path.parent().map_or(Ok(()), std::fs::create_dir_all).attempt(shown)?;
    std::fs::write(path, text).attempt(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services;

    #[test]
    fn a_complete_map_ends_the_search_for_classes_that_do_not_exist() {
        let folder = services::folder().unwrap();
        let size = Size { classes: 120, absent: 30 };
        let app = ComposerApp::write(folder.path(), size).unwrap();
        let plain = app.path_calls().unwrap();
        app.autoload(Autoload::Optimized).unwrap();
        let optimized = app.path_calls().unwrap();
        app.autoload(Autoload::Authoritative).unwrap();
        let authoritative = app.path_calls().unwrap();
        // Class N is in folder N mod 6, after as many others; a name that no class has is in none of the six.
        let before: usize = (0..size.classes).map(|class| class % FOLDERS).sum();
        assert_eq!(plain.missing - authoritative.missing, before + size.absent * FOLDERS);
        assert_eq!(optimized.missing - authoritative.missing, size.absent * FOLDERS);
        assert_eq!(authoritative.missing, 0);
    }
}

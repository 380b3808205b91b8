//! Reads the autoloader that Composer wrote, line by line: its generator puts one entry on each (AutoloadGenerator.php).

use host::Host;

use super::Autoloader;

/// The map of 100,000 classes is 15 MiB.
const MOST_BYTES: usize = 32 << 20;

/// The autoloader below the folder of an application; `None` without one.
pub(super) fn read(host: &dyn Host, root: &str) -> Option<Autoloader> {
    let folder = format!("{root}/vendor/composer");
    let file = format!("{folder}/autoload_real.php");
    let real = host.read(&file).ok()?;
    let other = |name: &str| host.read(&format!("{folder}/{name}")).unwrap_or_default();
    let mut autoloader = of_real(&real);
    autoloader.mapped_classes = entries(&other("autoload_classmap.php")).count() as u64;
    for line in entries(&other("autoload_psr4.php")) {
        let folders = folders(line);
        if is_fallback(line) {
            autoloader.fallback_folders += folders;
        } else {
            autoloader.psr4_prefixes += 1;
            autoloader.psr4_folders += folders;
        }
    }
    let psr0 = other("autoload_namespaces.php");
    autoloader.fallback_folders += entries(&psr0).filter(|line| is_fallback(line)).map(folders).sum::<u64>();
    Some(Autoloader { file, ..autoloader })
}

fn of_real(bytes: &[u8]) -> Autoloader {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(MOST_BYTES)).unwrap_or_default());
    let calls = |call: &str| {
        let mut lines = text.lines().map(str::trim).filter(|line| line.starts_with("$loader->"));
        lines.any(|line| line.contains(call))
    };
    Autoloader {
        authoritative: calls("setClassMapAuthoritative(true)"),
        apcu: calls("setApcuPrefix("),
        ..Autoloader::default()
    }
}

/// Lines of the form `    'KEY' => VALUE,`.
fn entries(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.get(..bytes.len().min(MOST_BYTES)).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    lines.filter(|line| line.starts_with(b"'") && line.windows(4).any(|four| four == b"' =>"))
}

/// Whether an entry is for names of any prefix.
fn is_fallback(line: &[u8]) -> bool {
    line.starts_with(b"'' =>")
}

/// How many folders an entry names: each begins with a variable (`$baseDir . '/src'`).
fn folders(line: &[u8]) -> u64 {
    let named = |name: &[u8]| line.windows(name.len()).filter(|part| *part == name).count() as u64;
    named(b"$baseDir") + named(b"$vendorDir")
}

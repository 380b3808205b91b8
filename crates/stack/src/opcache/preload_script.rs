//! Reads the script that `opcache.preload` names, and looks at the files that it names.

use conf::PhpObstacle;
use host::{Host, Kind, linked_path};

use super::PreloadScript;
use crate::mounts::Mounts;

/// The most files that are looked at, and the most names in folders.
const MOST_FILES: usize = 200;
const MOST_NAMES: usize = 2_000;
/// Larger files are lists, not code.
const MOST_BYTES: usize = 1 << 20;
/// What a script says that takes whole folders.
const TAKES_FOLDERS: [&str; 4] = ["DirectoryIterator", "glob(", "scandir(", "Finder"];

/// Reads the script; nothing on a network file system is touched.
pub(super) fn read(host: &dyn Host, mounts: &Mounts, path: &str) -> PreloadScript {
    let mut script = PreloadScript { file: path.to_owned(), ..PreloadScript::default() };
    let local = |path: &str| mounts.follow(host, path).is_local();
    let bytes = Some(path).filter(|path| local(path)).and_then(|path| host.read(path).ok());
    let Some(bytes) = bytes.filter(|bytes| bytes.len() <= MOST_BYTES) else { return script };
    script.read = true;
    let text = String::from_utf8_lossy(&bytes);
    script.takes_folders = TAKES_FOLDERS.iter().any(|word| text.contains(word));
    let named = paths(&text, path);
    let mut files: Vec<_> = named.iter().filter(|path| path.ends_with(".php")).cloned().collect();
    script.listed = files.len() as u64;
    if script.takes_folders {
        let folders = named.into_iter().filter(|path| local(path) && host.list(path).is_ok());
        script.folders = folders.collect();
        files.extend(script.folders.iter().flat_map(|folder| below(host, mounts, folder)));
    }
    for file in files.iter().filter(|file| local(file)).take(MOST_FILES) {
        let Ok(bytes) = host.read(file) else { continue };
        script.checked += 1;
        let worst = conf::php_file(&bytes).obstacles.into_iter().map(|(obstacle, _)| obstacle).min();
        script.harmful.extend(worst.map(|obstacle| (file.clone(), words(obstacle).to_owned())));
    }
    script
}

fn words(obstacle: PhpObstacle) -> &'static str {
    match obstacle {
        PhpObstacle::ConditionalDeclaration => "declares a class under a condition",
        PhpObstacle::Function => "declares functions",
        PhpObstacle::Constant => "declares constants",
        PhpObstacle::SideEffect => "does something when it is included",
        PhpObstacle::Text => "prints text",
        PhpObstacle::NotUnderstood => "was not understood",
    }
}

/// The absolute paths in quotes; those after `__DIR__ .` are below the script's folder.
fn paths(text: &str, script: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['\'', '"']) {
        let (before, from) = rest.split_at(open);
        let mut letters = from.chars();
        let quote = letters.next().unwrap_or('\'');
        let inside = letters.as_str();
        let Some(close) = inside.find(quote) else { break };
        let (path, after) = inside.split_at(close);
        let beside = before.trim_end().trim_end_matches('.').trim_end().ends_with("__DIR__");
        if beside {
            found.push(linked_path(script, path.trim_start_matches('/')));
        } else if path.starts_with('/') && path.len() > 1 {
            found.push(path.trim_end_matches('/').to_owned());
        }
        rest = after.get(quote.len_utf8()..).unwrap_or_default();
    }
    found
}

/// PHP files below a folder, as many as are looked at.
fn below(host: &dyn Host, mounts: &Mounts, folder: &str) -> Vec<String> {
    let (mut folders, mut files, mut names) = (vec![folder.to_owned()], Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        for entry in host.list_kinds(&folder).unwrap_or_default() {
            names += 1;
            if files.len() >= MOST_FILES || names >= MOST_NAMES {
                return files;
            }
            let path = format!("{folder}/{}", entry.name);
            match entry.kind {
                Kind::File | Kind::Unknown if path.ends_with(".php") => files.push(path),
                Kind::Folder if mounts.of(&path).is_some_and(|mount| !mount.network) => folders.push(path),
                _ => {}
            }
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn a_script_that_walks_whole_folders_is_seen_through() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n");
        let text = "<?php\n$all = [ __DIR__ . '/wp-includes', '/var/www/lib', \"it's\" ];\nforeach ($all as $one) {\n\
                    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($one)) as $f) opcache_compile_file($f);\n}";
        tree.put(0, "/var/www/html/preload.php", text);
        tree.put(
            0,
            "/var/www/html/wp-includes/pluggable.php",
            "<?php if (!function_exists('f')) { function f() {} }",
        );
        tree.put(0, "/var/www/html/wp-includes/class-wp.php", "<?php class WP {}");
        let host = tree.at(0);
        let mounts = Mounts::read(&host).unwrap();
        let script = read(&host, &mounts, "/var/www/html/preload.php");
        assert!(script.read && script.takes_folders);
        assert_eq!(script.folders, ["/var/www/html/wp-includes"]);
        assert_eq!((script.checked, script.harmful.len()), (2, 1));
        assert_eq!(script.harmful[0].0, "/var/www/html/wp-includes/pluggable.php");
    }

    #[test]
    fn a_list_of_classes_is_clean_and_what_is_not_there_is_not_read() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n");
        tree.put(
            0,
            "/srv/preload.php",
            "<?php foreach (['/srv/a.php', '/srv/b.php'] as $f) { opcache_compile_file($f); }",
        );
        tree.put(0, "/srv/a.php", "<?php class A {}");
        let host = tree.at(0);
        let mounts = Mounts::read(&host).unwrap();
        let script = read(&host, &mounts, "/srv/preload.php");
        assert_eq!(
            (script.listed, script.checked, script.harmful.len(), script.takes_folders),
            (2, 1, 0, false)
        );
        assert!(!read(&host, &mounts, "/srv/none.php").read);
        assert!(!read(&host, &Mounts::default(), "/srv/preload.php").read);
    }
}

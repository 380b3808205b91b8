//! Finds and reads the PHP files of an application.

use host::{Host, HostError, Kind};

use super::Candidate;

/// The most names that are looked at. A grown application has 65,000 files.
const MOST_NAMES: usize = 300_000;
/// Folders that hold no part of a library: what they declare is for its developers, or stands in for something else.
const NOT_THE_LIBRARY: [&str; 10] =
    ["bin", "doc", "docs", "examples", "fixtures", "node_modules", "stubs", "test", "testing", "tests"];

/// The PHP files below a folder. Those of `libraries`, folders below it, may be preloaded; Composer's own files may not. Links are
/// not followed.
///
/// # Errors
/// When a folder cannot be read, or there are more names than any application has.
pub fn candidates(host: &dyn Host, root: &str, libraries: &[String]) -> Result<Vec<Candidate>, HostError> {
    let root = if root.len() > 1 { root.trim_end_matches('/') } else { root };
    let libraries: Vec<_> = libraries.iter().map(|folder| folder.trim_matches('/')).collect();
    let (mut folders, mut found, mut names) = (vec![String::new()], Vec::new(), 0);
    while let Some(folder) = folders.pop() {
        let entries = host.list_kinds(&join(root, &folder))?;
        names += entries.len();
        if names > MOST_NAMES {
            let reason = format!("it holds more than {MOST_NAMES} names; name the folder of one application");
            return Err(HostError::Io { path: root.to_owned(), reason });
        }
        for entry in entries {
            let path = join(&folder, &entry.name);
            let is_php = entry.name.ends_with(".php");
            match entry.kind {
                Kind::Folder => folders.push(path),
                Kind::File | Kind::Unknown if is_php => found.push(path),
                Kind::Unknown if host.list(&join(root, &path)).is_ok() => folders.push(path),
                _ => {}
            }
        }
    }
    found.sort_unstable();
    found.into_iter().map(|path| candidate(host, root, path, &libraries)).collect()
}

fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{}/{name}", folder.trim_end_matches('/')),
    }
}

fn candidate(host: &dyn Host, root: &str, path: String, libraries: &[&str]) -> Result<Candidate, HostError> {
    let full = join(root, &path);
    let file = conf::php_file(&host.read(&full)?);
    let eligible = libraries.iter().filter_map(|library| match *library {
        "" | "." => Some(path.as_str()),
        library => path.strip_prefix(library)?.strip_prefix('/'),
    });
    let eligible = eligible.into_iter().any(is_of_a_library);
    Ok(Candidate { path: full, file, eligible })
}

fn is_of_a_library(inside: &str) -> bool {
    let mut folders: Vec<_> = inside.split('/').map(str::to_ascii_lowercase).collect();
    folders.pop();
    let composers = folders.first().is_some_and(|folder| folder == "composer") && folders.len() == 1;
    !composers && !folders.iter().any(|folder| NOT_THE_LIBRARY.contains(&folder.as_str()))
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn only_files_of_libraries_are_eligible_and_links_are_left() {
        let mut tree = Tree::in_memory(1);
        for path in [
            "vendor/autoload.php",
            "vendor/composer/ClassLoader.php",
            "vendor/composer/semver/src/Semver.php",
            "vendor/acme/lib/src/A.php",
            "vendor/acme/lib/Tests/ATest.php",
            "vendor/acme/lib/README.md",
            "src/Kernel.php",
        ] {
            tree.put(0, &format!("/srv/shop/{path}"), "<?php");
        }
        tree.put_link(0, "/srv/shop/loop.php", "/srv/shop");
        let found = candidates(&tree.at(0), "/srv/shop/", &["vendor".to_owned()]).unwrap();
        let shown: Vec<_> =
            found.iter().map(|one| (one.path.trim_start_matches("/srv/shop/"), one.eligible)).collect();
        assert_eq!(
            shown,
            [
                ("src/Kernel.php", false),
                ("vendor/acme/lib/Tests/ATest.php", false),
                ("vendor/acme/lib/src/A.php", true),
                ("vendor/autoload.php", true),
                ("vendor/composer/ClassLoader.php", false),
                ("vendor/composer/semver/src/Semver.php", true),
            ]
        );
        assert!(candidates(&tree.at(0), "/srv/other", &[]).is_err());
    }
}

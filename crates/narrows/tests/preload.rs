//! What `narrows preload` writes, loaded by the real PHP.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

/// Debian's libraries: those that Composer itself needs.
const LIBRARIES: &str = "/usr/share/php";

fn narrows(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_narrows")).args(arguments).env("NO_COLOR", "1").output().unwrap()
}

/// Preloads a script and prints how many classes and scripts were preloaded, warnings first.
fn preloaded(script: &Path) -> String {
    let status = "$s = opcache_get_status(false)['preload_statistics']; printf('%d %d', count($s['classes']), count($s['scripts']));";
    let output = Command::new("php8.2")
        .args([
            "-d",
            "opcache.enable_cli=1",
            "-d",
            "opcache.memory_consumption=256",
            "-d",
            "display_errors=1",
        ])
        .args(["-d", "error_reporting=E_ALL", "-d", "opcache.preload_user=www-data"])
        .args(["-d", &format!("opcache.preload={}", script.display()), "-r", status])
        .output()
        .unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn debians_libraries_preload_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let script = folder.path().join("preload.php");
    let output = narrows(&[
        "preload",
        LIBRARIES,
        "--from",
        "Symfony",
        "--from",
        "Psr",
        "-o",
        script.to_str().unwrap(),
    ]);
    let account = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{account}");
    let classes: u32 = account.split_whitespace().next().unwrap().parse().unwrap();
    assert!(classes >= 100, "{account}");
    let loaded = preloaded(&script);
    let found: Vec<u32> = loaded.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [preloaded_classes, scripts] = found[..] else { panic!("{loaded}") };
    // Anonymous classes count as well; the script itself is one of the scripts.
    assert!(preloaded_classes >= classes, "{loaded} of {account}");
    assert!(scripts > 100, "{loaded}");
}

#[test]
fn a_plugin_that_looks_for_a_class_keeps_it_out() {
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let put = |path: &str, code: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, code).unwrap();
    };
    put("vendor/acme/src/Give.php", "<?php class Give {}");
    put("vendor/acme/src/Kept.php", "<?php class Kept {}");
    put("wp-content/plugins/donate.php", "<?php if (class_exists('Give')) { echo 1; }");
    let output = narrows(&["preload", folder.path().to_str().unwrap()]);
    let script = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(script.contains("/Kept.php'") && !script.contains("Give"), "{script}");
    let file = folder.path().join("preload.php");
    std::fs::write(&file, &script).unwrap();
    assert_eq!(preloaded(&file), "1 2");
}

#[test]
fn a_folder_without_libraries_is_a_mistake_of_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let output = narrows(&["preload", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--from"));
    assert_eq!(narrows(&["preload", "/no/such/folder"]).status.code(), Some(3));
}

//! Debian's Nginx, running: what is read of it is what it says of itself.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that runs a server"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use conf::NginxDocument;
use host::LiveHost;
use stack::nginx::{self, Configuration, Directive};

/// A folder of its own, which goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("narrows-nginx-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("FOLDER", self.text())).unwrap();
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running master, which ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

fn nginx(folder: &Folder) -> Command {
    let mut command = Command::new("/usr/sbin/nginx");
    command.args(["-p", folder.text(), "-c", "nginx.conf", "-e", &format!("{}/error.log", folder.text())]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits until something is there.
#[track_caller]
fn wait<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "waited for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start(folder: &Folder) -> Running {
    let checked =
        nginx(folder).arg("-t").output().unwrap_or_else(|error| panic!("{error}; apt-get install nginx"));
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let child = nginx(folder).args(["-g", "daemon off;"]).stderr(Stdio::null()).stdout(Stdio::null()).spawn();
    let running = Running(child.unwrap_or_else(|error| panic!("{error}; apt-get install nginx")));
    wait("the socket of Nginx", || Path::new(&format!("{}/s.sock", folder.text())).exists().then_some(()));
    running
}

type Line = (String, usize, String);

fn ours(directives: &[Directive], into: &mut BTreeSet<Line>) {
    for one in directives {
        if one.file != "command line" {
            into.insert((one.file.clone(), one.line as usize, format!("{} {}", one.name, one.value())));
        }
        ours(one.children(), into);
    }
}

/// What `nginx -T` prints, file by file, without its includes.
fn printed(folder: &Folder) -> BTreeSet<Line> {
    let output =
        nginx(folder).arg("-T").output().unwrap_or_else(|error| panic!("{error}; apt-get install nginx"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines = BTreeSet::new();
    for part in text.split("# configuration file ").skip(1) {
        let (file, contents) = part.split_once(":\n").unwrap();
        let document = NginxDocument::new(file, contents);
        assert!(document.problems().is_empty(), "{file}: {:?}", document.problems());
        let words = |one: &conf::NginxDirective| {
            let words = one.arguments().iter().map(|word| String::from_utf8_lossy(&word.value).into_owned());
            format!("{} {}", String::from_utf8_lossy(one.name()), words.collect::<Vec<_>>().join(" "))
        };
        let plain = document.directives().iter().filter(|one| one.name() != b"include");
        lines.extend(plain.map(|one| (file.to_owned(), one.line, words(one))));
    }
    lines
}

fn configuration(folder: &Folder) -> Configuration {
    let file = format!("{}/nginx.conf", folder.text());
    let all = nginx::configurations(&LiveHost::new());
    all.into_iter().find(|one| one.file == file).unwrap_or_else(|| panic!("{file} is read"))
}

#[track_caller]
fn same(folder: &Folder) {
    let configuration = configuration(folder);
    assert!(configuration.problems.is_empty(), "{:?}", configuration.problems);
    let mut read = BTreeSet::new();
    ours(&configuration.directives, &mut read);
    let printed = printed(folder);
    let missing: Vec<_> = printed.difference(&read).collect();
    let more: Vec<_> = read.difference(&printed).collect();
    assert!(missing.is_empty() && more.is_empty(), "missing {missing:?}\nmore {more:?}");
    assert!(read.len() > 10, "{read:?}");
}

#[test]
fn debians_files_are_read_as_nginx_reads_them() {
    let folder = Folder::new("stock");
    let main = include_str!("../../conf/tests/fixtures/nginx/nginx.conf");
    let site = include_str!("../../conf/tests/fixtures/nginx/default");
    let main =
        main.replace("/etc/nginx/", "").replace("include modules-enabled", "include FOLDER/modules-enabled");
    let main = main.replace("pid /run/nginx.pid;", "pid FOLDER/pid;").replace("/var/log/nginx", "FOLDER");
    folder.write("nginx.conf", &main);
    folder.write("mime.types", "types {\n text/html html htm;\n text/css css;\n}\n");
    let site = site.replace("listen 80 default_server;", "listen unix:FOLDER/s.sock default_server;");
    folder.write("sites-available/default", &site.replace("listen [::]:80 default_server;", ""));
    std::fs::create_dir_all(folder.0.join("sites-enabled")).unwrap();
    std::os::unix::fs::symlink("../sites-available/default", folder.0.join("sites-enabled/default")).unwrap();
    let _running = start(&folder);
    same(&folder);
}

#[test]
fn quotes_comments_carriage_returns_and_nested_includes_are_read_as_nginx_reads_them() {
    let folder = Folder::new("nasty");
    let main = "# a comment { with ; braces }\npid FOLDER/pid;\nerror_log FOLDER/error.log info;\nworker_processes 2; worker_rlimit_nofile 999;\n\
        events { worker_connections 64; } # after\nhttp {\n  access_log off;\n  log_format long '$remote_addr \"$request\" '\n    '\"{;}\" $status' ;\n\
        \n  map $uri $kind { default \"a;b{c}\"; \"~^/x{2}$\" 'it''s'; }\n  include conf.d/*.conf;include \"other/[a-b].conf\";\n}\n";
    folder.write("nginx.conf", &main.replace("'it''s'", "'it is'"));
    folder.write("conf.d/10-crlf.conf", "gzip on;\r\n# c\r\ngzip_types\r\n  text/css\r\n  text/plain;\r\n");
    folder.write("conf.d/.hidden.conf", "this is not read\n");
    folder.write("conf.d/20.conf.bak", "nor this\n");
    folder.write("other/a.conf", "include snippets/server.conf;");
    folder.write("other/c.conf", "not this either\n");
    folder.write(
        "snippets/server.conf",
        "server {\n  listen unix:FOLDER/s.sock;\n  server_name \"\" a.example;\n  location ~ \"^/a{2,3}\\.php$\" { return 200 \"a; \\\"b\\\" }\"; include snippets/more.conf; }\n\
         \tlocation = /status { stub_status; include snippets/more.conf; }\n  if ($http_user_agent ~* (bot|crawl)) { return 403; }\n  set $x ${uri}y;\n}\n",
    );
    folder.write("snippets/more.conf", "add_header X-A 'b # no comment';\n");
    let running = start(&folder);
    same(&folder);

    let host = LiveHost::new();
    let master = running.0.id();
    let own = || {
        let facts = nginx::read(&host).ok()?;
        facts.instances.into_iter().find(|one| one.master == Some(master) && one.workers.len() == 2)
    };
    let instance = wait("two workers", own);
    assert_eq!(instance.program.as_deref(), Some("/usr/sbin/nginx"));
    assert_eq!(instance.configuration.main("daemon").map(Directive::value).as_deref(), Some("off"));
    assert!(
        instance.workers.iter().all(|worker| worker.open_files_limit == Some(999)),
        "{:?}",
        instance.workers
    );
    let asked = || {
        let counters = nginx::read_counters(&host).ok()?;
        counters.instances.into_iter().find(|one| one.master == master)?.stub_status
    };
    let first = wait("the page of stub_status", asked);
    let second = wait("the page of stub_status", asked);
    assert!(second.requests > first.requests && second.accepts > first.accepts, "{first:?} {second:?}");
    assert_eq!((first.active, first.handled), (1, first.accepts));
}

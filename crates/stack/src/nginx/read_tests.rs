#![allow(clippy::unwrap_used, reason = "a test")]

use host::Tree;

use super::*;
use crate::nginx::Directive;

const MAIN: &str = "worker_processes auto;\nevents { worker_connections 768; }\nhttp {\n  include conf.d/*.conf;\n  include /etc/nginx/sites-enabled/*;\n}\n";

fn host() -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/etc/nginx/nginx.conf", MAIN);
    tree.put(0, "/etc/nginx/conf.d/b.conf", "gzip on;\r\n");
    tree.put(
        0,
        "/etc/nginx/conf.d/a.conf",
        "# a comment { with } braces ;\nmap $http_upgrade $x { default \"a;b\"; }\n",
    );
    tree.put(
        0,
        "/etc/nginx/sites-available/default",
        "server {\n listen 80;\n root \"/var/www/html\";\n include snippets/php.conf;\n}\n",
    );
    tree.put_link(0, "/etc/nginx/sites-enabled/default", "../sites-available/default");
    tree.put(
        0,
        "/etc/nginx/snippets/php.conf",
        "location ~ \\.php$ { fastcgi_pass unix:/run/php/php8.2-fpm.sock; }\n",
    );
    tree
}

fn running(tree: &mut Tree) {
    tree.put(0, "/proc/10/stat", "10 (nginx) S 1 10 10 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 9\n");
    tree.put(
        0,
        "/proc/10/cmdline",
        "nginx: master process /usr/sbin/nginx -g daemon on; worker_priority -5;\0\0",
    );
    tree.put_link(0, "/proc/10/exe", "/usr/sbin/nginx");
    for pid in [11, 12] {
        let stat = format!("{pid} (nginx) S 10 10 10 0 -1 0 0 0 0 0 30 12 0 0 20 0 1 0 9\n");
        tree.put(0, &format!("/proc/{pid}/stat"), stat);
        tree.put(0, &format!("/proc/{pid}/limits"), "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 524288               files     \n");
        tree.put(0, &format!("/proc/{pid}/fd/0"), "");
    }
    tree.put(0, "/proc/11/cmdline", "nginx: worker process\0");
    tree.put(0, "/proc/12/cmdline", "nginx: worker process is shutting down\0");
}

fn outline(directives: &[Directive], into: &mut Vec<String>) {
    for one in directives {
        let file = one.file.rsplit('/').next().unwrap();
        into.push(format!("{} {} @{file}:{}", one.name, one.value(), one.line));
        outline(one.children(), into);
    }
}

#[test]
fn includes_stand_where_they_are_named_and_keep_their_file_and_line() {
    let tree = host();
    let [configuration] = &configurations(&tree.at(0))[..] else { panic!("one configuration") };
    let mut lines = Vec::new();
    outline(&configuration.directives, &mut lines);
    assert_eq!(
        lines,
        [
            "worker_processes auto @nginx.conf:1",
            "events  @nginx.conf:2",
            "worker_connections 768 @nginx.conf:2",
            "http  @nginx.conf:3",
            "map $http_upgrade $x @a.conf:2",
            "default a;b @a.conf:2",
            "gzip on @b.conf:1",
            "server  @default:1",
            "listen 80 @default:2",
            "root /var/www/html @default:3",
            "location ~ \\.php$ @php.conf:1",
            "fastcgi_pass unix:/run/php/php8.2-fpm.sock @php.conf:1",
        ]
    );
    assert!(configuration.problems.is_empty(), "{:?}", configuration.problems);
    assert_eq!(document_roots(std::slice::from_ref(configuration)), ["/var/www/html"]);
}

#[test]
fn a_running_master_is_read_with_its_workers_and_the_directives_of_its_command_line() {
    let mut tree = host();
    running(&mut tree);
    let facts = read(&tree.at(0)).unwrap();
    let [instance] = &facts.instances[..] else { panic!("one instance") };
    assert_eq!((instance.master, instance.program.as_deref()), (Some(10), Some("/usr/sbin/nginx")));
    let worker = Worker { pid: 11, open_files_limit: Some(1024), open_files: Some(1), cpus_allowed: None };
    assert_eq!(instance.workers, [worker]);
    assert_eq!(instance.configuration.main("worker_priority").unwrap().place(), "command line:1");
    let counters = read_counters(&tree.at(0)).unwrap();
    assert_eq!(counters.instances[0].workers[0].cpu_ticks, 42);
    assert!(counters.instances[0].stub_status_unread.as_ref().unwrap().why.contains("no location"));
}

#[test]
fn a_master_in_a_container_is_read_through_its_root() {
    let mut tree = Tree::in_memory(1);
    running(&mut tree);
    tree.put(0, "/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
    tree.put(0, "/proc/10/mountinfo", "90 1 0:61 / / rw - overlay overlay rw\n");
    tree.put(0, "/proc/10/root/etc/nginx/nginx.conf", "http { server { root /app; include extra/*; } }");
    tree.put_link(0, "/proc/10/root/etc/nginx/extra/a", "/srv/a.conf");
    tree.put(0, "/proc/10/root/srv/a.conf", "gzip on;");
    let all = configurations(&tree.at(0));
    assert_eq!(document_roots(&all), ["/proc/10/root/app"]);
    assert_eq!(all[0].blocks(&["server"])[0].own("gzip").unwrap().file, "/etc/nginx/extra/a");
    assert!(all[0].problems.is_empty(), "{:?}", all[0].problems);
}

#[test]
fn what_cannot_be_read_is_a_problem_with_its_place() {
    let mut tree = Tree::in_memory(1);
    tree.put(
        0,
        "/etc/nginx/nginx.conf",
        "http {\n include mime.types;\n include a.conf;\n include torn.conf;\n}\n",
    );
    tree.put(0, "/etc/nginx/a.conf", "include a.conf;");
    tree.put(0, "/etc/nginx/torn.conf", b"gzip on;\n\xff\xfe \"never closed\n".to_vec());
    tree.put(0, "/proc/loadavg", "");
    let facts = read(&tree.at(0)).unwrap();
    let problems = &facts.instances[0].configuration.problems;
    assert!(
        problems.iter().any(|one| one.line == 2 && one.what.contains("mime.types does not exist")),
        "{problems:?}"
    );
    assert!(problems.iter().any(|one| one.what.contains("too deep")), "{problems:?}");
    assert!(problems.iter().any(|one| one.file.ends_with("torn.conf") && one.line == 2), "{problems:?}");
    assert!(facts.instances[0].configuration.in_block("http", "gzip").is_some());
}

#[test]
fn deep_and_endless_files_are_cut_and_said_to_be() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/etc/nginx/nginx.conf", "a {".repeat(50_000));
    let all = configurations(&tree.at(0));
    assert!(!all[0].problems.is_empty());
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/etc/nginx/nginx.conf", "a {".repeat(5_000) + &"}".repeat(5_000));
    let all = configurations(&tree.at(0));
    assert!(all[0].problems.iter().any(|one| one.what.contains("too deep")));
    assert!(all[0].contexts().len() < 100);
}

#[test]
fn a_host_without_nginx_has_no_instance() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/loadavg", "");
    assert_eq!(read(&tree.at(0)), Ok(Facts::default()));
    assert!(configurations(&tree.at(0)).is_empty());
}

//! Faults of throughput, planted into a sane configuration one line each: all are found, and the sane twin is left alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use host::Tree;
use model::{Outcome, Severity, Verdict};
use stack::{Evidence, layers, reading};

mod support {
    pub(super) mod debian;
}

const MAIN: &str = "/etc/nginx/nginx.conf";
const SITE: &str = "/etc/nginx/sites-enabled/shop";

/// The sane configuration: `nginx.conf`.
const SANE_MAIN: &str = "\
user www-data;
worker_processes auto;
worker_rlimit_nofile 8192;
events {
    worker_connections 4096;
}
http {
    include mime.types;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 65;
    keepalive_requests 1000;
    client_body_buffer_size 16k;
    client_header_buffer_size 1k;
    large_client_header_buffers 4 8k;
    fastcgi_buffers 16 16k;
    fastcgi_buffer_size 16k;
    gzip on;
    gzip_comp_level 5;
    gzip_types text/css application/javascript application/json image/svg+xml;
    open_file_cache max=10000 inactive=60s;
    limit_req_zone $binary_remote_addr zone=login:10m rate=1r/s;
    limit_conn_zone $binary_remote_addr zone=perip:10m;
    ssl_session_cache shared:SSL:10m;
    ssl_session_tickets off;
    access_log /var/log/nginx/access.log combined buffer=64k flush=5s;
    include sites-enabled/*;
}
";

/// The sane configuration: the site.
const SANE_SITE: &str = "\
server {
    listen 443 ssl backlog=4096;
    server_name shop.example;
    ssl_certificate /etc/ssl/certs/shop.pem;
    ssl_certificate_key /etc/ssl/private/shop.key;
    root /var/www/shop;
    limit_conn perip 100;
    location / {
        try_files $uri $uri/ /index.php?$args;
    }
    location = /wp-login.php {
        limit_req zone=login burst=5;
        fastcgi_pass unix:/run/php/php8.2-fpm.sock;
    }
    location ~ \\.php$ {
        fastcgi_pass unix:/run/php/php8.2-fpm.sock;
    }
    location ~* \\.(css|js|png|jpe?g|woff2)$ {
        expires 30d;
    }
}
server {
    listen 127.0.0.1:8081;
    location = /nginx_status {
        stub_status;
    }
}
";

/// A fault: the cause that must name it, the file, the line as it is sane, and as it is planted.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("nginx.workers-mismatch", MAIN, "worker_processes auto;", "worker_processes 1;"),
    ("nginx.descriptors-short", MAIN, "worker_rlimit_nofile 8192;", "worker_rlimit_nofile 256;"),
    ("nginx.connections-exhausted", MAIN, "worker_connections 4096;", "worker_connections 512;"),
    ("nginx.sendfile-off", MAIN, "sendfile on;", "sendfile off;"),
    ("nginx.sendfile-off", MAIN, "tcp_nopush on;", "tcp_nopush off;"),
    ("nginx.sendfile-off", MAIN, "tcp_nodelay on;", "tcp_nodelay off;"),
    ("nginx.keepalive-off", MAIN, "keepalive_timeout 65;", "keepalive_timeout 0;"),
    ("nginx.keepalive-off", MAIN, "keepalive_requests 1000;", "keepalive_requests 5;"),
    ("nginx.buffers-mismatched", MAIN, "client_body_buffer_size 16k;", "client_body_buffer_size 1k;"),
    ("nginx.buffers-mismatched", MAIN, "client_header_buffer_size 1k;", "client_header_buffer_size 1m;"),
    (
        "nginx.buffers-mismatched",
        MAIN,
        "large_client_header_buffers 4 8k;",
        "large_client_header_buffers 4 1k;",
    ),
    ("nginx.fastcgi-buffers-exceed-memory", MAIN, "fastcgi_buffers 16 16k;", "fastcgi_buffers 1024 32k;"),
    ("nginx.buffers-mismatched", MAIN, "fastcgi_buffer_size 16k;", "fastcgi_buffer_size 2k;"),
    ("nginx.compression-off", MAIN, "gzip on;", "gzip off;"),
    ("nginx.compression-off", MAIN, "gzip_comp_level 5;", "gzip_comp_level 9;"),
    ("nginx.file-cache-off", MAIN, "open_file_cache max=10000 inactive=60s;", "open_file_cache off;"),
    ("nginx.zones-mismatched", MAIN, "zone=login:10m rate=1r/s;", "zone=login:32k rate=1r/s;"),
    ("nginx.tls-sessions-off", MAIN, "ssl_session_cache shared:SSL:10m;", "ssl_session_cache none;"),
    ("nginx.logs-unbuffered", MAIN, "access.log combined buffer=64k flush=5s;", "access.log combined;"),
    ("nginx.listen-backlog-capped", SITE, "listen 443 ssl backlog=4096;", "listen 443 ssl backlog=65535;"),
    ("nginx.static-without-expiry", SITE, "expires 30d;", "expires off;"),
];

fn status(accepts: u64, handled: u64, requests: u64) -> String {
    format!(
        "Active connections: 180 \nserver accepts handled requests\n {accepts} {handled} {requests} \nReading: 0 Writing: 40 Waiting: 140 \n"
    )
}

/// A host with 4 CPUs on which this configuration runs and serves 400 requests per second.
fn host(main: &str, site: &str, limit: u64, accepted: (u64, u64)) -> Tree {
    let mut tree = support::debian::Machine::default().tree();
    tree.put(0, MAIN, main);
    tree.put(0, SITE, site);
    tree.put(0, "/etc/nginx/mime.types", "types { text/html html; text/css css; }\n");
    for at in [0, 1] {
        tree.put(at, "/proc/10/stat", "10 (nginx) S 1 10 10 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 9\n");
        tree.put(at, "/proc/10/cmdline", "nginx: master process /usr/sbin/nginx\0");
        let workers = if main.contains("worker_processes 1;") { 1 } else { 4 };
        for pid in 11..11 + workers {
            let stat =
                format!("{pid} (nginx) S 10 10 10 0 -1 0 0 0 0 0 {} 12 0 0 20 0 1 0 9\n", 30 + 100 * at);
            tree.put(at, &format!("/proc/{pid}/stat"), stat);
            tree.put(at, &format!("/proc/{pid}/cmdline"), "nginx: worker process\0");
            tree.put(at, &format!("/proc/{pid}/limits"), format!("Max open files  {limit}  524288  files\n"));
        }
    }
    let (accepts, handled) = accepted;
    tree.put(0, "/.narrows/stub-status/127.0.0.1:8081", status(1000, 1000, 10_000));
    tree.put(1, "/.narrows/stub-status/127.0.0.1:8081", status(1000 + accepts, 1000 + handled, 14_000));
    tree
}

fn outcomes(tree: &Tree) -> Vec<(&'static str, Outcome)> {
    let evidence: Evidence = reading::read_tree(tree).unwrap();
    let ours = layers::causes().filter(|(layer, _)| layer.id == "nginx");
    ours.map(|(_, cause)| (cause.id, (cause.test)(&evidence).unwrap_or_else(Outcome::unknown))).collect()
}

fn planted() -> (String, String) {
    let (mut main, mut site) = (SANE_MAIN.to_owned(), SANE_SITE.to_owned());
    for (cause, file, sane, fault) in FAULTS {
        let text = if *file == MAIN { &mut main } else { &mut site };
        assert_eq!(text.matches(sane).count(), 1, "{cause}: {sane}");
        *text = text.replacen(sane, fault, 1);
    }
    (main, site)
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

#[test]
fn every_planted_fault_is_named_with_its_file_and_line() {
    let (main, site) = planted();
    let outcomes = outcomes(&host(&main, &site, 256, (500, 450)));
    for (cause, file, _, fault) in FAULTS {
        let text = if *file == MAIN { &main } else { &site };
        let line = match *fault {
            // The location that says nothing is named, not the line that says so.
            "expires off;" => line_of(text, "(css|js|png"),
            fault => line_of(text, fault),
        };
        let place = format!("{file}:{line}");
        let (_, outcome) = outcomes.iter().find(|(id, _)| id == cause).unwrap();
        assert_eq!(outcome.verdict, Verdict::Confirmed, "{cause}: {outcome:#?}");
        let named = outcome.observations.iter().any(|seen| seen.source == place);
        assert!(named, "{cause}: {fault} at {place}: {outcome:#?}");
    }
    assert!(FAULTS.len() >= 17);
}

#[test]
fn each_fault_alone_is_named_and_its_remedy_makes_the_file_sane_again() {
    for (cause, file, sane, fault) in FAULTS {
        let plant = |name: &str, text: &str| {
            if *file == name { text.replacen(sane, fault, 1) } else { text.to_owned() }
        };
        let (main, site) = (plant(MAIN, SANE_MAIN), plant(SITE, SANE_SITE));
        let (limit, accepted) = match *cause {
            "nginx.descriptors-short" => (256, (500, 500)),
            "nginx.connections-exhausted" => (8192, (500, 450)),
            _ => (8192, (500, 500)),
        };
        let found = outcomes(&host(&main, &site, limit, accepted));
        let (_, outcome) = found.iter().find(|(id, _)| id == cause).unwrap();
        assert_eq!(outcome.verdict, Verdict::Confirmed, "{fault}: {outcome:#?}");
        let edits: Vec<_> = outcome.remedies.iter().flat_map(|remedy| &remedy.changes).collect();
        assert!(!edits.is_empty(), "{fault}");
        let (main, site) = (edited(&edits, MAIN, &main), edited(&edits, SITE, &site));
        let after = outcomes(&host(&main, &site, 8192, (500, 500)));
        let (_, outcome) = after.iter().find(|(id, _)| id == cause).unwrap();
        assert_eq!(outcome.verdict, Verdict::RuledOut, "{fault}: {outcome:#?}\n{main}\n{site}");
    }
}

/// A file after the edits that changes make in it.
fn edited(changes: &[&model::Change], path: &str, text: &str) -> String {
    let mut document = conf::NginxDocument::new(path, text);
    for change in changes {
        let model::ChangeKind::File { path: of, edits, .. } = &change.what else { continue };
        for edit in edits.iter().filter(|_| of == path) {
            let model::Edit::Nginx { block, directive, first_argument, to } = edit else {
                panic!("{edit:?}")
            };
            let first = first_argument.as_deref();
            match to {
                model::DirectiveEdit::Arguments { arguments } => {
                    document.set_arguments(block, directive, first, arguments)
                }
                model::DirectiveEdit::Parameter { name, value } => {
                    document.set_parameter(block, directive, first, name, value)
                }
                model::DirectiveEdit::Removed => document.remove(block, directive, first),
                other => panic!("{other:?}"),
            }
            .unwrap();
        }
    }
    String::from_utf8(document.into_bytes()).unwrap()
}

#[test]
fn the_sane_twin_is_accused_of_nothing() {
    for (id, outcome) in outcomes(&host(SANE_MAIN, SANE_SITE, 8192, (500, 500))) {
        assert_eq!(outcome.verdict, Verdict::RuledOut, "{id}: {outcome:#?}");
    }
}

#[test]
fn debians_own_configuration_is_accused_of_nothing_that_has_an_effect() {
    let main = include_str!("../../conf/tests/fixtures/nginx/nginx.conf");
    let site = include_str!("../../conf/tests/fixtures/nginx/default");
    let mut tree = host(main, site, 1024, (0, 0));
    tree.put(0, "/etc/nginx/sites-enabled/default", site);
    tree.remove(SITE);
    for (id, outcome) in outcomes(&tree) {
        let mild = outcome.severity <= Severity::Hygiene;
        let accused = matches!(outcome.verdict, Verdict::Confirmed | Verdict::Consistent);
        assert!(!accused || mild, "{id}: {outcome:#?}");
    }
}

#[test]
fn a_thousand_sites_are_judged_and_their_places_are_bounded() {
    let site = |number: usize| {
        let locations =
            "  location / { try_files $uri =404; }\n  location ~* \\.(css|js)$ { expires off; }\n";
        let more: String =
            (0..8).map(|place| format!("  location /p{place} {{ sendfile off; }}\n")).collect();
        format!(
            "server {{\n  listen 80;\n  server_name s{number}.example;\n  root /srv/{number};\n{locations}{more}}}\n"
        )
    };
    let sites: String = (0..1000).map(site).collect();
    let mut tree = host(SANE_MAIN, SANE_SITE, 8192, (500, 500));
    tree.put(0, "/etc/nginx/sites-enabled/thousand", sites);
    let outcomes = outcomes(&tree);
    let (_, outcome) = outcomes.iter().find(|(id, _)| *id == "nginx.sendfile-off").unwrap();
    assert!(outcome.summary.ends_with("and 7999 more"), "{}", outcome.summary);
    let edits = outcome.remedies.iter().flat_map(|remedy| &remedy.changes).map(|change| match &change.what {
        model::ChangeKind::File { edits, .. } => edits.len(),
        _ => 0,
    });
    assert_eq!((outcome.observations.len(), edits.sum::<usize>()), (24, 64));
}

#[test]
fn connections_and_workers_are_stations() {
    let evidence = reading::read_tree(&host(SANE_MAIN, SANE_SITE, 8192, (500, 490))).unwrap();
    let stations: Vec<_> = layers::LAYERS
        .iter()
        .filter(|layer| layer.id == "nginx")
        .flat_map(|layer| (layer.stations)(&evidence))
        .collect();
    let shown: Vec<_> = stations
        .iter()
        .map(|one| (one.id.as_str(), one.servers, one.busy, one.arrivals_per_s, one.lost_per_s))
        .collect();
    let connections = ("nginx.connections:10", Some(16_384.0), Some(220.0), Some(50.0), Some(1.0));
    assert_eq!(shown, [connections, ("nginx.workers:10", Some(4.0), Some(0.4), Some(400.0), None)]);
}

#[test]
fn a_host_without_nginx_is_told_so() {
    let tree = support::debian::Machine::default().tree();
    for (id, outcome) in outcomes(&tree) {
        assert_eq!(
            (outcome.verdict, outcome.summary.as_str()),
            (Verdict::RuledOut, "no Nginx on this host"),
            "{id}"
        );
    }
}

//! More clients come at once than the server takes.

use std::thread;
use std::time::Duration;

use crate::faults::wait::wait_until;
use crate::faults::{FaultError, Result};
use crate::machine::count;
use crate::parts::course::Metric;
use crate::parts::database::clients::{Crowd, Sessions, crowd, percentile_ms};
use crate::parts::database::course::Course;
use crate::parts::database::meter::{Measured, meanwhile};
use crate::parts::database::{Database, wordpress};
use crate::scenario::{Scenario, World};
use crate::score::Score;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "connection-storm",
    title: "2,000 clients at once: a thread for each, a pool of threads, and a queue in front",
    world: World::Namespaces,
    quick: false,
    run,
};

const CAUSE: &str = "mysql.connections-exhausted";
const RIVALS: &[&str] = &["sockets.accept-queue-overflow", "mysql.buffer-pool-small"];
/// Clients that come at once.
const CLIENTS: usize = 2000;
/// The same in every phase: a listen queue that holds them all, so that it is not what turns them away.
const QUEUE: &str = "back_log = 4096\n";
/// Fewer than come, as ProxySQL was given in front of a server.
const FEW: &str = "max_connections = 400\n";
/// Not quite as many as come. The most connections that a server has had are never more than it may have, so that what is
/// missing shows only in part: narrows raises the limit by a quarter, which is enough here.
const SOME: &str = "max_connections = 1700\n";
/// More than come.
const MANY: &str = "max_connections = 3000\n";
/// Threads that work, however many clients there are.
const POOL: &str = "thread_handling = pool-of-threads\nthread_pool_max_threads = 40\n";
/// Where the queue in front listens.
const FRONT: u16 = 3307;
/// Lets 300 connections through at once, and lets the others wait.
const HAPROXY: &str = "global
    maxconn 4000
    log /dev/null local0
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout queue 60s
listen database
    bind 127.0.0.1:3307
    server mariadb 127.0.0.1:3306 maxconn 300
";

/// Five questions of each, as of a page that computes for a while after each answer.
fn sessions(port: u16) -> Sessions {
    Sessions {
        clients: CLIENTS,
        port,
        statements: vec![wordpress::latest_flags(); 5],
        pause: Duration::from_millis(500),
    }
}

fn storm(database: &Database) -> Result<()> {
    crowd(database, &sessions(3306)).map(drop)
}

/// Clients turned away of 100, and the 99th percentile of the time until one is let in, in ms.
fn measure(database: &Database) -> Result<[f64; 2]> {
    let crowd = crowd(database, &sessions(3306))?;
    Ok([crowd.turned_away_of_100(), percentile_ms(&crowd.connects, 99)])
}

fn told(what: &str, crowd: &Crowd, measured: &Measured) -> String {
    let Measured { seconds, cpu_s, threads, runnable, switches, .. } = measured;
    let (p50, p99) = (percentile_ms(&crowd.connects, 50), percentile_ms(&crowd.connects, 99));
    let (query50, query99) = (percentile_ms(&crowd.answers, 50), percentile_ms(&crowd.answers, 99));
    format!(
        "{what}: {} of {CLIENTS} let in, {} × error 1040, {} other failures; {threads} threads, about {runnable} of them \
         runnable at once, {cpu_s:.2} s CPU of the server in {seconds:.1} s, {switches} context switches of the whole \
         machine; let in p50 {p50:.0} ms, p99 {p99:.0} ms; answer p50 {query50:.1} ms, p99 {query99:.1} ms",
        crowd.connects.len(),
        crowd.turned_away,
        crowd.failures.len(),
    )
}

/// What a storm does to the server as it is now.
fn observe(score: &mut Score, database: &Database, what: &str, port: u16) -> Result<Measured> {
    let (crowd, measured) = meanwhile(database, || crowd(database, &sessions(port)))?;
    score.remarks.push(told(what, &crowd, &measured));
    match crowd.failures.first() {
        None => Ok(measured),
        Some(failure) => {
            Err(FaultError::new(format!("{what}: {} clients failed, {failure}", crowd.failures.len())))
        }
    }
}

/// The same load on servers that differ in one setting each.
fn compare(score: &mut Score, database: &Database) -> Result<()> {
    let per_client = observe(score, database, "a thread for each connection", 3306)?;
    database.restart_with(&format!("{QUEUE}{FEW}"))?;
    let refusing = observe(score, database, "400 connections", 3306)?;
    if refusing.refused < 1.0 {
        return Err(FaultError::new("400 connections were enough"));
    }
    database.machine.site.write("/etc/haproxy/haproxy.cfg", HAPROXY)?;
    database.machine.run(&["haproxy", "-D", "-f", "/etc/haproxy/haproxy.cfg"])?;
    wait_until("a queue in front of the server", || {
        database.within(|| Ok(std::net::TcpStream::connect(("127.0.0.1", FRONT)).is_ok()))
    })?;
    // What looked for it is let through to the server, and has to be gone.
    thread::sleep(Duration::from_millis(300));
    let queued =
        observe(score, database, "400 connections, and HAProxy in front that lets 300 through", FRONT)?;
    if queued.refused > 0.0 {
        return Err(FaultError::new(format!("{} clients were refused behind the queue", queued.refused)));
    }
    database.restart_with(&format!("{QUEUE}{MANY}{POOL}"))?;
    let pooled = observe(score, database, "a pool of threads", 3306)?;
    for (what, measured) in [("the pool of threads", pooled), ("the queue in front", queued)] {
        if measured.threads * 3.0 > per_client.threads || per_client.threads < count(CLIENTS) / 2.0 {
            return Err(FaultError::new(format!(
                "{what} has {} threads, and one for each connection {}",
                measured.threads, per_client.threads
            )));
        }
    }
    Ok(())
}

fn run(score: &mut Score) -> Result<()> {
    let database = Database::boot(&format!("{QUEUE}{MANY}"))?;
    wordpress::flags(&database, 20_000)?;
    let course =
        Course { cause: CAUSE, rivals: RIVALS, window: "8s", load: &storm, every: Duration::from_secs(3) };
    compare(score, &database)?;
    course.look_at_twin(score, &database)?;
    database.restart_with(&format!("{QUEUE}{SOME}"))?;
    let metrics = [
        Metric::falls_to(0.0, &format!("clients turned away of 100, {CLIENTS} at once")),
        Metric::remark("time to be let in, p99, ms"),
    ];
    course.take(score, &database, metrics, measure).map(drop)
}

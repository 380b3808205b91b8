//! Reads the status page of a pool.

use host::kernel::Listener;
use host::{Host, Question};
use model::Unread;
use serde_json::Value;

use super::super::{Pool, Process as Shown, Status};
use super::free::may_be_asked;
use super::listen;
use super::processes::Process;

/// Asks a pool for its status page.
///
/// # Errors
/// When it has none, or nobody is free to answer.
pub(super) fn read(
    host: &dyn Host,
    pool: &Pool,
    workers: &[&Process],
    listeners: &[Listener],
) -> Result<Status, Unread> {
    let Some(path) = pool.value("pm.status_path").filter(|path| path.starts_with('/')) else {
        return Err(without_page(pool));
    };
    let own = pool.value("pm.status_listen").filter(|listen| !listen.trim().is_empty());
    let address = match own {
        Some(own) => listen::canonical(own, "/usr"),
        None => {
            may_be_asked(host, pool, workers, listeners)?;
            pool.listen.clone()
        }
    };
    let answer = host.ask(&Question::FpmStatus { address, path: path.to_owned() }).map_err(|error| {
        let how = "see whether `pm.status_path` stands in the file that the running PHP-FPM was started with";
        Unread::new(format!("the status page of pool {}: {error}", pool.name), how)
    })?;
    parse(&answer).ok_or_else(|| {
        let why = format!("the status page of pool {} is no JSON of PHP-FPM", pool.name);
        Unread::new(why, "look at it with `cgi-fcgi`, and report it")
    })
}

fn without_page(pool: &Pool) -> Unread {
    let name = &pool.name;
    Unread::new(
        format!("pool {name} has no status page"),
        format!(
            "add `pm.status_path = /fpm-status` to [{name}] in {}, reload PHP-FPM, and let no location of the web server \
             pass that path on",
            pool.file
        ),
    )
}

/// Parses `?json&full` (`fpm_status_handle_request` in sapi/fpm/fpm/fpm_status.c).
fn parse(bytes: &[u8]) -> Option<Status> {
    let page: Value = serde_json::from_str(&String::from_utf8_lossy(bytes)).ok()?;
    let processes = page.get("processes").and_then(Value::as_array);
    Some(Status {
        accepted: number(&page, "accepted conn")?,
        listen_queue: number(&page, "listen queue")?,
        max_listen_queue: number(&page, "max listen queue")?,
        idle: count(&page, "idle processes")?,
        active: count(&page, "active processes")?,
        max_active: count(&page, "max active processes")?,
        max_children_reached: number(&page, "max children reached")?,
        slow_requests: number(&page, "slow requests").unwrap_or(0),
        processes: processes.into_iter().flatten().filter_map(process).collect(),
    })
}

fn number(of: &Value, name: &str) -> Option<u64> {
    of.get(name)?.as_u64()
}

fn count(of: &Value, name: &str) -> Option<u32> {
    u32::try_from(number(of, name)?).ok()
}

fn process(of: &Value) -> Option<Shown> {
    let text = |name: &str| of.get(name).and_then(Value::as_str);
    let script = text("script").filter(|script| *script != "-" && !script.is_empty());
    Some(Shown {
        pid: count(of, "pid")?,
        state: text("state").unwrap_or_default().to_owned(),
        requests: number(of, "requests").unwrap_or(0),
        request_duration_us: number(of, "request duration").unwrap_or(0),
        script: script.map(|script| script.split('?').next().unwrap_or_default().to_owned()),
        last_request_cpu: of.get("last request cpu").and_then(Value::as_f64),
        last_request_memory: number(of, "last request memory"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PHP 8.2.36 answers; one of its two processes is left out.
    const PAGE: &str = r#"{"pool":"www","process manager":"static","start time":1795296000,"start since":12,
        "accepted conn":7,"listen queue":0,"max listen queue":3,"listen queue len":128,"idle processes":1,
        "active processes":1,"total processes":2,"max active processes":2,"max children reached":1,"slow requests":4,
        "processes":[{"pid":71,"state":"Idle","start time":1795296000,"start since":12,"requests":5,
        "request duration":100250,"request method":"GET","request uri":"/a.php?token=x","content length":0,"user":"-",
        "script":"/srv/a.php?token=x","last request cpu":9.98,"last request memory":2097152}]}"#;

    #[test]
    fn a_page_becomes_counters_without_query_strings() {
        let status = parse(PAGE.as_bytes()).unwrap();
        assert_eq!((status.accepted, status.max_listen_queue, status.idle, status.active), (7, 3, 1, 1));
        assert_eq!((status.max_active, status.max_children_reached, status.slow_requests), (2, 1, 4));
        let process = &status.processes[0];
        assert_eq!((process.pid, process.requests, process.request_duration_us), (71, 5, 100_250));
        assert_eq!(process.script.as_deref(), Some("/srv/a.php"));
        assert_eq!((process.last_request_cpu, process.last_request_memory), (Some(9.98), Some(2_097_152)));
        assert!(!format!("{status:?}").contains("token"));
    }

    #[test]
    fn what_is_no_page_is_none() {
        for bytes in [&b""[..], b"{}", b"[]", b"File not found.", b"{\"accepted conn\":-1}"] {
            assert_eq!(parse(bytes), None);
        }
    }
}

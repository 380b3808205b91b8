//! What is known of each Nginx on the host.

use std::collections::BTreeMap;

use model::Unread;
use serde::{Deserialize, Serialize};

use super::{CacheFolder, Configuration};
use crate::quantiles::Quantiles;

/// Every Nginx of the host, read once per window, at its end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each master with its configuration. One that is configured and does not run has no master.
    pub instances: Vec<Instance>,
    /// The folders of caches, with the file systems they are on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_folders: Vec<CacheFolder>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// One Nginx.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    /// The master's process; `None` when it does not run.
    pub master: Option<u32>,
    /// The program.
    pub program: Option<String>,
    /// Its control group, below the hierarchy's root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
    /// Its workers.
    pub workers: Vec<Worker>,
    /// The configuration that its files hold now.
    pub configuration: Configuration,
    /// What each access log says of the last minutes.
    pub access_logs: Vec<AccessLog>,
    /// What each error log says of the last minutes.
    pub error_logs: Vec<ErrorLog>,
}

/// A worker process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// The process.
    pub pid: u32,
    /// The most files it may have open (`Max open files` of `/proc/PID/limits`, the soft limit).
    pub open_files_limit: Option<u64>,
    /// The files it has open, sockets among them.
    pub open_files: Option<u64>,
    /// The CPUs it may run on, where it may not run on all (`Cpus_allowed_list`).
    pub cpus_allowed: Option<String>,
}

/// What the end of an access log says. Lines are counted by the time they carry; `recent_s` before the log's end count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessLog {
    /// The file.
    pub path: String,
    /// The name of its `log_format`.
    pub format: String,
    /// Seconds from the first line that was counted to the last.
    pub span_s: f64,
    /// When the last line was written, in seconds since 1970.
    pub last_unix_s: Option<f64>,
    /// Seconds that local time was ahead of Greenwich, where its lines say so.
    pub zone_s: Option<i32>,
    /// Requests that were counted.
    pub requests: u64,
    /// Lines that the format does not fit.
    pub unparsed: u64,
    /// Requests by status.
    pub status: BTreeMap<u16, u64>,
    /// Whether its format has a time that upstreams took, so that none means that none was asked.
    pub times_upstreams: bool,
    /// Seconds from the first byte of a request to the last of its response (`$request_time`). Slow clients are in it.
    pub request_time_s: Option<Quantiles>,
    /// Seconds that upstreams took (`$upstream_response_time`), of requests that had one.
    pub upstream_response_time_s: Option<Quantiles>,
    /// Seconds until upstreams sent a header (`$upstream_header_time`).
    pub upstream_header_time_s: Option<Quantiles>,
    /// Seconds until upstreams were connected to (`$upstream_connect_time`).
    pub upstream_connect_time_s: Option<Quantiles>,
    /// Bytes of response bodies (`$body_bytes_sent`) of requests that had an upstream where that is known, else of all.
    pub body_bytes: Option<Quantiles>,
    /// Bytes that upstreams answered with (`$upstream_response_length`, `$upstream_bytes_received`).
    pub upstream_bytes: Option<Quantiles>,
    /// Requests by `$upstream_cache_status`.
    pub cache: BTreeMap<String, u64>,
    /// The paths that took most time, or were asked for most where the log has no times. Query strings are taken out.
    pub top: Vec<UriUse>,
    /// What all other paths were asked for together; its path is empty.
    pub others: UriUse,
    /// Requests second by second, oldest first; seconds without any are left out.
    pub seconds: Vec<SecondUse>,
    /// Requests to `/wp-cron.php`.
    pub wp_cron: Option<UriUse>,
    /// Why nothing of it was counted; the other fields are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
}

/// What one path was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UriUse {
    /// The path, without its query string.
    pub path: String,
    /// Requests.
    pub requests: u64,
    /// Seconds they took together; `None` where the log has no times.
    pub seconds: Option<f64>,
    /// Answers from 500 on.
    pub errors: u64,
}

/// The requests that ended in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecondUse {
    /// The second, since 1970.
    pub unix_s: u64,
    /// Requests.
    pub requests: u32,
    /// The longest of them, in seconds, by the upstream's time where the log has it.
    pub longest_s: Option<f32>,
    /// The mean, in seconds.
    pub mean_s: Option<f32>,
    /// Answers 502.
    pub bad_gateway: u32,
    /// Answers 504.
    pub gateway_timeout: u32,
    /// Requests that an upstream was asked for and no cache answered (`MISS`, `EXPIRED`, `BYPASS`).
    pub asked_upstream: u32,
}

/// What the end of an error log says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorLog {
    /// The file.
    pub path: String,
    /// Seconds from the first line that was counted to the last.
    pub span_s: f64,
    /// The least level that it takes (`warn`, `error`); lines below are not there.
    pub level: Option<String>,
    /// When the last line was written, in seconds since 1970 by the host's local time.
    pub last_unix_s: Option<f64>,
    /// Seconds that local time was ahead of Greenwich, where an access log says so.
    pub zone_s: Option<i32>,
    /// What was counted, most frequent first.
    pub kinds: Vec<ErrorCount>,
    /// Lines that are of no kind below.
    pub others: u64,
    /// Why nothing of it was counted; the other fields are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
}

/// How often one kind of error was logged, towards one upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorCount {
    /// The kind.
    pub kind: ErrorKind,
    /// The upstream it speaks of, such as `fastcgi://unix:/run/php/php8.2-fpm.sock:`.
    pub upstream: Option<String>,
    /// Lines.
    pub count: u64,
}

/// What an error of Nginx means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// `connect() … failed (11: Resource temporarily unavailable)`: the Unix socket's queue was full.
    QueueFull,
    /// `connect() … failed (111: Connection refused)`: nobody listens.
    Refused,
    /// `connect() … failed (2: No such file or directory)`: there is no such socket.
    NoSocket,
    /// `connect() … failed (13: Permission denied)`.
    NotAllowed,
    /// `connect() … failed (99: Cannot assign requested address)`: no local port is left.
    NoPort,
    /// `upstream timed out (110: …) while connecting`.
    ConnectTimedOut,
    /// `upstream timed out (110: …) while reading response header`, or while reading or sending.
    AnswerTimedOut,
    /// `recv() failed (104: …)`, `upstream prematurely closed connection`: the worker ended within the request.
    ClosedEarly,
    /// `no live upstreams`.
    NoLiveUpstream,
    /// `upstream sent too big header`.
    HeaderTooBig,
    /// `an upstream response is buffered to a temporary file`.
    ResponseToFile,
    /// `a client request body is buffered to a temporary file`.
    BodyToFile,
    /// `worker_connections are not enough`.
    NoConnections,
    /// `accept() failed (24: Too many open files)`, `open() … failed (24: …)`.
    NoDescriptors,
    /// `Primary script unknown`: the path given to PHP names no file.
    ScriptUnknown,
    /// `PHP message:` on the error stream of FastCGI.
    PhpMessage,
    /// `cache … could not allocate node in cache keys zone`.
    CacheZoneFull,
    /// `(28: No space left on device)`.
    NoSpace,
    /// Anything else.
    #[default]
    Other,
}

/// What counts up, at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Each master's.
    pub instances: Vec<InstanceCounters>,
}

/// What counts up of one Nginx.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceCounters {
    /// The master's process.
    pub master: u32,
    /// CPU time of each worker in clock ticks, and the files it has open.
    pub workers: Vec<WorkerCounters>,
    /// `stub_status`, where a location has it that this host may ask.
    pub stub_status: Option<StubStatus>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stub_status_unread: Option<Unread>,
}

/// What counts up of a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerCounters {
    /// The process.
    pub pid: u32,
    /// User and system time, in clock ticks of 1/100 s.
    pub cpu_ticks: u64,
    /// Sockets and files it has open.
    pub open_files: Option<u64>,
}

/// The page of `ngx_http_stub_status_module`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StubStatus {
    /// Connections of clients now, idle ones among them.
    pub active: u64,
    /// Connections accepted since the start.
    pub accepts: u64,
    /// Connections handled; those accepted and not handled ran into a limit.
    pub handled: u64,
    /// Requests since the start.
    pub requests: u64,
    /// Connections on which a request is being read.
    pub reading: u64,
    /// Connections on which an answer is being made or sent.
    pub writing: u64,
    /// Idle connections that are kept.
    pub waiting: u64,
}

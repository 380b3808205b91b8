//! Parameters that are wrong in themselves: the figure that the remedy promises to move is the parameter.
//!
//! Each is wrong in the kernel and in a file, as it is where a guide was followed.

use std::net::TcpListener;
use std::thread;

use super::round::{Expected, there_and_back};
use crate::faults::netns::Namespace;
use crate::faults::tools::machine_alone;
use crate::faults::{Attempt, FaultError, Result};
use lab::site::Site;

/// The file of the guide.
const FILE: &str = "/etc/sysctl.d/60-guide.conf";
/// A port of the kind that services have.
const PORT: u16 = 3306;

/// What a remedy gives a parameter.
#[derive(Clone, Copy)]
enum To {
    Value(&'static str),
    /// What a new network namespace has.
    Own,
    /// Nothing at once: the kernel chooses at the next boot, without the line of the file.
    NoLine,
}

/// One cause: what is set to make it, and what becomes of that.
struct Case {
    cause: &'static str,
    /// Parameters with their values, and what the remedy makes of them; `None` for those it leaves alone.
    parameters: &'static [(&'static str, &'static str, Option<To>)],
    /// Whether the line stays in its file with the new value. Else it goes.
    edited: bool,
}

const fn one(cause: &'static str, parameters: &'static [(&'static str, &'static str, Option<To>)]) -> Case {
    Case { cause, parameters, edited: false }
}

const CASES: [Case; 10] = [
    one("sockets.syncookies-off", &[("net.ipv4.tcp_syncookies", "0", Some(To::Value("1")))]),
    one(
        "sockets.timestamps-off-with-reuse",
        &[("net.ipv4.tcp_timestamps", "0", Some(To::Value("1"))), ("net.ipv4.tcp_tw_reuse", "1", None)],
    ),
    one("sockets.orphan-retries-low", &[("net.ipv4.tcp_orphan_retries", "2", Some(To::Value("0")))]),
    Case {
        cause: "sockets.port-range-over-services",
        parameters: &[
            ("net.ipv4.ip_local_reserved_ports", "", Some(To::Value("3306"))),
            ("net.ipv4.ip_local_port_range", "2000 65000", Some(To::Value("10240 65000"))),
        ],
        edited: true,
    },
    Case {
        cause: "sockets.fastopen-without-listener",
        parameters: &[("net.ipv4.tcp_fastopen", "3", Some(To::Value("1")))],
        edited: true,
    },
    Case {
        cause: "sockets.receive-default-lowered",
        parameters: &[("net.ipv4.tcp_rmem", "4096 87380 6291456", Some(To::Value("4096 131072 6291456")))],
        edited: true,
    },
    one("sockets.somaxconn-inert", &[("net.core.somaxconn", "8192", Some(To::Value("4096")))]),
    one("sockets.syn-backlog-inert", &[("net.ipv4.tcp_max_syn_backlog", "5000", Some(To::Own))]),
    one("sockets.time-wait-buckets-changed", &[("net.ipv4.tcp_max_tw_buckets", "5000", Some(To::NoLine))]),
    one("sockets.optmem-huge", &[("net.core.optmem_max", "4194304", Some(To::Own))]),
];

/// A namespace that is a machine to narrows, with a service, and what the cases set.
struct Ground {
    namespace: Namespace,
    site: Site,
    _service: TcpListener,
    expected: Vec<Expected>,
}

impl Ground {
    fn of(cases: &[&Case]) -> Result<Self> {
        let namespace = Namespace::create()?;
        let service = namespace
            .run(|| TcpListener::bind(("127.0.0.1", PORT)).attempt(|| format!("listen on port {PORT}")))?;
        let site = Site::own(&namespace)?;
        let (mut expected, mut lines) = (vec![], String::from("# as the guide says\n"));
        let mut shortened = 0;
        for case in cases {
            for (key, value, to) in case.parameters {
                let own = site.parameter(key)?;
                if !value.is_empty() {
                    namespace.set(&key.replace('.', "/"), value)?;
                    lines.push_str(&format!("{key} = {value}\n"));
                }
                let from = site.parameter(key)?;
                let to = match to {
                    None => continue,
                    Some(To::Value(value)) => (*value).to_owned(),
                    Some(To::Own) => own,
                    Some(To::NoLine) => continue,
                };
                expected.push(Expected::parameter(case.cause, key, &from, &to));
            }
            if !case.edited {
                shortened += 1;
                let id = if shortened == 1 { FILE.to_owned() } else { format!("{FILE}#{shortened}") };
                expected.push(Expected::file(if cases.len() == 1 { case.cause } else { "sockets." }, &id));
            }
        }
        site.write(FILE, &lines)?;
        Ok(Self { namespace, site, _service: service, expected })
    }
}

fn goes_there_and_back(case: &Case) -> Result<()> {
    let ground = Ground::of(&[case])?;
    let options = ["--for", "1s", "--severity", "folklore", "--only", case.cause];
    let file = || ground.site.read(FILE);
    let moved = |_: &change::plan::Plan| {
        let file = file()?;
        for (key, value, to) in
            case.parameters.iter().filter(|(_, value, to)| !value.is_empty() && to.is_some())
        {
            let wrong = file.lines().any(|line| line == format!("{key} = {value}"));
            let right = file.lines().any(|line| line.starts_with(&format!("{key} =")));
            if wrong || right != case.edited {
                return Err(FaultError::new(format!("{key}, wanted {:?}, in\n{file}", to.is_some())));
            }
        }
        Ok(())
    };
    let first = there_and_back(&ground.site, &options, &ground.expected, moved, || Ok(()))?;
    let again = ground.site.plan(&options)?;
    assert_eq!(again.hash, first.hash, "the same plan again after undo");
    drop(ground.namespace);
    Ok(())
}

#[test]
fn each_wrong_parameter_goes_back_to_the_kernels_own_value() -> Result<()> {
    // bpftune, of which a test pretends that it runs, would claim some of them.
    let _alone = machine_alone()?;
    CASES.chunks(3).try_for_each(at_once)
}

fn at_once(cases: &[Case]) -> Result<()> {
    thread::scope(|scope| {
        let start = |case| (case, scope.spawn(move || goes_there_and_back(case)));
        let started: Vec<(&Case, _)> = cases.iter().map(start).collect();
        for (Case { cause, .. }, thread) in started {
            match thread.join() {
                Ok(outcome) => outcome.map_err(|error| FaultError::new(format!("{cause}: {error}")))?,
                Err(_) => return Err(FaultError::new(format!("{cause} panicked, see above"))),
            }
        }
        Ok(())
    })
}

#[test]
fn wrong_parameters_of_many_causes_go_back_in_one_transaction() -> Result<()> {
    let _alone = machine_alone()?;
    // Without cookies the queue's length counts, so that its cause is not one then.
    let together = CASES.iter().filter(|case| case.cause != "sockets.syn-backlog-inert");
    let ground = Ground::of(&together.collect::<Vec<_>>())?;
    let options = ["--for", "1s", "--severity", "folklore", "--only", "sockets"];
    let moved = |_: &change::plan::Plan| Ok(());
    there_and_back(&ground.site, &options, &ground.expected, moved, || Ok(()))?;
    Ok(())
}

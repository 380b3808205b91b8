//! Others who change the same host: a second narrows, an administrator.

use std::fs;

use super::kills::{Trial, succeed};
use super::scenarios::{edited_file, steering, sysctl, together};
use super::tracer::Interference;
use crate::faults::{Attempt, Result};

const REFUSED: i32 = 4;
const INCOMPLETE: i32 = 5;
/// More changes than any transaction makes.
const MOST: usize = 5000;

#[test]
fn of_two_that_apply_at_once_one_is_refused() -> Result<()> {
    let trial = Trial::prepare(|world| sysctl(world, "net.ipv4.tcp_fin_timeout", "30"))?;
    let (mut first_won, mut second_won, mut told) = (0, 0, 0);
    for change in 1..MOST {
        let state = trial.state();
        let second = std::sync::Mutex::new(None);
        let work = || {
            *second.lock().unwrap() = Some(trial.apply(&state, Interference::None)?);
            Ok(())
        };
        let first = trial.apply(&state, Interference::Meanwhile(change, &work))?;
        let Some(second) = second.into_inner().unwrap() else { break };
        match (first.code, second.code) {
            (Some(0), Some(REFUSED)) => first_won += 1,
            (Some(REFUSED), Some(0)) => second_won += 1,
            // The second came when all was done, and found nothing to do or a host that had moved on.
            codes => assert_eq!(codes, (Some(0), Some(0)), "{}\n{}", first.said, second.said),
        }
        told += usize::from(in_one_line(&second.said).contains("narrows with process ID"));
        succeed("undo", &trial.undo(&state, Interference::None)?)?;
        assert_eq!(trial.losses(&state)?, [""; 0], "at change {change}");
    }
    println!("the first won {first_won} times, the second {second_won}; {told} were told the process ID");
    assert!(first_won > 0 && second_won > 0 && told > 0);
    Ok(())
}

/// Without the breaks of lines that are made for a terminal.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_an_administrator_changed_since_is_left_until_forced() -> Result<()> {
    let trial = Trial::prepare(|world| {
        let sysctl = sysctl(world, "net.ipv4.tcp_fin_timeout", "30")?;
        Ok(together([sysctl, steering(world)?, edited_file()]))
    })?;
    let state = trial.state();
    succeed("apply", &trial.apply(&state, Interference::None)?)?;
    trial.world.run(|| {
        fs::write("/proc/sys/net/ipv4/tcp_fin_timeout", "45").attempt(|| "change a value".into())?;
        let path = "/etc/sysctl.d/60-site.conf";
        let text = fs::read_to_string(path).attempt(|| format!("read {path}"))?;
        fs::write(path, text + "\n# mine\n").attempt(|| format!("write {path}"))
    })?;
    for _ in 0..2 {
        let undone = trial.undo(&state, Interference::None)?;
        assert_eq!(undone.code, Some(INCOMPLETE), "{}", undone.said);
        let left = trial.original.differences(&trial.now()?).join("\n");
        assert!(left.contains("is \"45\\n\"") && left.contains("# mine"), "{left}");
        assert!(!left.contains("rps_cpus"), "what nobody else changed is put back: {left}");
    }
    let again = trial.apply(&state, Interference::None)?;
    assert_eq!(again.code, Some(REFUSED), "{}", again.said);
    let forced = trial.world.narrows(&["undo", "--force"], &state, Interference::None)?;
    succeed("undo --force", &forced)?;
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

//! What happens, in order.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use super::screen::{Part, Screen};
use super::{before, interrupt};
use crate::faults::wait::wait_within;
use crate::faults::{Attempt, FaultError, Result};
use crate::shop::{Database, Second, Seen, Shop};
use crate::site::Site;

/// The longest that the shop may take to show what is said of it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Visitors a second, each for one page.
const PER_S: u32 = 100;
/// Seconds shown after a change.
const SECONDS: usize = 3;
/// The proof: blocks of 1 s, while visitors go on coming. All are over before the ports of the
/// first minute come back from TIME_WAIT by themselves.
const PROVE: &str = "narrows prove --load http://198.51.100.1/ --rate 50 --for 1s --warm-up 500ms \\
    --metric failed --plan plan.json";

pub(super) fn tell(to: &mut dyn Write) -> Result<()> {
    let mut screen = Screen::new(to);
    introduce(&mut screen)?;
    let shop = Shop::open(Database::Apart)?;
    let host = Site::own(&shop.web)?;
    host.furnish("web")?;
    let before = before::State::of(&host)?;
    shop.visited(PER_S, |seen| {
        incident(&mut screen, &shop, seen)?;
        remedy(&mut screen, &host, &shop, seen)?;
        prove(&mut screen, &host)
    })?;
    undo(&mut screen, &host, &before)
}

fn introduce(screen: &mut Screen<'_>) -> Result<()> {
    screen.heading("A SHOP THAT LOSES ITS DATABASE, AND WHAT NARROWS DOES ABOUT IT, IN A MINUTE")?;
    screen.say(
        "
  visitors ──▶ web: nginx, PHP-FPM ──▶ db: MariaDB

Debian's own packages in three network namespaces of this machine, thrown away at the end. Every
page opens a connection to the database over TCP and closes it, as most PHP applications do.

One thing is made smaller, so that you need not wait: the web host has 500 local ports instead of
28,232. So it fails at more than 8 pages/s instead of 470, and after seconds instead of a minute.",
    )
}

fn incident(screen: &mut Screen<'_>, shop: &Shop, seen: &Seen) -> Result<()> {
    screen.heading(&format!("1  The incident: {PER_S} visitors a second"))?;
    show(screen, seen, 0, |seconds| seconds.iter().filter(|second| second.failed > 0).count() >= 3)?;
    let error = shop.last_error()?.unwrap_or_else(|| "nothing".to_owned());
    let error = error.split(" in /").next().unwrap_or(&error);
    screen.say(&format!("  PHP's error log:  {error}"))?;
    screen.say(&format!(
        "  ss -tan state time-wait:  {} sockets of this host towards {}:3306",
        shop.time_wait()?,
        Database::Apart.address()
    ))
}

/// Shows seconds from `from` on, until there are enough of them.
fn show(screen: &mut Screen<'_>, seen: &Seen, from: usize, enough: impl Fn(&[Second]) -> bool) -> Result<()> {
    let mut next = from;
    wait_within(PATIENCE, "what visitors see", || {
        interrupt::check()?;
        let seconds = seen.complete();
        for (number, second) in seconds.iter().enumerate().skip(next) {
            screen.second(number + 1, second.good, second.failed)?;
            next = number + 1;
            if enough(seconds.get(from..next).unwrap_or_default()) {
                return Ok(Some(()));
            }
        }
        Ok(None)
    })
}

/// Shows some seconds that begin after now.
fn show_next(screen: &mut Screen<'_>, seen: &Seen) -> Result<()> {
    screen.say("")?;
    // The second that runs now began before the change.
    show(screen, seen, seen.begun(), |seconds| seconds.len() >= SECONDS)
}

fn remedy(screen: &mut Screen<'_>, host: &Site, shop: &Shop, seen: &Seen) -> Result<()> {
    screen.heading("2  Which limit is it?")?;
    let parts = [
        Part("web ", 2),
        Part("The narrows", 4),
        Part("Felt now", 4),
        Part("SYMPTOMS", 20),
        Part("FINDINGS", 6),
        Part("STATIONS", 4),
    ];
    run(screen, host, "narrows check", &[0, 1], &parts)?;

    screen.heading("3  What would move it?")?;
    let parts = [Part("web ", 1), Part("sockets.", 20), Part("1 ", 9), Part("FILES", 9)];
    run(screen, host, "narrows plan -o plan.json", &[0], &parts)?;

    screen.heading("4  Try it: it undoes itself unless it is confirmed")?;
    run(screen, host, "narrows apply plan.json --try 5m --yes", &[0], &[])?;
    show_next(screen, seen)?;
    screen.say(&format!("  TIME_WAIT:  {} sockets, which are now used again", shop.time_wait()?))?;

    screen.heading("5  Was that it? Take it back, and see")?;
    run(screen, host, "narrows undo", &[0], &[])?;
    show_next(screen, seen)
}

fn prove(screen: &mut Screen<'_>, host: &Site) -> Result<()> {
    screen.heading("6  Prove it: with and without, in turn, while visitors go on coming")?;
    run(screen, host, PROVE, &[0], &[])
}

fn undo(screen: &mut Screen<'_>, host: &Site, before: &before::State) -> Result<()> {
    screen.heading("7  Leave as you came")?;
    run(screen, host, "narrows undo", &[0], &[])?;
    let (parameters, files) = before.compare(host)?;
    screen.say(&format!(
        "  {parameters} kernel parameters of the network and {files} files of /etc: as before, every one"
    ))
}

/// Runs a line on the web host and shows parts of what it prints. It must end with one of these statuses.
fn run(screen: &mut Screen<'_>, host: &Site, line: &str, statuses: &[i32], parts: &[Part]) -> Result<()> {
    interrupt::check()?;
    screen.command(line)?;
    let mut command = host.shell(line)?;
    let colours = if screen.colours() { ("CLICOLOR_FORCE", "1") } else { ("NO_COLOR", "1") };
    command.env(colours.0, colours.1).stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command.spawn().and_then(std::process::Child::wait_with_output);
    let output = output.attempt(|| format!("run {line}"))?;
    interrupt::check()?;
    screen.parts(&String::from_utf8_lossy(&output.stdout), parts)?;
    match output.status.code() {
        Some(code) if statuses.contains(&code) => Ok(()),
        _ => Err(FaultError::new(format!("{line} ended with {}", output.status))),
    }
}

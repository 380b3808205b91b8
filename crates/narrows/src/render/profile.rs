//! A profile of system calls as a table.

use std::fmt::Write;

use model::observation::number_text;
use stack::composer::Profile;

/// Rows of each table.
const ROWS: usize = 15;

/// The calls that took most time, and the folders that were asked in vain.
pub(crate) fn table(profile: &Profile) -> String {
    let total: u64 = profile.calls.iter().map(|call| call.calls).sum();
    let mut text = format!("{}\n\n  {total} system calls", plain(&profile.source));
    if let Some(seconds) = profile.seconds {
        let _ = write!(text, " within {} s", number_text((seconds * 100.0).round() / 100.0));
    }
    if let Some(requests) = profile.requests.filter(|requests| *requests > 0) {
        let _ = write!(text, ", {requests} requests: {} calls each", total / requests);
    }
    let _ = write!(
        text,
        "\n  {} of {} calls that name a path found nothing ({} %)",
        profile.path_missing,
        profile.path_calls,
        percent(profile.path_missing, profile.path_calls)
    );
    let _ = writeln!(text, "\n\n  {:<20} {:>10} {:>10} {:>10}", "system call", "calls", "failed", "seconds");
    for call in profile.calls.iter().take(ROWS) {
        let seconds = call.seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.4}"));
        let _ = writeln!(
            text,
            "  {:<20} {:>10} {:>10} {seconds:>10}",
            plain(&call.name),
            call.calls,
            call.errors
        );
    }
    if !profile.missing_below.is_empty() {
        let _ = writeln!(text, "\n  {:>10}  not found below", "calls");
        for one in profile.missing_below.iter().take(ROWS) {
            let _ = writeln!(text, "  {:>10}  {}", one.calls, plain(&one.folder));
        }
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a share of counts")]
fn percent(part: u64, whole: u64) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => number_text((part as f64 * 100.0 / whole as f64).round()),
    }
}

/// Text without characters that a terminal takes for commands.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}

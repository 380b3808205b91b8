//! What goes to the terminal besides reports.

use std::io::Write;

use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use crate::arguments::Arguments;
use crate::exit::Exit;

/// Prints text to standard output; a reader that went away is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Prints what is not the result itself to standard error.
pub(crate) fn note(text: &str) {
    anstream::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Prints an error with its causes to standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let style = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    writeln!(anstream::stderr(), "{style}error:{style:#} {error:#}").ok();
}

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(&Arguments::command()), "narrows", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Clear)
}

/// A command without what is hidden: the generators of completions and manuals list that too.
fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let subcommands = command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set());
    let mut shown = Command::new(command.get_name().to_owned())
        .args(arguments.cloned())
        .subcommands(subcommands.map(visible))
        .subcommand_required(command.is_subcommand_required_set());
    for (text, put) in [
        (command.get_about(), Command::about as fn(Command, StyledStr) -> Command),
        (command.get_long_about(), Command::long_about),
        (command.get_after_help(), Command::after_help),
    ] {
        if let Some(text) = text {
            shown = put(shown, text.clone());
        }
    }
    match command.get_version() {
        Some(version) => shown.version(version.to_owned()),
        None => shown,
    }
}

/// Prints the manual page: the command, then each of its subcommands.
pub(crate) fn man() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    let command = visible(&Arguments::command());
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    subcommands(&command, "narrows", &mut page)?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Clear)
}

/// Writes the sections of each subcommand, and of theirs.
fn subcommands(command: &Command, words: &str, page: &mut Vec<u8>) -> std::io::Result<()> {
    for subcommand in command.get_subcommands() {
        let words = format!("{words} {}", subcommand.get_name());
        let man = clap_mangen::Man::new(subcommand.clone().bin_name(&words).display_name(&words));
        man.render_name_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_options_section(page)?;
        subcommands(subcommand, &words, page)?;
    }
    Ok(())
}

/// A word as it is typed into a shell.
pub(crate) fn word(text: &str) -> String {
    change::shell::quoted(text)
}

//! Words and lines of POSIX shell.

use crate::plan::{Activation, ActivationKind};

/// A word in single quotes where it needs them (Shell Command Language of POSIX, 2.2.2).
pub fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Text that may stand behind `#`: one line, no control characters.
pub fn comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The line that makes a service take its files up.
pub fn activation(activation: &Activation) -> String {
    let unit = quoted(&activation.unit);
    match activation.how {
        ActivationKind::Reload => format!("systemctl reload {unit}"),
        ActivationKind::Restart => format!("systemctl restart {unit}"),
        ActivationKind::Timer => format!("systemctl restart {unit}"),
        ActivationKind::DaemonReload => "systemctl daemon-reload".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for word in ["", "a b", "it's", "$(reboot)", "a\nb", "plain", "-n", "*", "ä\\"] {
            let script = format!("printf %s {}", quoted(word));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{script}");
        }
    }
}

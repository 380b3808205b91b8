//! What a job's command runs.

/// Letters that end a word of a shell's command.
const ENDS: [char; 8] = [' ', '\t', ';', '&', '|', '(', ')', '"'];

/// The words of a command, quotes and operators of the shell taken for blanks.
pub(super) fn words(command: &str) -> impl Iterator<Item = &str> {
    let word = |word: &'_ str| -> bool { !word.is_empty() };
    command.split(|letter: char| ENDS.contains(&letter) || letter == '\'').filter(move |text| word(text))
}

/// Whether a word names the command line of PHP: `php`, `/usr/bin/php8.2`.
pub(super) fn is_php(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.strip_prefix("php")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Whether a command runs PHP, itself or by asking the site for `wp-cron.php`.
pub(super) fn runs_php(command: &str) -> bool {
    let file = |word: &str| word.ends_with(".php") || word.ends_with(".phar");
    starts_wp_cron(command) || words(command).any(|word| is_php(word) || file(word) || is_wp(word))
}

/// Whether a command runs due events of WordPress.
pub(super) fn starts_wp_cron(command: &str) -> bool {
    let by_wp = || command.contains("cron event run") && words(command).any(is_wp);
    command.contains("wp-cron.php") || by_wp()
}

/// Whether a command asks a site over HTTP, so that a worker of its pool does the work.
pub(super) fn asks_over_http(command: &str) -> bool {
    let client =
        |word: &str| ["wget", "curl", "fetch", "http"].contains(&word.rsplit('/').next().unwrap_or(word));
    words(command).any(client) || command.contains("http://") || command.contains("https://")
}

fn is_wp(word: &str) -> bool {
    ["wp", "wp-cli", "wp-cli.phar"].contains(&word.rsplit('/').next().unwrap_or(word))
}

/// The script that PHP is given, as written.
pub(super) fn script(command: &str) -> Option<&str> {
    let mut words = words(command).skip_while(|word| !is_php(word)).skip(1);
    words.find(|word| !word.starts_with('-') && (word.ends_with(".php") || word.ends_with(".phar")))
}

/// The folder that a command goes to first: `cd /srv/www && …`.
pub(super) fn goes_to(command: &str) -> Option<&str> {
    let rest = command.trim_start().strip_prefix("cd ")?;
    words(rest).next().filter(|folder| folder.starts_with('/'))
}

/// A command without what may be secret in it: values of options and variables of such a name, logins and query strings.
pub(super) fn without_secrets(command: &str) -> String {
    let mut after_option = false;
    let word = |word: &str| {
        let hide = std::mem::take(&mut after_option);
        let trimmed = word.trim_end();
        let blank = word.get(trimmed.len()..).unwrap_or_default();
        if hide && !trimmed.starts_with('-') {
            return format!("removed{blank}");
        }
        let lower = trimmed.to_ascii_lowercase();
        let named = ["pass", "secret", "token", "apikey", "api-key", "api_key", "authorization"]
            .iter()
            .any(|name| lower.contains(name));
        if named && lower.ends_with(".php") {
            return word.to_owned();
        }
        match trimmed.split_once('=').filter(|_| named) {
            Some((name, _)) => return format!("{name}=removed{blank}"),
            None => after_option = named,
        }
        if named && !trimmed.starts_with('-') {
            return format!("removed{blank}");
        }
        format!("{}{blank}", without_query(&without_login(trimmed)))
    };
    command.split_inclusive([' ', '\t']).map(word).collect()
}

fn without_login(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((login, _)) => format!("{scheme}://removed{}", rest.get(login.len()..).unwrap_or_default()),
        None => word.to_owned(),
    }
}

fn without_query(word: &str) -> String {
    match word.split_once('?') {
        Some((before, query)) if word.contains('/') => {
            let quote = query.chars().last().filter(|last| ['"', '\''].contains(last));
            format!("{before}?removed{}", quote.map(String::from).unwrap_or_default())
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_run_php_are_known() {
        for (command, php, wp_cron) in [
            ("/usr/bin/php /srv/www/wp-cron.php", true, true),
            ("cd /srv/www; php8.2 -q wp-cron.php >/dev/null 2>&1", true, true),
            ("wget -q -O - 'https://x.example/wp-cron.php?doing_wp_cron'", true, true),
            ("/usr/local/bin/wp --path=/srv cron event run --due-now", true, true),
            ("php artisan schedule:run", true, false),
            ("[ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean", false, false),
            ("/usr/bin/phpquery", false, false),
            ("run-parts /etc/cron.daily", false, false),
        ] {
            assert_eq!((runs_php(command), starts_wp_cron(command)), (php, wp_cron), "{command}");
        }
        assert_eq!(script("cd /srv; php -q wp-cron.php"), Some("wp-cron.php"));
        assert_eq!(goes_to("cd /srv/www && php wp-cron.php"), Some("/srv/www"));
    }

    #[test]
    fn secrets_of_commands_are_taken_out() {
        for (command, shown) in [
            (
                "curl -u x --token hunter2 https://a/wp-cron.php?k=hunter2",
                "curl -u x --token removed https://a/wp-cron.php?removed",
            ),
            (
                "DB_PASS=hunter2 php /a.php --password=hunter2",
                "DB_PASS=removed php /a.php --password=removed",
            ),
            ("wget https://bob:hunter2@a/wp-cron.php", "wget https://removed@a/wp-cron.php"),
            ("php /srv/password-reset.php", "php /srv/password-reset.php"),
        ] {
            assert_eq!(without_secrets(command), shown);
        }
    }
}

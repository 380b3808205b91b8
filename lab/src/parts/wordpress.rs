//! A machine with Debian's WordPress and MariaDB, and a plugin whose task costs seconds of CPU time.

use crate::faults::Result;
use crate::faults::wait::wait_until;
use crate::machine::{Machine, ROOT, Setup, pool, server};

/// Where the task writes a line each time it runs.
const RUNS: &str = "/srv/task-runs";
const CONFIGURATION: &str = "<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', 'lab');
define('DB_HOST', 'localhost:/run/mysqld/mysqld.sock');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('AUTH_KEY', 'lab-1');
define('SECURE_AUTH_KEY', 'lab-2');
define('LOGGED_IN_KEY', 'lab-3');
define('NONCE_KEY', 'lab-4');
define('AUTH_SALT', 'lab-5');
define('SECURE_AUTH_SALT', 'lab-6');
define('LOGGED_IN_SALT', 'lab-7');
define('NONCE_SALT', 'lab-8');
$table_prefix = 'wp_';
define('WP_HOME', 'http://127.0.0.1');
define('WP_SITEURL', 'http://127.0.0.1');
define('WP_CRON_LOCK_TIMEOUT', 2);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('WP_ACCESSIBLE_HOSTS', '127.0.0.1');
define('AUTOMATIC_UPDATER_DISABLED', true);
@CRON@if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
";
/// Where cron jobs are not started by visitors.
const BY_CLOCK: &str = "define('DISABLE_WP_CRON', true);\n";
const PLUGIN: &str = "<?php
/* Plugin Name: Import of fares */
add_filter('cron_schedules', function ($schedules) {
    $schedules['fares'] = ['interval' => 2, 'display' => 'Fares'];
    return $schedules;
});
add_action('init', function () {
    if (!wp_next_scheduled('import_fares')) {
        wp_schedule_event(time(), 'fares', 'import_fares');
    }
});
add_action('import_fares', function () {
    file_put_contents('@RUNS@', PHP_SAPI . \"\\n\", FILE_APPEND | LOCK_EX);
    $begin = microtime(true);
    for ($i = 0, $x = ''; microtime(true) - $begin < 1.5; $i++) {
        $x = md5($x . $i);
    }
});
";
const INSTALL: &str = "<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require '@ROOT@/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Lab', 'admin', 'admin@example.org', true, '', 'lab');
switch_theme('twentytwentythree');
for ($i = 0; $i < 20; $i++) {
    wp_insert_post(['post_title' => \"Tour $i\", 'post_content' => str_repeat('lorem ', 300), 'post_status' => 'publish']);
}
";

/// One whose front page answers with posts. Its cron jobs are started by visitors, or not at all.
pub fn open(workers: u32, by_visitors: bool) -> Result<Machine> {
    let machine = Machine::boot()?;
    let cron = if by_visitors { "" } else { BY_CLOCK };
    let (install, plugin) = (INSTALL.replace("@ROOT@", ROOT), PLUGIN.replace("@RUNS@", RUNS));
    machine.run(&["mkdir", "-p", ROOT])?;
    machine.run(&["cp", "-rL", "/usr/share/wordpress/.", ROOT])?;
    let setup = Setup {
        pool: pool(&format!("pm = static\npm.max_children = {workers}\npm.status_path = /fpm-status\n")),
        server: server("        fastcgi_param HTTP_HOST $http_host;\n"),
        ini: String::new(),
        pages: vec![
            ("wp-config.php".to_owned(), CONFIGURATION.replace("@CRON@", cron)),
            ("wp-content/mu-plugins/fares.php".to_owned(), plugin),
        ],
    };
    setup.lay_out(&machine)?;
    machine.site.write(RUNS, "")?;
    machine.run(&["chmod", "666", RUNS])?;
    start_database(&machine)?;
    machine.site.write("/srv/install.php", &install)?;
    machine.run(&["php8.2", "/srv/install.php"])?;
    machine.start()?;
    machine.demand("/", "Tour 19")?;
    Ok(machine)
}

/// Runs of the task since it was last asked, within PHP-FPM and elsewhere.
pub fn runs(machine: &Machine) -> Result<(usize, usize)> {
    let told = machine.site.read(RUNS)?;
    let in_pool = told.lines().filter(|line| *line == "fpm-fcgi").count();
    machine.site.write(RUNS, "")?;
    Ok((in_pool, told.lines().count() - in_pool))
}

fn start_database(machine: &Machine) -> Result<()> {
    machine.run(&["mariadb-install-db", "--user=mysql", "--auth-root-authentication-method=normal"])?;
    machine.run(&["chown", "mysql", "/var/lib/mysql", "/run/mysqld"])?;
    machine.service("mariadb", "start")?;
    wait_until("MariaDB", || Ok(machine.run(&["mariadb-admin", "ping"]).is_ok()))?;
    machine
        .run(&[
            "mariadb",
            "-e",
            "CREATE DATABASE wordpress; CREATE USER wordpress@localhost IDENTIFIED BY 'lab'; \
             GRANT ALL ON wordpress.* TO wordpress@localhost",
        ])
        .map(drop)
}

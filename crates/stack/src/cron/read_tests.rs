use host::Tree;

use super::*;
use crate::cron::{Clockwork, Job};

fn read_all(files: &[(&str, &str)]) -> Facts {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/etc/hostname", "web1");
    files.iter().for_each(|(path, text)| tree.put(0, path, *text));
    read(&tree.at(0)).unwrap()
}

#[test]
fn crontabs_of_host_and_users_are_read_and_only_jobs_of_php_are_kept() {
    let facts = read_all(&[
        ("/etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"),
        (
            "/etc/cron.d/shop",
            "# c\n*/5 * * * *\twww-data\tphp /srv/www/wp-cron.php >/dev/null%in\nnot a line\n",
        ),
        ("/etc/cron.d/shop.bak", "* * * * * root php /x.php\n"),
        ("/etc/cron.hourly/import", "#!/bin/sh\n# php\nphp /srv/import.php\n"),
        ("/var/spool/cron/crontabs/bob", "@hourly wget -qO- https://x/wp-cron.php?a=1\n"),
    ]);
    let found: Vec<_> = facts
        .jobs
        .iter()
        .map(|job| (job.place(), job.user.clone().unwrap(), job.period_s, job.command.clone()))
        .collect();
    let expected = [
        ("/etc/cron.d/shop:2", "www-data", Some(300.0), "php /srv/www/wp-cron.php >/dev/null"),
        ("/etc/cron.hourly/import:3", "root", Some(3600.0), "php /srv/import.php"),
        ("/var/spool/cron/crontabs/bob:1", "bob", Some(3600.0), "wget -qO- https://x/wp-cron.php?removed"),
    ];
    let expected = expected.map(|(place, user, period, command)| {
        (place.to_owned(), user.to_owned(), period, command.to_owned())
    });
    assert_eq!(found, expected);
}

fn timers(files: &[(&str, &str)]) -> Vec<Job> {
    let jobs = read_all(files).jobs;
    assert!(jobs.iter().all(|job| job.clockwork == Clockwork::Timer));
    jobs
}

#[test]
fn a_timer_is_read_with_its_service_and_all_drop_ins() {
    let jobs = timers(&[
        ("/etc/systemd/system/wp-cron.timer", "[Timer]\nOnCalendar=hourly\nAccuracySec=5s\n"),
        ("/etc/systemd/system/wp-cron.timer.d/a.conf", "[Timer]\nOnCalendar=\nOnCalendar=*:0/5\n"),
        (
            "/usr/lib/systemd/system/wp-cron.service",
            "[Service]\nExecStart=-/usr/bin/php wp-cron.php\nEnvironment=K=hunter2\n",
        ),
        ("/run/systemd/system/wp-cron.service.d/b.conf", "[Service]\nCPUQuota=50%\n"),
        ("/etc/systemd/system/timers.target.wants/wp-cron.timer", ""),
        ("/usr/lib/systemd/system/fstrim.timer", "[Timer]\nOnCalendar=weekly\n"),
        ("/usr/lib/systemd/system/fstrim.service", "[Service]\nExecStart=/sbin/fstrim\n"),
    ]);
    let [job] = &jobs[..] else { panic!("{jobs:#?}") };
    assert_eq!((job.schedule.as_str(), job.period_s), ("OnCalendar=*:0/5", Some(300.0)));
    assert_eq!((job.user.as_deref(), job.enabled), (Some("root"), Some(true)));
    assert_eq!((job.command.as_str(), job.script()), ("/usr/bin/php wp-cron.php", Some("wp-cron.php")));
    let service = job.service.as_ref().unwrap();
    assert_eq!(service.settings["CPUQuota"], "50%");
    assert_eq!(service.timer["AccuracySec"], "5s");
    assert!(!serde_json::to_string(&jobs).unwrap().contains("hunter2"));
}

#[test]
fn an_instance_is_read_from_its_template() {
    let jobs = timers(&[
        ("/etc/systemd/system/wp@.timer", "[Timer]\nOnUnitActiveSec=5min\nUnit=wp@%i.service\n"),
        (
            "/etc/systemd/system/wp@.service",
            "[Service]\nUser=%i\nExecStart=/usr/bin/wp cron event run --due-now\n",
        ),
        ("/etc/systemd/system/timers.target.wants/wp@shop.timer", ""),
    ]);
    let [job] = &jobs[..] else { panic!("{jobs:#?}") };
    assert_eq!((job.user.as_deref(), job.period_s), (Some("shop"), Some(300.0)));
    assert!(job.starts_wp_cron());
}

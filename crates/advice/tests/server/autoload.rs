use advice::autoload::Autoload;
use advice::trial::{Limits, Place, Stop, Trial};

use crate::shop::{Shop, names};

const CLASS: &str = "0123456789ABCDEF0123456789ABCDEF";

fn options(shop: &mut Shop, on: &str, off: &str) {
    shop.run(
        "CREATE TABLE wp_options (option_id bigint(20) unsigned NOT NULL AUTO_INCREMENT, option_name varchar(191) NOT NULL DEFAULT '', \
         option_value longtext NOT NULL, autoload varchar(20) NOT NULL DEFAULT 'yes', PRIMARY KEY (option_id), \
         UNIQUE KEY option_name (option_name)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    );
    shop.run(&format!(
        "INSERT INTO wp_options (option_name, option_value, autoload) SELECT CONCAT(CASE WHEN seq % 12 = 1 THEN '_transient_x' \
         WHEN seq % 12 = 2 THEN 'oldplugin_' ELSE 'core' END, seq), REPEAT(MD5(seq), 40), IF(seq % 12 IN (1, 2) OR seq < 200, '{on}', '{off}') \
         FROM seq_1_to_12000"
    ));
    shop.run("INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('_transient_timeout_z', '1', 'auto-off')");
    shop.run("ANALYZE TABLE wp_options");
}

#[test]
fn transients_and_options_of_gone_plugins_are_switched_off_and_on_again() {
    for (on, off, name) in [("yes", "no", "options_before_66"), ("auto", "off", "options_since_66")] {
        let mut shop = Shop::open(name);
        options(&mut shop, on, off);
        if on == "yes" {
            shop.run("DELETE FROM wp_options WHERE autoload = 'auto-off'");
        }
        let autoload = Autoload::read(&mut shop.connection, "wp_options").unwrap();
        assert_eq!(autoload.since_6_6, on == "auto");
        assert_eq!(autoload.transients.0, 1_000);
        assert!(autoload.bytes > 2_000 * 40 * 32 && autoload.largest.len() == 20, "{autoload:?}");
        let advice = autoload.advise(CLASS, &["oldplugin_".to_owned()]).unwrap();
        let sum = "SELECT MD5(GROUP_CONCAT(option_id, autoload ORDER BY option_id)) FROM wp_options";
        shop.run("SET SESSION group_concat_max_len = 10000000");
        let before = shop.value(sum);
        for step in &advice.up {
            assert_eq!(shop.value(&step.probe), "0", "{}", step.what);
            while shop.run(&step.sql) > 0 && step.until_no_rows {}
            assert_eq!(shop.value(&step.probe), "1", "{}", step.what);
        }
        let after = Autoload::read(&mut shop.connection, "wp_options").unwrap();
        assert_eq!((after.transients.0, after.loaded, after.indexed), (0, 199 - 34, true), "{after:?}");
        assert_eq!(
            shop.value(&format!(
                "SELECT COUNT(*) FROM wp_options WHERE autoload NOT IN ('{on}', '{off}', 'auto-off')"
            )),
            "0"
        );
        assert!(after.advise(CLASS, &[]).is_none());
        for sql in advice.down().map(str::to_owned).collect::<Vec<_>>() {
            shop.run(&sql);
        }
        assert_eq!(shop.value(sum), before);
    }
}

#[test]
fn loading_less_helps() {
    let mut shop = Shop::open("options_tried");
    options(&mut shop, "on", "off");
    let advice = Autoload::read(&mut shop.connection, "wp_options")
        .unwrap()
        .advise(CLASS, &["oldplugin_".to_owned()])
        .unwrap();
    let tables = names(&["wp_options"]);
    let mut trial = Trial::prepare(
        &shop.login,
        shop.name,
        &tables,
        Place::ThrowAway,
        &Limits::default(),
        &Stop::default(),
    )
    .unwrap();
    let outcome = trial.of(&advice, &[]).unwrap();
    assert!(outcome.helps, "{outcome:#?}");
    assert_eq!(outcome.queries[0].same_rows, Some(false), "and says so in what differs");
}

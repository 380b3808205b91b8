use advice::trial::{Limits, Place, Sample, Stop, Trial, TrialError, leftovers};
use advice::{Advice, Rewrite, Step};

use crate::shop::{Shop, names};

const CLASS: &str = "0123456789ABCDEF0123456789ABCDEF";
const BY_TITLE: &str = "SELECT ID FROM wp_posts WHERE post_title = 'It''s \\\\ é 77'";

fn sample(sql: &str) -> Vec<Sample> {
    vec![Sample { class: CLASS.into(), sql: sql.into() }]
}

fn index(table: &str, columns: &str) -> Advice {
    let up = Step::once(
        "add the index",
        format!("ALTER TABLE `{table}` ADD INDEX tried ({columns})"),
        probe("tried"),
    )
    .undone_by(format!("ALTER TABLE `{table}` DROP INDEX tried"));
    Advice { id: "index.missing".into(), up: vec![up], ..Advice::default() }
}

fn probe(index: &str) -> String {
    format!(
        "SELECT COUNT(DISTINCT INDEX_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() \
         AND INDEX_NAME = '{index}'"
    )
}

fn rewrite(before: &str, after: &str) -> Advice {
    let rewrite =
        Rewrite { class: CLASS.into(), before: before.into(), after: after.into(), differs: Vec::new() };
    Advice { id: "query.test".into(), rewrites: vec![rewrite], ..Advice::default() }
}

fn trial(shop: &Shop, tables: &[&str], place: Place) -> Trial {
    let limits = Limits { bytes: 32 << 20, ..Limits::default() };
    Trial::prepare(&shop.login, shop.name, &names(tables), place, &limits, &Stop::default()).unwrap()
}

fn schemas_of_trials(shop: &mut Shop) -> Vec<String> {
    shop.column("SHOW DATABASES LIKE 'narrows\\_trial\\_%'")
}

#[test]
fn an_index_that_helps_is_said_to_help_and_nothing_of_it_stays() {
    let mut shop = Shop::open("helps");
    shop.fill(20_000);
    let before = shop.value("SHOW CREATE TABLE wp_posts");
    let mut trial = trial(&shop, &["wp_posts"], Place::ThrowAway);
    for advice in [index("wp_posts", "post_title(40)"), index("wp_posts", "post_title(20)")] {
        let outcome = trial.of(&advice, &sample(BY_TITLE)).unwrap();
        assert!(outcome.helps, "{outcome:#?}");
        let measured = &outcome.queries[0];
        assert!(measured.before_rows_read >= 20_000 && measured.after_rows_read < 10, "{measured:?}");
        assert!(
            measured.before_rows_examined >= Some(20_000) && measured.after_rows_examined < Some(10),
            "{measured:?}"
        );
        assert_eq!(measured.same_rows, Some(true));
        assert_eq!(outcome.copied, [("wp_posts".to_owned(), 20_000, 20_000.max(outcome.copied[0].2))]);
        assert!(outcome.server.contains("MariaDB"), "{}", outcome.server);
    }
    trial.end().unwrap();
    assert_eq!(shop.value("SHOW CREATE TABLE wp_posts"), before);
}

#[test]
fn advice_without_gain_is_withdrawn() {
    let mut shop = Shop::open("useless");
    shop.fill(5_000);
    let mut trial = trial(&shop, &["wp_posts"], Place::ThrowAway);
    let outcome = trial.of(&index("wp_posts", "post_author"), &sample(BY_TITLE)).unwrap();
    assert!(!outcome.helps);
    assert!(outcome.verdict.starts_with("withdrawn: no gain"), "{}", outcome.verdict);
}

#[test]
fn a_rewrite_that_gives_other_rows_is_withdrawn() {
    let mut shop = Shop::open("other_rows");
    shop.fill(2_000);
    let mut trial = trial(&shop, &["wp_posts"], Place::ThrowAway);
    let before =
        "SELECT ID FROM other_rows.wp_posts WHERE post_title LIKE '%77' ORDER BY post_date DESC LIMIT 5";
    let outcome =
        trial.of(&rewrite(before, "SELECT ID FROM wp_posts WHERE ID < 16 ORDER BY ID LIMIT 5"), &[]).unwrap();
    assert!(!outcome.helps);
    assert!(outcome.verdict.contains("other rows"), "{}", outcome.verdict);
    assert_eq!(outcome.queries[0].same_rows, Some(false));
    let unordered = rewrite(before, "SELECT ID FROM wp_posts WHERE post_title LIKE '%77' LIMIT 5");
    assert_eq!(
        trial.of(&unordered, &[]).unwrap().queries[0].same_rows,
        Some(false),
        "the order is part of the answer"
    );
}

#[test]
fn rows_of_equal_rank_do_not_count_as_other_rows() {
    let mut shop = Shop::open("ties");
    shop.fill(2_000);
    let mut trial = trial(&shop, &["wp_posts"], Place::ThrowAway);
    let by = |tie: &str| {
        format!("SELECT ID FROM wp_posts WHERE post_author = 0 ORDER BY post_status, {tie} LIMIT 7")
    };
    let outcome = trial.of(&rewrite(&by("ID"), &by("ID DESC")), &[]).unwrap();
    assert_eq!(outcome.queries[0].same_rows, None);
}

#[test]
fn advice_that_fails_or_cannot_be_undone_is_withdrawn_and_the_next_finds_fresh_tables() {
    let mut shop = Shop::open("undone");
    shop.fill(3_000);
    let mut trial = trial(&shop, &["wp_posts"], Place::ThrowAway);
    let outcome = trial.of(&index("wp_posts", "no_such_column"), &sample(BY_TITLE)).unwrap();
    assert!(!outcome.helps && outcome.verdict.contains("`add the index` failed"), "{}", outcome.verdict);
    let mut kept = index("wp_posts", "post_title(40)");
    kept.up.push(Step::once("change rows", "UPDATE wp_posts SET post_author = 7 WHERE ID = 3", ""));
    let outcome = trial.of(&kept, &sample(BY_TITLE)).unwrap();
    assert!(
        !outcome.helps && outcome.verdict.contains("does not restore table `wp_posts`"),
        "{}",
        outcome.verdict
    );
    assert!(trial.of(&index("wp_posts", "post_title(40)"), &sample(BY_TITLE)).unwrap().helps);
}

#[test]
fn a_statement_that_reaches_beyond_the_copies_is_not_sent() {
    let mut shop = Shop::open("beyond");
    shop.fill(100);
    let mut trial = trial(&shop, &["wp_posts"], Place::SameServer);
    for sql in ["DROP TABLE beyond.wp_users", "DELETE FROM beyond.wp_postmeta", "DROP DATABASE beyond"] {
        let advice = Advice { up: vec![Step::once("harm", sql, "")], ..Advice::default() };
        let refused = trial.of(&advice, &sample(BY_TITLE));
        assert!(matches!(refused, Err(TrialError::Refused(_))), "{refused:?}");
    }
    assert!(trial.of(&index("wp_posts", "post_author"), &sample("DELETE FROM beyond.wp_postmeta")).is_err());
    assert_eq!(shop.value("SELECT COUNT(*) FROM wp_posts"), "100");
    assert_eq!(shop.value("SELECT COUNT(*) FROM wp_postmeta"), "400");
}

#[test]
fn statements_that_change_rows_are_tried_and_rolled_back() {
    let mut shop = Shop::open("changes");
    shop.fill(20_000);
    let mut trial = trial(&shop, &["wp_posts"], Place::ThrowAway);
    let update = "UPDATE changes.wp_posts SET post_author = 9 WHERE post_title = 'It''s \\\\ é 5'";
    let outcome = trial.of(&index("wp_posts", "post_title(40)"), &sample(update)).unwrap();
    assert!(outcome.helps, "{outcome:#?}");
    assert_eq!(outcome.queries[0].same_rows, Some(true));
    assert_eq!(shop.value("SELECT COUNT(*) FROM wp_posts WHERE post_author = 9"), "0");
}

#[test]
fn the_same_server_holds_the_copies_in_schemas_of_their_own_until_the_end() {
    let mut shop = Shop::open("same_server");
    shop.fill(20_000);
    let mut trial = trial(&shop, &["wp_posts", "wp_postmeta"], Place::SameServer);
    let mine: Vec<String> = schemas_of_trials(&mut shop);
    assert!(mine.len() >= 2);
    let found = leftovers(&mut shop.connection).unwrap();
    assert!(
        found.iter().any(|left| mine.contains(&left.schema) && left.age_s.is_some() && left.remove.is_none())
    );
    let outcome = trial.of(&index("wp_posts", "post_title(40)"), &sample(BY_TITLE)).unwrap();
    assert!(outcome.helps, "{outcome:#?}");
    let own = outcome.server.split_whitespace().find(|word| word.ends_with("_a")).unwrap().to_owned();
    trial.end().unwrap();
    assert!(!schemas_of_trials(&mut shop).contains(&own));
}

#[test]
fn large_tables_are_sampled_so_that_children_keep_their_parents() {
    let mut shop = Shop::open("sampled");
    shop.fill(40_000);
    let limits = Limits { bytes: 2 << 20, ..Limits::default() };
    let tables = names(&["wp_posts", "wp_postmeta"]);
    let mut trial =
        Trial::prepare(&shop.login, shop.name, &tables, Place::SameServer, &limits, &Stop::default())
            .unwrap();
    let children =
        "SELECT COUNT(*) FROM wp_postmeta m LEFT JOIN wp_posts p ON p.ID = m.post_id WHERE p.ID IS NULL";
    let outcome = trial.of(&rewrite(children, "SELECT 0"), &[]).unwrap();
    assert_eq!(outcome.queries[0].same_rows, Some(true), "no child without its parent");
    let counted = trial
        .of(&rewrite("SELECT COUNT(*) / COUNT(DISTINCT post_id) FROM wp_postmeta", "SELECT 4.0"), &[])
        .unwrap();
    assert_eq!(counted.queries[0].same_rows, Some(true), "no parent without its children");
    let (posts, metas) = (outcome.copied[0].1, outcome.copied[1].1);
    assert!(posts > 500 && posts < 30_000 && metas == posts * 4, "{:?}", outcome.copied);
}

#[test]
fn whatever_a_value_holds_is_copied_as_it_is() {
    let mut shop = Shop::open("values_kept");
    shop.run(
        "CREATE TABLE odd (a int NOT NULL, b varbinary(20), c bit(9), d point, e timestamp NULL, f text, g double, \
         h int AS (a + 1) STORED, i enum('x','y'), j decimal(20,10), k text CHARACTER SET latin1, PRIMARY KEY (a, i)) ENGINE=InnoDB",
    );
    shop.run(
        "INSERT INTO odd (a,b,c,d,e,f,g,i,j,k) VALUES (1, x'00ff5c27', b'101010101', POINT(1.5,-2), '2024-03-31 02:30:00', \
         'a''\\\\\\n\\0%_\"`😀', 1e-300, 'y', -1.0000000001, 'é'), (-5, NULL, NULL, NULL, NULL, NULL, NULL, 'x', NULL, NULL), \
         (0, '', 0, POINT(0,0), '1970-01-02 00:00:00', '', 0, '', 0, '')",
    );
    let sums = "SELECT MD5(GROUP_CONCAT(CONCAT_WS('|', a, HEX(b), HEX(c), ST_AsText(d), UNIX_TIMESTAMP(e), HEX(f), g, h, i, j, HEX(k)) \
                ORDER BY a)) FROM odd";
    let here = shop.value(sums);
    let mut trial = trial(&shop, &["odd"], Place::ThrowAway);
    let outcome = trial.of(&rewrite(sums, &format!("SELECT '{here}'")), &[]).unwrap();
    assert_eq!(outcome.queries[0].same_rows, Some(true));
    assert_eq!(outcome.copied, [("odd".to_owned(), 3, 3)]);
}

#[test]
fn tables_that_cannot_be_copied_are_named() {
    let mut shop = Shop::open("uncopied");
    shop.run("CREATE VIEW seen AS SELECT ID FROM wp_posts");
    for (table, reason) in [("seen", "it is a view"), ("missing", "there is no such table")] {
        let tried = Trial::prepare(
            &shop.login,
            shop.name,
            &names(&[table]),
            Place::SameServer,
            &Limits::default(),
            &Stop::default(),
        );
        let error = tried.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_trial_that_is_stopped_while_a_statement_runs_removes_its_copies() {
    for (place, name) in [(Place::SameServer, "stopped_same"), (Place::ThrowAway, "stopped_own")] {
        let mut shop = Shop::open(name);
        shop.fill(3_000);
        let stop = Stop::default();
        let mut trial =
            Trial::prepare(&shop.login, name, &names(&["wp_posts"]), place, &Limits::default(), &stop)
                .unwrap();
        let endless =
            "SELECT COUNT(*) FROM wp_posts a, wp_posts b, wp_posts c WHERE a.post_title < b.post_title";
        let asker = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(700));
            stop.now();
        });
        let ended = trial.of(&index("wp_posts", "post_author"), &sample(endless));
        assert!(matches!(ended, Err(TrialError::Interrupted)), "{ended:?}");
        asker.join().unwrap();
        drop(trial);
    }
}

#[test]
fn a_panic_during_a_trial_leaves_no_schema_behind() {
    let mut shop = Shop::open("panicked");
    shop.fill(100);
    let trial = trial(&shop, &["wp_posts"], Place::SameServer);
    let named = std::thread::spawn(move || {
        let mut trial = trial;
        let outcome = trial.of(&index("wp_posts", "post_author"), &sample(BY_TITLE)).unwrap();
        std::panic::panic_any(outcome.server);
    });
    let server = *named.join().unwrap_err().downcast::<String>().unwrap();
    let own = server.split_whitespace().find(|word| word.ends_with("_a")).unwrap().to_owned();
    assert!(!schemas_of_trials(&mut shop).contains(&own));
}

#[test]
fn an_old_leftover_is_offered_for_removal_and_an_unmarked_schema_is_not() {
    let mut shop = Shop::open("left_over");
    shop.run("CREATE DATABASE narrows_trial_old_a");
    shop.run("CREATE TABLE narrows_trial_old_a.narrows_trial_mark (made_at DATETIME NOT NULL)");
    shop.run("INSERT INTO narrows_trial_old_a.narrows_trial_mark VALUES (UTC_TIMESTAMP() - INTERVAL 2 DAY)");
    shop.run("CREATE DATABASE narrows_trial_somebodys");
    let found = leftovers(&mut shop.connection).unwrap();
    let of = |name: &str| found.iter().find(|left| left.schema == name).unwrap();
    assert_eq!(of("narrows_trial_old_a").remove.as_deref(), Some("DROP DATABASE `narrows_trial_old_a`"));
    assert_eq!(of("narrows_trial_somebodys").remove, None);
}

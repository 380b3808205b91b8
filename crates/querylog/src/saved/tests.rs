use super::*;
use crate::{All, Ingest, Settings};

const LOG: &str = "# Time: 2024-03-01T10:00:00.000001Z
# User@Host: shop[shop] @ web []  Id:     8
# Query_time: 0.5  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: 20
# Full_scan: Yes  InnoDB_trx_id: A1
use shop;
SET timestamp=1709287200;
SELECT secret FROM t WHERE mail = 'someone@example.com';
# Time: 240301 10:00:02
# User@Host: b[b] @  [10.0.0.5]
# Query_time: 1.5  Lock_time: 0 Rows_sent: 0  Rows_examined: 0  New_thing: 7
SET timestamp=1709287202;
# administrator command: Quit;
";

fn digest(logs: &[&str]) -> Digest {
    let settings = Settings { threads: 1, ..Settings::default() };
    let mut ingest = Ingest::new(&settings, &All);
    for log in logs {
        ingest.log("a.log", &mut log.as_bytes());
    }
    ingest.finish()
}

#[test]
fn a_digest_that_is_saved_whole_comes_back_as_it_was() {
    let digest = digest(&[LOG, LOG]);
    let saved = save(&digest, Samples::Whole).unwrap();
    assert!(is_saved(&saved));
    assert_eq!(load(&saved).unwrap(), digest);
}

#[test]
fn digests_of_several_logs_merge_to_the_digest_of_all() {
    let other = LOG.replace("0.5", "7.25").replace("web", "app");
    let both = digest(&[LOG, &other, LOG]);
    let mut merged = Digest::default();
    for log in [LOG, &other, LOG] {
        merged.merge(&load(&save(&digest(&[log]), Samples::Whole).unwrap()).unwrap());
    }
    assert_eq!(merged, both);
}

#[test]
fn no_literal_is_saved_unless_asked_for() {
    let digest = digest(&[LOG]);
    let unpacked = encode::digest(&digest, Samples::Redacted);
    assert!(memchr::memmem::find(&unpacked, b"someone@example.com").is_none());
    let loaded = load(&save(&digest, Samples::Redacted).unwrap()).unwrap();
    let class = loaded.class(b"select secret from t where mail = ?").unwrap();
    let worst = class.worst().unwrap();
    assert!(worst.redacted && *worst.query == *class.fingerprint());
}

#[test]
fn fingerprints_that_keep_literals_are_saved_without_them_and_still_merge_by_their_own_ids() {
    let call =
        LOG.replace("SELECT secret FROM t WHERE mail = 'someone@example.com'", "CALL find('hidden-one(')");
    let logs = [
        call.replace("hidden-one", "hidden-two"),
        call,
        LOG.replace("'someone@example.com'", "'hidden-three"),
    ];
    let ids = |digest: &Digest| {
        let mut ids: Vec<_> = digest.classes().iter().map(|class| (class.id(), class.count())).collect();
        ids.sort_unstable();
        ids
    };
    let mut merged = Digest::default();
    for log in [&logs[0], &logs[1], &logs[0], &logs[2]] {
        let one = digest(&[log]);
        let unpacked = encode::digest(&one, Samples::Redacted);
        assert!(memchr::memmem::find(&unpacked, b"hidden").is_none(), "{log}");
        merged.merge(&load(&save(&one, Samples::Redacted).unwrap()).unwrap());
    }
    let whole = digest(&[&logs[0], &logs[1], &logs[0], &logs[2]]);
    assert!(whole.classes().iter().any(|class| class.fingerprint().ends_with(b"'hidden-one")));
    assert_eq!(ids(&merged), ids(&whole));
    assert!(merged.total().same_as(&whole.total()));
    assert_eq!(merged.classes().iter().filter(|class| class.fingerprint() == b"call find(?").count(), 2);
    merged.merge(&whole);
    assert!(merged.class(b"call find('hidden-one").unwrap().fingerprint().ends_with(b"'hidden-one"));
}

#[test]
fn files_that_are_foreign_newer_or_damaged_are_told_apart() {
    let saved = save(&digest(&[LOG]), Samples::Whole).unwrap();
    assert_eq!(load(b"# Time: 2024").unwrap_err(), LoadError::Foreign);
    assert_eq!(load(b"narrows query digest 9\nxx").unwrap_err(), LoadError::Version("9".into()));
    for cut in [MAGIC.len(), MAGIC.len() + 10, saved.len() - 1] {
        assert_eq!(load(&saved[..cut]).unwrap_err(), LoadError::Damaged);
    }
    for place in MAGIC.len()..saved.len() {
        let mut damaged = saved.clone();
        damaged[place] ^= 0x10;
        assert_eq!(load(&damaged).unwrap_err(), LoadError::Damaged);
    }
}

#[test]
fn any_damage_to_the_unpacked_numbers_is_an_error_or_a_digest_but_never_a_panic() {
    let whole = encode::digest(&digest(&[LOG]), Samples::Whole);
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << bit;
            decode::digest(&damaged);
            decode::digest(&damaged[..place]);
        }
    }
}

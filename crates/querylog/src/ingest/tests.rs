use super::*;
use crate::select::All;
use proptest::prelude::*;

fn digest(log: &[u8], threads: usize, chunk_bytes: usize, record_bytes: usize) -> Digest {
    let settings = Settings { threads, chunk_bytes, record_bytes, ..Settings::default() };
    let mut ingest = Ingest::new(&settings, &All);
    ingest.log("a.log", &mut &log[..]);
    ingest.finish()
}

/// Pieces of logs of all servers, whole and torn.
const PIECES: &[&str] = &[
    "# Time: 2024-03-01T10:00:00.000001Z\n",
    "# Time: 2024-03-01T10:00:01.5+02:00\n",
    "# Time: 240301 10:00:02\n",
    "# Time: nonsense\n",
    "# User@Host: shop[shop] @ localhost []  Id:     8\n",
    "# User@Host: blog[blog] @  [10.0.0.5]\n",
    "# User@Host: torn\n",
    "# Query_time: 0.000123  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: 20\n",
    "# Query_time: 12  Lock_time: x Rows_sent: -1\n",
    "# Thread_id: 7  Schema: shop  QC_hit: No\n",
    "# Thread_id: 7  Schema:   QC_hit: No\n",
    "# Full_scan: Yes  Full_join: No\n",
    "  Tmp_tables: 1  Tmp_disk_tables: 0\n",
    "#\n# explain: id\tselect_type\n#\n",
    "use shop;\n",
    "use `blog`;\n",
    "SET timestamp=1709287200;\n",
    "SET last_insert_id=5,insert_id=6,timestamp=1709287201;\n",
    "SELECT 1;\n",
    "select * from t where a = 'x;\n# y' and b in (1,2,3);\n",
    "SELECT 'a\nb' # c\n# Time: is no time\nfrom t;\n",
    "INSERT INTO t VALUES (1,'a'),(2,'b');\n",
    "insert into t values ('\u{e9}\0');\n",
    "SELECT torn",
    "SELECT torn\n",
    "# administrator command: Quit;\n",
    ";\n",
    "\n",
    "/usr/sbin/mariadbd, Version: 10.11.6-MariaDB-log (Debian 12). started with:\nTcp port: 3306  Unix socket: /run/mysqld/mysqld.sock\nTime\t\t    Id Command\tArgument\n",
    "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\n",
    "garbage without a line feed",
    "# User@Host: a[a] @ h []\n# Query_time: 0.5  Lock_time: 0 Rows_sent: 0  Rows_examined: 0\nSET timestamp=1;\nSELECT 5;\n",
    "# Time: 2024-03-01T10:00:00.000001Z\n# User@Host: a[a] @ h []\n# Query_time: 0.5  Lock_time: 0 Rows_sent: 0  Rows_examined: 0\nuse d;\nSET timestamp=1;\nSELECT a FROM b WHERE c = 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd';\n",
];

fn log() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_number_of_threads_and_any_size_of_chunks_give_the_same_digest_and_account_for_every_byte(
        log in log(),
        threads in 1_usize..4,
        chunk_bytes in 1_usize..3000,
        record_bytes in prop::sample::select(&[512_usize, 700, 1_000_000][..]),
    ) {
        let whole = digest(&log, 1, 1 << 20, record_bytes);
        prop_assert_eq!(whole.event_bytes + whole.problems.skipped_bytes(), log.len() as u64);
        let parts = digest(&log, threads, chunk_bytes, record_bytes);
        prop_assert_eq!(&parts, &whole, "{}", log.escape_ascii());
    }

    #[test]
    fn a_log_that_comes_in_pieces_gives_the_same_digest(
        log in log(),
        piece_bytes in 1_usize..700,
        record_bytes in prop::sample::select(&[512_usize, 1_000_000][..]),
    ) {
        let whole = digest(&log, 1, 1 << 20, record_bytes);
        let settings = Settings { threads: 1, record_bytes, ..Settings::default() };
        let mut feed = Feed::new(&settings, &All, "a.log", 0);
        log.chunks(piece_bytes).for_each(|piece| feed.push(piece));
        feed.end();
        prop_assert_eq!(&feed.take(), &whole, "{}", log.escape_ascii());
    }

    #[test]
    fn any_bytes_are_digested_without_a_panic(log in prop::collection::vec(any::<u8>(), 0..2000)) {
        let whole = digest(&log, 2, 100, 512);
        prop_assert_eq!(whole.event_bytes + whole.problems.skipped_bytes(), log.len() as u64);
    }
}

#[test]
fn a_gigantic_statement_is_cut_counted_and_measured() {
    let head = b"# User@Host: a[a] @ h []\n# Query_time: 2.5\nSET timestamp=1;\n";
    let mut log = [&head[..], b"SELECT '"].concat();
    log.resize(3_000_000, b'x');
    log.extend_from_slice(b"';\n");
    let length = (log.len() - head.len() - 2) as u64;
    log.extend_from_slice(head);
    log.extend_from_slice(b"SELECT 2;\n");
    for (threads, chunk_bytes) in [(1, 1 << 20), (2, 64 << 10), (1, 8 << 20)] {
        let whole = digest(&log, threads, chunk_bytes, 1 << 20);
        assert_eq!((whole.events, whole.classes().len()), (2, 2));
        assert_eq!(whole.problems.of(Problem::Oversized).times, 1);
        let longest = whole.total().metric(crate::Attribute::QUERY_LENGTH).unwrap().exact_max();
        assert_eq!(longest, length);
    }
}

#[test]
fn a_short_record_after_a_gigantic_one_is_seen_at_the_end_of_a_log_that_comes_in_pieces() {
    let head = b"# User@Host: a[a] @ h []\n# Query_time: 2.5\nSET timestamp=1;\n";
    let log = [&head[..], b"SELECT '", &[b'x'; 3000], b"';\n# User@Host: b[b] @ h []\nSELECT 2;\n"].concat();
    let settings = Settings { threads: 1, record_bytes: 512, ..Settings::default() };
    let mut feed = Feed::new(&settings, &All, "a.log", 0);
    log.chunks(1).for_each(|piece| feed.push(piece));
    feed.end();
    assert_eq!(feed.take(), digest(&log, 1, 1 << 20, 512));
}

use super::*;

/// What a test looks at of an event.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    query: String,
    user: String,
    host: String,
    db: String,
    time: String,
    timestamp: Option<i64>,
    connection: Option<u64>,
    admin: bool,
    attributes: Vec<String>,
}

fn parse(text: &str) -> (Vec<Seen>, Problems) {
    let mut parser = Parser::default();
    let mut seen = Vec::new();
    let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let block =
        Block { text: text.as_bytes(), offset: 0, begins: false, ends: true, uncut: None, limit: 1 << 20 };
    parser.block(&block, &mut Carry::default(), &mut |event| {
        let attribute = |(attribute, value): &(Attribute, Value<'_>)| match value {
            Value::Number(number, _) => format!("{attribute}={number}"),
            Value::Flag(flag) => format!("{attribute}={flag}"),
            Value::Text(text) => format!("{attribute}={}", string(text)),
        };
        seen.push(Seen {
            query: string(event.query),
            user: string(event.user),
            host: string(event.host),
            db: string(event.db),
            time: event.time.map(|time| time.to_string()).unwrap_or_default(),
            timestamp: event.timestamp,
            connection: event.connection,
            admin: event.command == Command::Admin,
            attributes: event.attributes.iter().map(attribute).collect(),
        });
    });
    (seen, parser.problems().clone())
}

fn only(text: &str) -> Seen {
    let (mut seen, problems) = parse(text);
    assert_eq!(problems, Problems::default());
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen.remove(0)
}

#[test]
fn an_event_of_mysql_8_is_read() {
    let seen = only(
        "# Time: 2024-03-01T10:00:00.123456Z\n# User@Host: shop[shop] @ localhost []  Id:     8\n# Query_time: 0.000123  Lock_time: 0.000001 Rows_sent: 1  Rows_examined: 20\nuse shop;\nSET timestamp=1709287200;\nSELECT 1\n FROM t;\n",
    );
    let expected = Seen {
        query: "SELECT 1\n FROM t".into(),
        user: "shop".into(),
        host: "localhost".into(),
        db: "shop".into(),
        time: "2024-03-01T10:00:00".into(),
        timestamp: Some(1_709_287_200),
        connection: Some(8),
        admin: false,
        attributes: ["Query_time=123", "Lock_time=1", "Rows_sent=1", "Rows_examined=20"]
            .map(Into::into)
            .to_vec(),
    };
    assert_eq!(seen, expected);
}

#[test]
fn an_event_of_mariadb_with_its_plan_is_read() {
    let seen = only(
        "# Time: 240301 10:00:05\n# User@Host: a[a] @  [10.0.0.5]\n# Thread_id: 7  Schema: shop  QC_hit: No\n# Query_time: 1.5  Lock_time: 0.000001  Rows_sent: 1  Rows_examined: 20\n# Rows_affected: 0  Bytes_sent: 11\n# Full_scan: Yes  Full_join: No\n#\n# explain: id\tselect_type\n# explain: 1\tSIMPLE\n#\nSET timestamp=1;\nSELECT 1;\n",
    );
    assert_eq!(
        (&*seen.db, &*seen.host, &*seen.time, seen.connection),
        ("shop", "10.0.0.5", "2024-03-01 10:00:05", Some(7))
    );
    assert_eq!(seen.attributes[0], "QC_hit=false");
    assert_eq!(seen.attributes[7], "Full_scan=true");
    assert_eq!(seen.query, "SELECT 1");
}

#[test]
fn an_event_of_percona_server_with_a_line_that_lacks_its_sign_is_read() {
    let seen = only(
        "# User@Host: a[a] @ h []  Id: 3\n# Schema:   Last_errno: 0  Killed: 0\n# Query_time: 1.5  Lock_time: 0.0\n  Tmp_tables: 1  Tmp_disk_tables: 0\n# InnoDB_trx_id: A1B2\n#   InnoDB_IO_r_ops: 5  InnoDB_IO_r_wait: 0.25\n# No InnoDB statistics available for this query\nSET timestamp=1;\nSELECT 1;\n",
    );
    assert_eq!(
        seen.attributes,
        [
            "Last_errno=0",
            "Killed=false",
            "Query_time=1500000",
            "Lock_time=0",
            "Tmp_tables=1",
            "Tmp_disk_tables=0",
            "InnoDB_trx_id=A1B2",
            "InnoDB_IO_r_ops=5",
            "InnoDB_IO_r_wait=250000"
        ]
    );
    assert_eq!(seen.db, "");
}

const HEAD: &str = "# User@Host: a[a] @ h []\n# Query_time: 1\n";
const HEADER: &str = "/usr/sbin/mariadbd, Version: 10.11.6-MariaDB-log (Debian 12). started with:\nTcp port: 3306  Unix socket: /run/mysqld/mysqld.sock\nTime\t\t    Id Command\tArgument\n";

#[test]
fn headers_of_servers_between_events_swallow_nothing() {
    let (seen, problems) =
        parse(&format!("{HEADER}{HEAD}SELECT 1;\n{HEADER}{HEADER}{HEAD}SELECT 2;\n{HEADER}"));
    assert_eq!(seen.iter().map(|seen| &*seen.query).collect::<Vec<_>>(), ["SELECT 1", "SELECT 2"]);
    let extent = problems.of(Problem::ServerHeader);
    assert_eq!((extent.times, extent.bytes), (3, 4 * HEADER.len() as u64));
    assert_eq!(problems.skipped_bytes(), extent.bytes);
}

#[test]
fn administrator_commands_touch_no_rows() {
    let (seen, _) = parse(&format!(
        "{HEAD}# Rows_sent: 5  Rows_examined: 7\nSET timestamp=1;\n# administrator command: Close stmt;\n{HEAD}SELECT 1;\n"
    ));
    assert_eq!((&*seen[0].query, seen[0].admin), ("administrator command: Close stmt", true));
    assert_eq!(seen[0].attributes, ["Query_time=1000000", "Rows_sent=0", "Rows_examined=0"]);
    assert_eq!(seen[1].query, "SELECT 1");
}

#[test]
fn a_statement_that_looks_like_the_lines_before_it_is_a_statement() {
    let (seen, problems) =
        parse(&format!("{HEAD}use a;\nSET timestamp=1;\nuse b;\n{HEAD}SET timestamp=1;\nSET timestamp=5;\n"));
    assert_eq!(
        seen.iter().map(|seen| (&*seen.query, &*seen.db)).collect::<Vec<_>>(),
        [("use b", "a"), ("SET timestamp=5", "a")]
    );
    assert_eq!(problems, Problems::default());
}

#[test]
fn events_without_a_statement_and_torn_ones_are_counted_as_such() {
    let (seen, problems) = parse(&format!(
        "garbage\n{HEAD}SET timestamp=1;\n;\n{HEAD}SELECT torn\n{HEADER}{HEAD}SELECT 2;\n{HEAD}SELECT to"
    ));
    assert_eq!(
        seen.iter().map(|seen| &*seen.query).collect::<Vec<_>>(),
        ["/* No query */", "SELECT torn", "SELECT 2"]
    );
    let times = |problem| problems.of(problem).times;
    assert_eq!(times(Problem::OutsideEvents), 1);
    assert_eq!(times(Problem::NoStatement), 1);
    assert_eq!(times(Problem::Unterminated), 1);
    assert_eq!(times(Problem::TornEnd), 1);
}

#[test]
fn what_looks_like_a_record_within_a_literal_is_none() {
    let seen = only(&format!("{HEAD}INSERT INTO log VALUES ('x;\n# y\n# Time: soon\n');\n"));
    assert_eq!(seen.query, "INSERT INTO log VALUES ('x;\n# y\n# Time: soon\n')");
}

#[test]
fn of_an_attribute_that_is_written_twice_the_last_value_counts() {
    let seen = only("# User@Host: a[a] @ h []\n# Query_time: 1  Rows_sent: 1  Rows_sent: 2\nSELECT 1;\n");
    assert_eq!(seen.attributes, ["Query_time=1000000", "Rows_sent=2"]);
}

//! Holds every remedy of every case in the documents to what a program can carry out.
#![allow(clippy::unwrap_used, reason = "a test")]

use model::{Change, ChangeKind, DirectiveEdit, Edit, Outcome, Remedy};
use serde_json::Value;
use stack::document;
use stack::layers;

mod support {
    pub(super) mod cases;
}

/// Every remedy of every case, with the cause it is of and the case's name.
fn every_remedy() -> Vec<(String, Remedy)> {
    let mut all = Vec::new();
    for (_, cause) in layers::causes() {
        let document = document::parse(cause.document);
        for case in &document.cases {
            let evidence = support::cases::evidence(&document, case);
            let outcome = (cause.test)(&evidence).unwrap_or_else(Outcome::unknown);
            let named = |remedy| (format!("{}, “{}”", cause.id, case.name), remedy);
            all.extend(outcome.remedies.into_iter().map(named));
        }
    }
    all
}

#[test]
fn every_remedy_promises_something_and_says_why() {
    for (cause, remedy) in every_remedy() {
        assert!(!remedy.title.is_empty() && !remedy.moves.is_empty(), "{cause}: {remedy:?}");
        assert!(!remedy.changes.is_empty(), "{cause}: {} changes nothing", remedy.title);
        for change in &remedy.changes {
            let said = [&change.target.value, &change.target.formula, &change.persistence, &change.restart];
            assert!(said.iter().all(|text| !text.is_empty()), "{cause}: {change:?}");
        }
    }
}

#[test]
fn every_change_is_exact_or_by_hand() {
    for (cause, remedy) in every_remedy() {
        for change in &remedy.changes {
            if let Some(fault) = fault(change) {
                panic!("{cause}: {fault}: {:?} = {}", change.what, change.target.value);
            }
        }
    }
}

#[test]
fn no_remedy_sets_one_thing_twice() {
    for (cause, remedy) in every_remedy() {
        let whats: Vec<_> = remedy.changes.iter().map(|change| &change.what).collect();
        let twice = whats.iter().enumerate().find(|(at, what)| whats[..*at].contains(what));
        assert!(twice.is_none(), "{cause}: {twice:?}");
        let edits = whats.iter().filter_map(|what| match what {
            ChangeKind::File { path, edits, .. } => Some(edits.iter().map(move |edit| (path, edit))),
            _ => None,
        });
        let edits: Vec<_> = edits.flatten().collect();
        let twice = edits.iter().enumerate().find(|(at, edit)| edits[..*at].contains(edit));
        assert!(twice.is_none(), "{cause}: one edit in two changes: {twice:?}");
    }
}

#[test]
fn every_remedy_holds_to_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/schema/report-1.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("report-1.json", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("report-1.json#/$defs/remedy", &mut schemas).unwrap();
    for (cause, remedy) in every_remedy() {
        let remedy = serde_json::to_value(remedy).unwrap();
        if let Err(error) = schemas.validate(&remedy, index) {
            panic!("{cause}: {error:#}\n{remedy:#}");
        }
    }
}

#[test]
fn modules_come_before_what_needs_them_and_reserved_ports_before_the_range() {
    let orders = [
        ("module tcp_bbr", "net.ipv4.tcp_congestion_control"),
        ("net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_local_port_range"),
        ("net.core.rps_sock_flow_entries", "rps_flow_cnt"),
        ("net.core.default_qdisc", "qdisc"),
        ("/etc/default/irqbalance", "irq"),
    ];
    let mut met = std::collections::BTreeSet::new();
    for (cause, remedy) in every_remedy() {
        let names: Vec<_> = remedy.changes.iter().map(name).collect();
        for (first, second) in orders {
            let place = |wanted: &str| names.iter().position(|name| name == wanted);
            if let (Some(first_at), Some(second_at)) = (place(first), place(second)) {
                assert!(first_at < second_at, "{cause}: {names:?}");
                met.insert(first);
            }
        }
    }
    assert_eq!(met.len(), orders.len(), "a case for each order: {met:?}");
}

fn name(change: &Change) -> String {
    match &change.what {
        ChangeKind::Sysctl { key } => key.clone(),
        ChangeKind::Module { name } => format!("module {name}"),
        ChangeKind::File { path, .. } => path.clone(),
        ChangeKind::PacketSteering { path } => path.rsplit('/').next().unwrap_or_default().to_owned(),
        ChangeKind::Qdisc { .. } => "qdisc".to_owned(),
        ChangeKind::IrqAffinity { .. } => "irq".to_owned(),
        _ => String::new(),
    }
}

/// What is wrong with a change that a program is to carry out.
fn fault(change: &Change) -> Option<&'static str> {
    let value = change.target.value.as_str();
    let number = value.parse::<u64>().is_ok();
    let fault = |right: bool, fault| (!right).then_some(fault);
    match &change.what {
        ChangeKind::Sysctl { key } => fault(is_value_of(key, value), "no value of a kernel parameter"),
        ChangeKind::IrqAffinity { name, .. } => {
            let cpus = host::text::cpu_list(value);
            let list = value.bytes().all(|byte| byte.is_ascii_digit() || b",-".contains(&byte));
            fault(list && !cpus.is_empty() && !name.is_empty(), "no list of CPUs")
        }
        ChangeKind::PacketSteering { path } => {
            let inside =
                !path.starts_with('/') && !path.split('/').any(|part| part.is_empty() || part == "..");
            let hexadecimal = value.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b',');
            let mask = hexadecimal && path.ends_with("_cpus");
            fault(inside && path.contains("/queues/") && (mask || number), "no file or value of a queue")
        }
        ChangeKind::Ring { side, .. } => fault(number && ["rx", "tx"].contains(&side.as_str()), "no size"),
        ChangeKind::Channels { .. } | ChangeKind::BlockQueue { .. } => fault(number, "no number"),
        ChangeKind::Qdisc { .. } => {
            let rate = value.strip_prefix("cake bandwidth ").and_then(|rate| rate.strip_suffix("bit"));
            let shapes = rate.is_some_and(|bits| bits.parse::<u64>().is_ok());
            fault(is_name(value) || shapes, "no kind of a queueing discipline")
        }
        ChangeKind::ModuleParameter { name } => {
            fault(!value.contains(' ') && name.split_once('.').is_some(), "no parameter of a module")
        }
        ChangeKind::Module { name } => fault(is_name(name), "no name of a module"),
        ChangeKind::Mount { set, remove, mount_point } => {
            let one =
                set.iter().chain(remove).all(|option| !option.is_empty() && !option.contains([',', ' ']));
            let names = remove.iter().all(|option| !option.contains('='));
            fault(one && names && mount_point.starts_with('/') && set.len() + remove.len() > 0, "no options")
        }
        ChangeKind::Unit { settings, .. } => {
            let assigned =
                |setting: &String| setting.split_once('=').is_some_and(|(_, value)| !value.is_empty());
            fault(settings.iter().all(assigned), "no settings of a unit")
        }
        ChangeKind::File { path, edit, edits } => {
            let right = edits.iter().all(is_edit) && path.starts_with('/') && !edit.is_empty();
            fault(right, "no edit of a file")
        }
        ChangeKind::SqlVariable { .. } | ChangeKind::SqlStatement { .. } => None,
        ChangeKind::Elsewhere { place } => fault(!place.is_empty(), "no place"),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Numbers with single blanks between them, a list of ports, or one name.
fn is_value_of(key: &str, value: &str) -> bool {
    let numbers = value.split(' ').all(|word| word.parse::<i64>().is_ok());
    let ports = value.split(',').all(|part| part.split('-').all(|port| port.parse::<u16>().is_ok()));
    match key {
        "net.ipv4.ip_local_reserved_ports" => ports,
        "net.ipv4.tcp_congestion_control" | "net.core.default_qdisc" => is_name(value),
        _ => numbers,
    }
}

fn is_edit(edit: &Edit) -> bool {
    match edit {
        Edit::Sysctl { key, value, line } => {
            let known = key.contains('.') && !key.contains([' ', '#', '=']);
            let value = value.as_deref().is_none_or(|value| !value.is_empty() && !value.contains([';', '#']));
            known && value && line.is_none_or(|line| line > 0)
        }
        Edit::Fstab { mount_point, option, .. } => {
            mount_point.starts_with('/') && !option.is_empty() && !option.contains([',', '='])
        }
        Edit::OptionFile { group, option, value } => {
            is_name(group) && is_name(option) && value.as_deref().is_none_or(|value| !value.is_empty())
        }
        Edit::ShellVariable { name, add_words } => {
            !name.is_empty()
                && !add_words.is_empty()
                && add_words.iter().all(|word| !word.contains([' ', '"']))
        }
        Edit::Ini { section, key, value } => {
            let section =
                section.as_deref().is_none_or(|section| !section.is_empty() && !section.contains(['[', ']']));
            let value = value.as_deref().is_none_or(|value| !value.is_empty() && !value.starts_with('#'));
            section && value && !key.is_empty() && !key.contains([' ', '=', ';', '#'])
        }
        Edit::Nginx { block, directive, to, .. } => {
            let said = match to {
                DirectiveEdit::Arguments { arguments } | DirectiveEdit::OneMore { arguments } => {
                    !arguments.is_empty()
                }
                DirectiveEdit::Parameter { name, value } => !name.is_empty() && !value.is_empty(),
                DirectiveEdit::Block { .. } | DirectiveEdit::Removed => true,
            };
            said && block.iter().all(|one| !one.is_empty())
                && !directive.is_empty()
                && !directive.contains([' ', ';'])
        }
        Edit::Systemd { section, key, value } => {
            let value = value.as_deref().is_none_or(|value| !value.is_empty() && !value.contains('\n'));
            value && !section.is_empty() && !key.is_empty() && !key.contains([' ', '='])
        }
        Edit::PhpConstant { name, value } => {
            let constant = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            constant && value.as_deref().is_none_or(|value| !value.is_empty() && !value.contains(['\n', ';']))
        }
        _ => false,
    }
}

//! A plan as an Ansible playbook.

use model::Edit;

use super::headline;
use crate::plan::{Activation, ActivationKind, Plan, PlannedChange};
use crate::{Action, Operation, Target};

/// A playbook of one play. Modules outside `ansible.builtin` are `ansible.posix.sysctl` and
/// `community.general.ini_file`; what has no module is a shell task with the lines of the plan.
pub fn ansible(plan: &Plan) -> String {
    let host = plan.host.name.as_deref().unwrap_or("all");
    let mut text = format!(
        "# narrows plan {}\n---\n- name: {}\n  hosts: {}\n  become: true\n  tasks:\n",
        crate::shell::comment(&plan.hash),
        string("Move the limit that narrows found"),
        string(host)
    );
    let mut handlers: Vec<&Activation> = Vec::new();
    for change in &plan.changes {
        for task in tasks(change) {
            text.push_str(&format!("    - name: {}\n{task}", string(&headline(change))));
            for reload in &change.reloads {
                text.push_str(&format!("      notify: {}\n", string(&handler_name(reload))));
                if !handlers.contains(&reload) {
                    handlers.push(reload);
                }
            }
        }
    }
    if plan.changes.is_empty() {
        text.push_str("    []\n");
    }
    if !handlers.is_empty() {
        text.push_str("  handlers:\n");
        handlers.iter().for_each(|reload| text.push_str(&handler(reload)));
    }
    text
}

/// The tasks of a change. Where every operation has a module of its own, that is used; else the plan's shell lines.
fn tasks(change: &PlannedChange) -> Vec<String> {
    let own: Option<Vec<String>> =
        change.operations.iter().filter(|operation| !is_covered(operation, change)).map(module).collect();
    own.unwrap_or_else(|| vec![shell_task(&change.shell)])
}

/// The module for kernel parameters writes the file as well as the value.
fn is_covered(operation: &Operation, change: &PlannedChange) -> bool {
    let Target::Sysctl(sysctl) = &operation.target else { return false };
    change
        .operations
        .iter()
        .any(|other| sysctl_edit(other).is_some_and(|(_, key, value)| key == sysctl.key && value.is_some()))
}

fn sysctl_edit(operation: &Operation) -> Option<(&str, &str, Option<&str>)> {
    let (Target::File(file), Action::Edit { edits }) = (&operation.target, &operation.action) else {
        return None;
    };
    match edits.as_slice() {
        [Edit::Sysctl { key, value, line: None }] => Some((&file.path, key, value.as_deref())),
        _ => None,
    }
}

fn module(operation: &Operation) -> Option<String> {
    if let Some((path, key, value)) = sysctl_edit(operation) {
        return Some(sysctl_task(path, key, value));
    }
    let (Target::File(file), Action::Edit { edits }) = (&operation.target, &operation.action) else {
        return None;
    };
    match edits.as_slice() {
        [Edit::Line { line, present }] => Some(task(
            "ansible.builtin.lineinfile",
            &[
                ("path", string(&file.path)),
                ("line", string(line)),
                ("create", (*present).to_string()),
                ("state", state(*present)),
            ],
        )),
        [Edit::Ini { section, key, value }] => {
            Some(ini_task(&file.path, section.as_deref(), key, value.as_deref()))
        }
        [Edit::Systemd { section, key, value }] => {
            Some(ini_task(&file.path, Some(section), key, value.as_deref()))
        }
        _ => None,
    }
}

fn sysctl_task(path: &str, key: &str, value: Option<&str>) -> String {
    let mut fields = vec![("name", string(key)), ("sysctl_file", string(path))];
    if let Some(value) = value {
        fields.push(("value", string(value)));
        fields.push(("sysctl_set", "true".to_owned()));
    }
    fields.push(("state", state(value.is_some())));
    task("ansible.posix.sysctl", &fields)
}

fn ini_task(path: &str, section: Option<&str>, key: &str, value: Option<&str>) -> String {
    let mut fields = vec![("path", string(path)), ("option", string(key))];
    fields.extend(section.map(|section| ("section", string(section))));
    fields.extend(value.map(|value| ("value", string(value))));
    fields.push(("state", state(value.is_some())));
    task("community.general.ini_file", &fields)
}

fn shell_task(lines: &[String]) -> String {
    task("ansible.builtin.shell", &[("cmd", string(&lines.join("\n")))])
}

fn task(module: &str, fields: &[(&str, String)]) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("        {name}: {value}\n")).collect();
    format!("      {module}:\n{fields}")
}

fn state(present: bool) -> String {
    if present { "present" } else { "absent" }.to_owned()
}

fn handler_name(activation: &Activation) -> String {
    let how = match activation.how {
        ActivationKind::Reload => "Reload",
        ActivationKind::Restart => "Restart",
        ActivationKind::DaemonReload => "Have systemd reread its files for",
    };
    format!("{how} {}", activation.unit)
}

fn handler(activation: &Activation) -> String {
    let fields = match activation.how {
        ActivationKind::Reload => vec![("name", string(&activation.unit)), ("state", "reloaded".to_owned())],
        ActivationKind::Restart => {
            vec![("name", string(&activation.unit)), ("state", "restarted".to_owned())]
        }
        ActivationKind::DaemonReload => vec![("daemon_reload", "true".to_owned())],
    };
    let name = string(&handler_name(activation));
    format!("    - name: {name}\n{}", task("ansible.builtin.systemd_service", &fields))
}

/// A string of YAML: JSON's are among them (YAML 1.2, 1.3). Templates of Jinja are kept from being read as such.
fn string(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    if text.contains("{{") || text.contains("{%") { format!("!unsafe {json}") } else { json }
}
